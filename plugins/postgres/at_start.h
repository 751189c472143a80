/* SPDX-License-Identifier: MIT */
/* What a start asks of the database, so that a wrong address or password is said at once, and once. */
#ifndef POSTGRES_AT_START_H
#define POSTGRES_AT_START_H

struct database;

enum at_start { AT_START_NOTHING, AT_START_ACCEPTED, AT_START_REACHED };
extern const char *const at_start_choices[]; /* in the order of enum at_start, NULL at the end */

/* Blocks, for the connect timeout and a name look-up at most. 0, or BP_ERROR with a start error that holds no secret. */
int at_start_ask(struct database *database);

#endif
