/* SPDX-License-Identifier: MIT */
/* Texts of messages that wait in a database: whoever can read that cannot read them, as they may hold what lets people in. Thread-safe. */
#ifndef MAILER_SEAL_H
#define MAILER_SEAL_H

#include "backplane/arena.h"

enum { SEAL_E_FOREIGN = 1 };

/* In base64; ptr NULL: out of memory. */
bp_str seal_text(bp_str secret, bp_str text, struct bp_arena *arena);
/* 0; SEAL_E_FOREIGN: it was sealed with another secret, or changed; BP_NOMEM. */
int seal_open(bp_str secret, bp_str sealed, struct bp_arena *arena, bp_str *ret_text);

#endif
