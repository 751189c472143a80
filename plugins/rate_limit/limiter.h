/* SPDX-License-Identifier: MIT */
/* The limits of a stage over a table of clients, in memory that the workers share. Knows no request. */
#ifndef LIMITER_H
#define LIMITER_H

#include "limit.h"
#include "table.h"

enum algorithm { ALGORITHM_SLIDING_WINDOW, ALGORITHM_GCRA };

struct limiter {
    struct limit limits[LIMITS_MAX];
    uint32_t count; /* of limits, at least 1 */
    enum algorithm algorithm;
    struct table *table;
};

/* The longest name of a client; a limit's number is put behind it. */
#define LIMITER_CLIENT_MAX 192u

/* Decides about one request of the client that costs as many as cost says. It is counted when every limit allows it, else by none. ret_verdicts: one a
 * limit; all of them say whether it alone would allow it. *ret_crowded: the client had to share a cell. */
void limiter_take(const struct limiter *limiter, bp_str client, uint32_t cost, bp_time now,
                  struct verdict *ret_verdicts, bool *ret_crowded);
/* Whether all of them allow it. */
bool limiter_allows(const struct verdict *verdicts, uint32_t count);

/* "Limit: 30 requests per 60000ms" is what clients know. ret_text gets a NUL. */
#define LIMITER_MESSAGE 128u
void limiter_message(const struct limit *limit, char ret_text[LIMITER_MESSAGE]);

/* Whole units, rounded up: who comes back then is not early. */
int64_t limiter_seconds(bp_span span);
int64_t limiter_milliseconds(bp_span span);

#endif
