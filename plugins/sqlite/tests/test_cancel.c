/* SPDX-License-Identifier: MIT */
/* Clients that leave, and deadlines, at every point of a query's life. */
#include <criterion/criterion.h>

#include "core/worker/fiber.h"
#include "fixture.h"

static void setup(void)
{
    fixture_new();
    cr_assert_eq(fixture_exec("CREATE TABLE t (id INTEGER PRIMARY KEY)"), SQLITE_OK);
    cr_assert_eq(fixture_start_instance(), 0);
}

TestSuite(cancel, .init = setup, .fini = fixture_close);

struct count {
    int64_t n;
};
static const struct bp_field count_rows[] = {BP_I64(struct count, n), BP_END};
static const struct bp_statement endless =
    BP_STATEMENT(.name = "endless", .flags = BP_SQL_READ,
                 .sql = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
                 .rows = count_rows, .row_size = sizeof(struct count));
static const struct bp_statement quick = BP_STATEMENT(.name = "quick", .flags = BP_SQL_READ, .sql = "SELECT 42",
                                                      .rows = count_rows, .row_size = sizeof(struct count));
static const struct bp_statement insert =
    BP_STATEMENT(.name = "insert", .flags = BP_SQL_BATCHABLE, .sql = "INSERT INTO t DEFAULT VALUES");
static const struct bp_statement slow_insert =
    BP_STATEMENT(.name = "slow_insert",
                 .sql = "INSERT INTO t SELECT n FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c"
                        " WHERE n < 200000) SELECT n FROM c)");

struct call {
    const struct bp_statement *statement;
    int status;
    struct bp_result result;
};

static void run(void *argument)
{
    struct call *call = argument;
    call->status = bp_db_query(fixture.service, NULL, call->statement, BP_NO_VALUES, bp_fiber_arena(), &call->result);
}

/* The lane has taken everything from its queue and works on it. */
static bool is_busy(struct lane *lane)
{
    bool busy;
    pthread_mutex_lock(&lane->mutex);
    busy = lane->queue.len == 0 && lane->running;
    pthread_mutex_unlock(&lane->mutex);
    return busy;
}

Test(cancel, a_running_read_is_interrupted)
{
    static const int statuses[] = {BP_CANCELED, BP_TIMEOUT};
    /* Often: an interrupt that comes just before the first step must not be lost either. */
    for (size_t i = 0; i < 100; i++) {
        struct call call = {.statement = &endless, .status = 1};
        struct bp_fiber *fiber = fixture_begin(run, &call, BP_FOREVER, NULL);
        fixture_until(is_busy(fixture.database->reader));
        fiber_cancel(fiber, statuses[i % 2]);
        fixture_wait();
        cr_assert_eq(call.status, statuses[i % 2]);
        cr_assert_null(call.result.rows);
    }
    struct call after = {.statement = &quick, .status = 1};
    fixture_run(run, &after);
    cr_assert_eq(after.status, 0);
    cr_assert_eq(after.result.len, 1);
}

Test(cancel, a_fiber_deadline_interrupts)
{
    struct call call = {.statement = &endless, .status = 1};
    fixture_begin(run, &call, bp_clock() + 100 * BP_MILLISECOND, NULL);
    fixture_wait();
    cr_assert_eq(call.status, BP_TIMEOUT);
}

/* The interrupt hits the job it is meant for: those behind it in the queue are answered. */
Test(cancel, neighbours_are_left_alone)
{
    struct call first = {.statement = &endless, .status = 1};
    struct call gone = {.statement = &endless, .status = 1};
    struct call rest[20];
    struct bp_fiber *fiber = fixture_begin(run, &first, BP_FOREVER, NULL);
    struct bp_fiber *queued;
    fixture_until(is_busy(fixture.database->reader));
    queued = fixture_begin(run, &gone, BP_FOREVER, NULL);
    for (size_t i = 0; i < 20; i++) {
        rest[i] = (struct call){.statement = &quick, .status = 1};
        fixture_begin(run, &rest[i], BP_FOREVER, NULL);
    }
    cr_assert_eq(fixture_waiting(fixture.database->reader, "read"), 21);
    fiber_cancel(queued, BP_CANCELED);
    fixture_until(gone.status != 1);
    cr_assert_eq(gone.status, BP_CANCELED, "taken back while the first still runs");
    cr_assert_eq(first.status, 1);
    cr_assert_eq(fixture_waiting(fixture.database->reader, "read"), 20);
    fiber_cancel(fiber, BP_CANCELED);
    fixture_wait();
    cr_assert_eq(first.status, BP_CANCELED);
    for (size_t i = 0; i < 20; i++)
        cr_assert_eq(rest[i].status, 0);
}

Test(cancel, a_queued_write_never_happens)
{
    struct call call = {.statement = &insert, .status = 1};
    struct bp_fiber *fiber;
    bp_mutex_lock(fixture.database->writer->write_lock);
    fiber = fixture_begin(run, &call, BP_FOREVER, NULL);
    fiber_cancel(fiber, BP_CANCELED);
    fixture_wait();
    bp_mutex_unlock(fixture.database->writer->write_lock);
    cr_assert_eq(call.status, BP_CANCELED);
    fixture_stop();
    cr_assert_eq(fixture_integer("SELECT count(*) FROM t"), 0);
}

static bool has_taken(struct lane *lane)
{
    uint64_t last;
    return lane_look(lane, &last) == 0;
}

Test(cancel, a_running_write_is_waited_for)
{
    struct call call = {.statement = &slow_insert, .status = 1};
    struct bp_fiber *fiber = fixture_begin(run, &call, BP_FOREVER, NULL);
    fixture_until(has_taken(fixture.database->writer));
    fiber_cancel(fiber, BP_CANCELED);
    fixture_wait();
    cr_assert_eq(call.status, 0);
    cr_assert_eq(call.result.changes, 200000);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM t"), 200000);
}

/* At any moment at all: nothing hangs, and what is said to be written is. */
Test(cancel, at_any_moment)
{
    int64_t written = 0;
    for (int i = 0; i < 400; i++) {
        struct call read = {.statement = &quick, .status = 1}, write = {.statement = &insert, .status = 1};
        struct bp_fiber *reader = fixture_begin(run, &read, BP_FOREVER, NULL);
        struct bp_fiber *writer = fixture_begin(run, &write, BP_FOREVER, NULL);
        for (volatile int spin = 0; spin < i * 50; spin++)
            continue;
        if (read.status == 1)
            fiber_cancel(reader, BP_CANCELED);
        if (write.status == 1)
            fiber_cancel(writer, BP_TIMEOUT);
        fixture_wait();
        cr_assert(read.status == 0 || read.status == BP_CANCELED);
        cr_assert(write.status == 0 || write.status == BP_TIMEOUT);
        written += write.status == 0;
    }
    cr_assert_eq(fixture_integer("SELECT count(*) FROM t"), written);
}

static void ping(void *argument)
{
    *(int *)argument = bp_db_ping(fixture.service, 100 * BP_MILLISECOND);
}

Test(cancel, ping_has_a_timeout)
{
    struct call call = {.statement = &endless, .status = 1};
    struct bp_fiber *fiber;
    int status = 1;
    fixture_run(ping, &status);
    cr_assert_eq(status, 0);
    fiber = fixture_begin(run, &call, BP_FOREVER, NULL);
    fixture_until(is_busy(fixture.database->reader));
    fixture_run(ping, &status);
    cr_assert_eq(status, BP_TIMEOUT);
    fiber_cancel(fiber, BP_CANCELED);
    fixture_wait();
}
