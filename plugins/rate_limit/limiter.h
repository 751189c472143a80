/* SPDX-License-Identifier: MIT */
/* One limit over a table of clients. Knows no request. */
#ifndef LIMITER_H
#define LIMITER_H

#include "limit.h"
#include "table.h"

enum algorithm { ALGORITHM_SLIDING_WINDOW, ALGORITHM_GCRA };

struct limiter {
    struct limit limit;
    enum algorithm algorithm;
    struct table *table;
};

/* Decides about one request of the client and counts it. *ret_crowded: it had to share a cell. */
void limiter_take(const struct limiter *limiter, bp_str client, bp_time now, struct verdict *ret_verdict,
                  bool *ret_crowded);

/* The client behind an address of 4 or 16 bytes: an IPv4 address (also when it came mapped into IPv6), or the first 64 bits of an IPv6 address, which
 * is what one subscriber has. Of anything else (a Unix socket) everybody is one client. ret_key: at least LIMITER_KEY bytes. */
#define LIMITER_KEY 17u
bp_str limiter_address_key(bp_str address, char *ret_key);

/* "Limit: 30 requests per 60000ms" is what clients know. ret_text gets a NUL. */
#define LIMITER_MESSAGE 128u
void limiter_message(const struct limit *limit, char ret_text[LIMITER_MESSAGE]);

/* Whole units, rounded up: who comes back then is not early. */
int64_t limiter_seconds(bp_span span);
int64_t limiter_milliseconds(bp_span span);

#endif
