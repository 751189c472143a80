/* SPDX-License-Identifier: MIT */
/* What shares a batch: order, neighbours that fail, statements that are taken back, connections that die in between. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "fixture.h"

#define FIBERS 60

static void setup(void)
{
    fixture_new();
    fixture_execute("CREATE TABLE item (id bigint PRIMARY KEY, name text NOT NULL UNIQUE, n bigint CHECK (n >= 0));"
                    "CREATE TABLE part (id bigint PRIMARY KEY, item bigint REFERENCES item (id) DEFERRABLE INITIALLY "
                    "DEFERRED);"
                    "GRANT ALL ON item, part TO backplane");
    cr_assert_eq(fixture_start(), 0);
}

TestSuite(batches, .init = setup, .fini = fixture_close);

struct item {
    int64_t id;
    bp_str name;
};
static const struct bp_field item_rows[] = {BP_I64(struct item, id), BP_TEXT(struct item, name), BP_END};
static const struct bp_statement add_item =
    BP_STATEMENT(.name = "item.add", .flags = BP_SQL_BATCHABLE, .sql = "INSERT INTO item VALUES ($1, $2, $3)");
static const struct bp_statement set_item =
    BP_STATEMENT(.name = "item.set", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "INSERT INTO item VALUES ($1, $2, 0) ON CONFLICT (id) DO NOTHING");
static const struct bp_statement add_part =
    BP_STATEMENT(.name = "part.add", .flags = BP_SQL_BATCHABLE, .sql = "INSERT INTO part VALUES ($1, $2)");
static const struct bp_statement find_item =
    BP_STATEMENT(.name = "item.find", .flags = BP_SQL_READ, .sql = "SELECT id, name FROM item WHERE id = $1",
                 .rows = item_rows, .row_size = sizeof(struct item));
static const struct bp_statement slow_read =
    BP_STATEMENT(.name = "slow.read", .flags = BP_SQL_READ, .sql = "SELECT pg_sleep(60)");
static const struct bp_statement slow_write =
    BP_STATEMENT(.name = "slow.write", .flags = BP_SQL_BATCHABLE,
                 .sql = "INSERT INTO item SELECT -1, 'slow', 0 FROM (SELECT pg_sleep(60)) AS s");
static const struct bp_statement alone =
    BP_STATEMENT(.name = "item.alone", .sql = "INSERT INTO item VALUES ($1, $2, 0)");

struct write {
    const struct bp_statement *statement;
    int64_t id, n;
    const char *name;
    int status;
    bool done;
};

static void run_write(void *argument)
{
    struct write *write = argument;
    const struct bp_db_value values[] = {bp_db_i64(write->id),
                                         write->name ? bp_db_text(bp_str_of(write->name)) : bp_db_i64(write->n),
                                         bp_db_i64(write->n)};
    size_t count = write->statement == &add_item                                       ? 3
                   : write->statement == &slow_write || write->statement == &slow_read ? 0
                                                                                       : 2;
    write->status = bp_db_query(fixture.service, NULL, write->statement, values, count, NULL, NULL);
    write->done = true;
}

/* All in one turn of the loop: one batch. */
static void run_writes(struct write *writes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fixture_begin(run_write, &writes[i], BP_FOREVER, NULL);
    fixture_wait();
}

struct read {
    int64_t id;
    int status;
    size_t len;
    char name[32];
    bool done;
};

static void run_read(void *argument)
{
    struct read *read = argument;
    struct bp_result result = {0};
    read->status =
        bp_db_query(fixture.service, NULL, &find_item, BP_VALUES(bp_db_i64(read->id)), bp_fiber_arena(), &result);
    read->len = result.len;
    if (read->status == 0 && result.len > 0) {
        const struct item *item = result.rows;
        cr_assert_eq(item->id, read->id, "another one's row");
        snprintf(read->name, sizeof(read->name), "%s", item->name.ptr);
    }
    read->done = true;
}

Test(batches, everybody_gets_his_own_answer)
{
    static struct write writes[FIBERS];
    static struct read reads[2 * FIBERS];
    static char names[FIBERS][32];
    for (int i = 0; i < FIBERS; i++) {
        snprintf(names[i], sizeof(names[i]), "item %d", i);
        writes[i] = (struct write){.statement = &add_item, .id = i, .name = names[i], .status = 99};
    }
    run_writes(writes, FIBERS);
    for (int i = 0; i < FIBERS; i++)
        cr_assert_eq(writes[i].status, 0);
    /* They shared transactions. */
    cr_assert_lt(fixture_integer("SELECT count(DISTINCT xmin::text::bigint) FROM item"), FIBERS / 2);
    for (int i = 0; i < 2 * FIBERS; i++) {
        reads[i].id = i;
        fixture_begin(run_read, &reads[i], BP_FOREVER, NULL);
    }
    fixture_wait();
    for (int i = 0; i < 2 * FIBERS; i++) {
        cr_assert_eq(reads[i].status, 0);
        cr_assert_eq(reads[i].len, i < FIBERS);
        if (i < FIBERS)
            cr_assert_str_eq(reads[i].name, names[i]);
    }
}

Test(batches, only_the_one_that_fails_fails)
{
    struct write writes[] = {
        {.statement = &add_item, .id = 1, .name = "one"},
        {.statement = &add_item, .id = 2, .name = "one"},            /* conflicts with a neighbour */
        {.statement = &add_item, .id = 3, .name = "three", .n = -1}, /* CHECK */
        {.statement = &add_item, .id = 4, .name = "four"},
        {.statement = &add_item, .id = 4, .name = "again"},
        {.statement = &add_part, .id = 1, .n = 4},           /* a deferred key that holds */
        {.statement = &add_part, .id = 2, .n = 99},          /* and one that only the commit finds */
        {.statement = &add_item, .id = 5, .name = "fi\xff"}, /* no UTF-8 */
        {.statement = &add_item, .id = 6, .name = "six"},
    };
    static const int expected[] = {0, BP_DB_UNIQUE, BP_DB_CHECK, 0, BP_DB_UNIQUE, 0, BP_DB_FOREIGN, BP_ERROR, 0};
    run_writes(writes, sizeof(writes) / sizeof(writes[0]));
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
        cr_assert_eq(writes[i].status, expected[i], "%zu: %d\n%s", i, writes[i].status, fixture_log());
    cr_assert_eq(fixture_integer("SELECT sum(id) FROM item"), 11);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM part"), 1);
    cr_assert(fixture_logged("\"event\":\"postgres.statement_failed\""));
    cr_assert(fixture_logged("22021"));
    /* Alone, the same. */
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
        if (expected[i] != 0) {
            fixture_run(run_write, &writes[i]);
            cr_assert_eq(writes[i].status, expected[i], "%zu alone", i);
        }
}

static void cancel_soon(struct bp_fiber *fiber, const bool *done)
{
    fixture_turn();
    cr_assert_not(*done);
    fiber_cancel(fiber, BP_CANCELED);
}

static int64_t sleeping(void)
{
    return fixture_integer("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND state = "
                           "'active' AND usename = 'backplane' AND datname = current_database()");
}

Test(batches, what_waits_is_taken_back_and_what_runs_is_dropped)
{
    struct write running = {.statement = &slow_write}, waiting = {.statement = &add_item, .id = 1, .name = "never"};
    struct write reading[2] = {{.statement = &slow_read}, {.statement = &slow_read}};
    struct bp_fiber *fiber;
    struct read read = {.id = 1};
    fixture_begin(run_write, &running, BP_FOREVER, NULL);
    fixture_until(sleeping() == 1);
    fiber = fixture_begin(run_write, &waiting, BP_FOREVER, NULL);
    cancel_soon(fiber, &waiting.done);
    fixture_until(waiting.done);
    cr_assert_eq(waiting.status, BP_CANCELED);
    cr_assert_not(running.done);
    /* Both readers are at work; who gives up a read has his fiber back at once, the answer is nobody's. */
    for (int i = 0; i < 2; i++) {
        fiber = fixture_begin(run_write, &reading[i], BP_FOREVER, NULL);
        fixture_until(sleeping() == 2 + i);
        fiber_cancel(fiber, i == 0 ? BP_CANCELED : BP_TIMEOUT);
        fixture_until(reading[i].done);
        cr_assert_eq(reading[i].status, i == 0 ? BP_CANCELED : BP_TIMEOUT);
    }
    fixture_execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
                    "usename = 'backplane'");
    fixture_wait();
    cr_assert_eq(running.status, BP_TIMEOUT, "as a statement_timeout says it");
    fixture_run(run_read, &read);
    cr_assert_eq(read.status, 0);
    cr_assert_eq(read.len, 0, "it never ran");
}

static void kill_backends(void)
{
    fixture_execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
                    "usename = 'backplane'");
}

Test(batches, a_write_that_is_sent_is_waited_for)
{
    struct write running = {.statement = &slow_write};
    struct bp_fiber *fiber = fixture_begin(run_write, &running, BP_FOREVER, NULL);
    fixture_until(sleeping() == 1);
    fiber_cancel(fiber, BP_CANCELED);
    for (int i = 0; i < 3; i++)
        fixture_turn();
    cr_assert_not(running.done);
    /* Killed, with a reason: nothing was done, so it is run again; killed again, it is given up. */
    kill_backends();
    fixture_until(running.done || sleeping() == 1);
    cr_assert_eq(running.status, running.done ? BP_CANCELED : 0);
    kill_backends();
    fixture_wait();
    cr_assert(running.status == BP_CANCELED || running.status == BP_BUSY, "%d", running.status);
}

/* Again and again, while fibers read and write: everybody gets his own answer or a clean refusal, and what was confirmed is there. */
Test(batches, connections_die_under_load, .timeout = 60)
{
    static struct write writes[FIBERS];
    static struct read reads[FIBERS];
    static char names[FIBERS][32];
    int64_t id = 0, confirmed = 0;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < FIBERS; i++, id++) {
            snprintf(names[i], sizeof(names[i]), "item %lld", (long long)id);
            writes[i] =
                (struct write){.statement = i % 2 ? &add_item : &set_item, .id = id, .name = names[i], .status = 99};
            reads[i] = (struct read){.id = i, .status = 99};
            fixture_begin(run_write, &writes[i], BP_FOREVER, NULL);
            fixture_begin(run_read, &reads[i], BP_FOREVER, NULL);
        }
        if (round % 2)
            fixture_turn();
        kill_backends();
        fixture_wait();
        for (int i = 0; i < FIBERS; i++) {
            cr_assert(writes[i].status == 0 || writes[i].status == BP_UNKNOWN || writes[i].status == BP_BUSY, "%d",
                      writes[i].status);
            cr_assert(reads[i].status == 0 || reads[i].status == BP_BUSY, "%d", reads[i].status);
            confirmed += writes[i].status == 0;
            if (writes[i].status == BP_BUSY || writes[i].status == 0) {
                char sql[80];
                snprintf(sql, sizeof(sql), "SELECT count(*) FROM item WHERE id = %lld", (long long)writes[i].id);
                cr_assert_eq(fixture_integer(sql), writes[i].status == 0, "%d", writes[i].status);
            }
        }
    }
    cr_assert_geq(fixture_integer("SELECT count(*) FROM item"), confirmed);
    cr_assert_gt(confirmed, 0);
}

Test(batches, a_write_that_may_not_share)
{
    struct write writes[] = {{.statement = &alone, .id = 1, .name = "one"},
                             {.statement = &alone, .id = 2, .name = "one"},
                             {.statement = &alone, .id = 3, .name = "three"}};
    run_writes(writes, 3);
    cr_assert_eq(writes[0].status + writes[1].status, BP_DB_UNIQUE, "one of them");
    cr_assert_eq(writes[2].status, 0);
    cr_assert_eq(fixture_integer("SELECT count(DISTINCT xmin::text) FROM item"), 2, "each its own transaction");
}

Test(batches, the_queue_is_bounded)
{
    struct write running = {.statement = &slow_write}, more[3];
    fixture.database->queue = 2;
    fixture_begin(run_write, &running, BP_FOREVER, NULL);
    fixture_until(sleeping() == 1);
    for (int i = 0; i < 3; i++) {
        more[i] = (struct write){.statement = &add_item, .id = i, .name = "abc"};
        fixture_begin(run_write, &more[i], BP_FOREVER, NULL);
    }
    cr_assert(more[2].done);
    cr_assert_eq(more[2].status, BP_BUSY);
    /* And patience, too. */
    fixture_until(more[0].done && more[1].done);
    cr_assert_eq(more[0].status, BP_BUSY);
    cr_assert_not(running.done);
    kill_backends();
    fixture_until(running.done || sleeping() == 1);
    kill_backends();
    fixture_wait();
}

Test(batches, tables_are_altered)
{
    struct read read = {.id = 1};
    struct write write = {.statement = &add_item, .id = 1, .name = "one"};
    static const struct bp_statement all =
        BP_STATEMENT(.name = "item.all", .flags = BP_SQL_READ, .sql = "SELECT * FROM item WHERE id = 1 OR id < 0");
    fixture_run(run_write, &write);
    for (int i = 0; i < 6; i++) { /* on both readers */
        fixture_run(run_read, &read);
        cr_assert_eq(fixture_query(&all, NULL, 0), 0);
    }
    fixture_execute("ALTER TABLE item ADD COLUMN more text; ALTER TABLE item ALTER COLUMN n TYPE integer");
    for (int i = 0; i < 6; i++) {
        fixture_run(run_read, &read);
        cr_assert_eq(read.status, 0);
        cr_assert_eq(fixture_query(&all, NULL, 0), 0, "cached plan must not change result type");
    }
    fixture_execute("DISCARD ALL");
    write = (struct write){.statement = &add_item, .id = 2, .name = "two"};
    fixture_run(run_write, &write);
    cr_assert_eq(write.status, 0);
    cr_assert_not(fixture_logged("statement_failed"));
}
