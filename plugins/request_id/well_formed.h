/* SPDX-License-Identifier: MIT */
/* Which identifiers of a client are taken over. */
#ifndef REQUEST_ID_WELL_FORMED_H
#define REQUEST_ID_WELL_FORMED_H

#include "backplane/str.h"

#define REQUEST_ID_MAX 128

/* 1 to REQUEST_ID_MAX of A-Z a-z 0-9 . _ - */
bool request_id_well_formed(bp_str id);

#endif
