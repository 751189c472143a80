/* SPDX-License-Identifier: MIT */
/* Messages as jobs, where there is a queue: they survive the server, and any replica may send them. */
#ifndef MAILER_JOB_H
#define MAILER_JOB_H

#include "queue.h"

/* In init: says that this instance sends them. 0 or a negative status, reported. */
int job_init(struct mailer *mailer);
/* Adds one, in the transaction that bp_db_enlist() says. Suspends. 0 or a negative status. */
int job_add(struct mailer *mailer, bp_str to, bp_str subject, bp_str text);

#endif
