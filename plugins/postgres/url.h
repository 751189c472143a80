/* SPDX-License-Identifier: MIT */
/* Where a database is: a connection URL, as libpq and as Prisma write them, in parts. Pure; nothing said here holds a secret. */
#ifndef POSTGRES_URL_H
#define POSTGRES_URL_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "backplane/clock.h"

struct target {
    PQconninfoOption *options; /* what the URL says, for libpq */
    char *schema;              /* ?schema=; NULL: the server's search_path */
    bool pooler;               /* ?pgbouncer=true */
    uint32_t connection_limit; /* 0: not given */
    bp_span pool_timeout;      /* 0: not given */
    bp_span connect_timeout;   /* 0: not given */
};

#define URL_WHY 200u

/* postgres://user:password@host:port/database?parameter=value&…, or libpq's "host=… dbname=…". 0, BP_NOMEM, or BP_INVALID with
 * why in URL_WHY bytes: the end of "must be …". */
int target_parse(bp_str url, struct target *ret_target, char *why);
/* Accepts zeroes. */
void target_deinit(struct target *target);
/* What the URL gives for a keyword of libpq ("host", "sslmode"); NULL when nothing. */
const char *target_value(const struct target *target, const char *keyword);

#endif
