/* SPDX-License-Identifier: MIT */
#include "count.h"

struct row {
    bp_str type;
    int64_t amount;
};
static const struct bp_field rows[] = {BP_TEXT(struct row, type), BP_I64(struct row, amount), BP_END};

static const struct bp_statement by_type =
    BP_STATEMENT(.name = "events.count", .flags = BP_SQL_READ,
                 .sql = "SELECT type, count(*) FROM events WHERE id > $1 AND id <= $2 AND type <> '' GROUP BY type",
                 .sql_postgres =
                     "SELECT type, count(*) FROM events WHERE position > $1 AND position <= $2 GROUP BY type",
                 .rows = rows, .row_size = sizeof(struct row));

void count_add(const struct events *events, bp_str type, int64_t amount)
{
    bp_metric_add(bp_series(events->total_metric, &type), amount);
}

/* Whoever moves the mark counts what is behind it, and has asked before how much that is: who fails leaves it to the next. The mark is one more than the
 * position: 0 says that there is none yet. */
int count_upto(struct events *events, int64_t last)
{
    int64_t mark = atomic_load(&events->shared->counted);
    struct bp_result result = {0};
    if (mark > last)
        return 0;
    int status = mark == 0 ? 0
                           : bp_db_query(events->db, NULL, &by_type, BP_VALUES(bp_db_i64(mark - 1), bp_db_i64(last)),
                                         bp_fiber_arena(), &result);
    if (status != 0)
        return status < 0 ? bp_trace(status) : BP_ERROR;
    if (!atomic_compare_exchange_strong(&events->shared->counted, &mark, last + 1))
        return 0; /* another one was faster; what is behind its mark is counted when somebody asks again */
    for (size_t i = 0; i < result.len; i++)
        count_add(events, ((const struct row *)result.rows)[i].type, ((const struct row *)result.rows)[i].amount);
    return 0;
}
