/* SPDX-License-Identifier: MIT */
/* Making a connection without blocking the loop. */
#ifndef POSTGRES_CONNECT_H
#define POSTGRES_CONNECT_H

#include <libpq-fe.h>

#include "url.h"

struct database;

#define KEYWORDS 64u

/* As PQconnectStartParams() takes them; borrowed from the target and the options. */
struct keywords {
    const char *names[KEYWORDS], *values[KEYWORDS]; /* NULL after the last */
    unsigned count;
    char connect_timeout[16]; /* of libpq's blocking calls */
};
void connect_keywords(const struct database *database, const struct target *target, struct keywords *keywords);

/* Suspends: looks names up, connects, sets the session up (unless ret_pooled is NULL), all within the connect timeout; *ret_pooled:
 * a pooler is in between, and nothing was set up. 0, BP_CANCELED, BP_NOMEM or BP_BUSY, with
 * the reason in DATABASE_WHY bytes, without secrets. The connection does not block. */
int connect_open(struct database *database, const struct target *target, bool *ret_pooled, PGconn **ret_pg, char *why);
/* The first line of what libpq says, without what every message begins with. */
void connect_reason(const char *message, char *why);
/* The pause before the given try, counted from 0: 100 ms doubling to 2 s, of which a random half is taken off. */
bp_span connect_backoff(unsigned tries);

#endif
