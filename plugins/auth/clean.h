/* SPDX-License-Identifier: MIT */
/* What has expired is deleted, by a job: of the accounts that nobody logs in to any more, too. */
#ifndef AUTH_CLEAN_H
#define AUTH_CLEAN_H

#include "auth.h"

/* In init, with a queue: adds the job. 0 or a negative status, reported. */
int clean_init(struct auth *auth);

#endif
