/* SPDX-License-Identifier: MIT */
/* Reads that wait together share a view of the database; nobody is shown anything older than what was committed before asking. */
#include <criterion/criterion.h>

#include "core/worker/fiber.h"
#include "fixture.h"

static void setup(void)
{
    fixture_new();
    cr_assert_eq(fixture_exec("CREATE TABLE t (id INTEGER PRIMARY KEY)"), SQLITE_OK);
    cr_assert_eq(fixture_start_instance(), 0);
}

TestSuite(reads, .init = setup, .fini = fixture_close);

struct count {
    int64_t n;
};
static const struct bp_field count_rows[] = {BP_I64(struct count, n), BP_END};
/* Looks into the table first, then never ends. */
static const struct bp_statement endless =
    BP_STATEMENT(.name = "endless", .flags = BP_SQL_READ,
                 .sql = "WITH RECURSIVE c(n) AS (SELECT count(*) FROM t UNION ALL SELECT n + 1 FROM c) "
                        "SELECT count(*) FROM c",
                 .rows = count_rows, .row_size = sizeof(struct count));
static const struct bp_statement count =
    BP_STATEMENT(.name = "count", .flags = BP_SQL_READ, .sql = "SELECT count(*) FROM t", .rows = count_rows,
                 .row_size = sizeof(struct count));
static const struct bp_statement insert =
    BP_STATEMENT(.name = "insert", .flags = BP_SQL_BATCHABLE, .sql = "INSERT INTO t DEFAULT VALUES");

struct call {
    const struct bp_statement *statement;
    int status;
    int64_t n;
};

static void run(void *argument)
{
    struct call *call = argument;
    struct bp_result result = {0};
    call->status = bp_db_query(fixture.service, NULL, call->statement, BP_NO_VALUES, bp_fiber_arena(), &result);
    call->n = result.len == 1 ? ((const struct count *)result.rows)->n : -1;
}

static bool runs_before(struct lane *lane, unsigned waiting)
{
    bool runs;
    pthread_mutex_lock(&lane->mutex);
    runs = lane->queue.len == waiting && lane->running;
    pthread_mutex_unlock(&lane->mutex);
    return runs;
}

/* Fresh even when the view of those before is kept open by one that takes long. */
Test(reads, who_asks_after_a_commit_sees_it)
{
    for (int64_t rows = 0; rows < 3; rows++) {
        struct call first = {.statement = &endless, .status = 1}, slow = first;
        struct call shares = {.statement = &count, .status = 1}, write = {.statement = &insert, .status = 1};
        struct call later[3];
        struct bp_fiber *first_fiber = fixture_begin(run, &first, BP_FOREVER, NULL), *slow_fiber;
        fixture_until(runs_before(fixture.database->reader, 0));
        slow_fiber = fixture_begin(run, &slow, BP_FOREVER, NULL);
        fixture_begin(run, &shares, BP_FOREVER, NULL);
        fiber_cancel(first_fiber, BP_CANCELED);
        fixture_until(first.status == BP_CANCELED && runs_before(fixture.database->reader, 1));
        fixture_begin(run, &write, BP_FOREVER, NULL);
        fixture_until(write.status != 1);
        cr_assert_eq(write.status, 0);
        for (size_t i = 0; i < 3; i++) {
            later[i] = (struct call){.statement = &count, .status = 1};
            fixture_begin(run, &later[i], BP_FOREVER, NULL);
        }
        fiber_cancel(slow_fiber, BP_CANCELED);
        fixture_wait();
        cr_assert_eq(slow.status, BP_CANCELED);
        cr_assert_eq(shares.status, 0);
        cr_assert(shares.n == rows || shares.n == rows + 1, "it asked before the write ended: %ld", (long)shares.n);
        for (size_t i = 0; i < 3; i++) {
            cr_assert_eq(later[i].status, 0);
            cr_assert_eq(later[i].n, rows + 1, "read %zu saw %ld rows of %ld", i, (long)later[i].n, (long)rows + 1);
        }
    }
}

/* Each writes and reads on, beside all others. */
static void write_and_read(void *argument)
{
    struct call *call = argument;
    for (int i = 0; i < 30 && call->status == 0; i++) {
        struct call own = {.statement = &insert};
        int64_t before = call->n;
        run(&own);
        call->status = own.status;
        run(call);
        if (call->n <= before)
            call->status = BP_ERROR;
    }
}

Test(reads, own_writes_are_seen_by_many)
{
    struct call calls[40];
    for (size_t i = 0; i < 40; i++) {
        calls[i] = (struct call){.statement = &count};
        fixture_begin(write_and_read, &calls[i], BP_FOREVER, NULL);
    }
    fixture_wait();
    for (size_t i = 0; i < 40; i++)
        cr_assert_eq(calls[i].status, 0);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM t"), 1200);
}
