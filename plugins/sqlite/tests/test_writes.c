/* SPDX-License-Identifier: MIT */
/* Conditions, and writes that share a commit. */
#include <criterion/criterion.h>

#include "fixture.h"

static int commits;

static int count_commit(void *argument)
{
    (void)argument;
    __atomic_add_fetch(&commits, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static void setup(void)
{
    fixture_new();
    cr_assert_eq(
        fixture_exec("CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
                     " age INTEGER CHECK (age < 200)) STRICT;"
                     "CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id)) STRICT;"
                     "CREATE TABLE later (id INTEGER PRIMARY KEY, parent INTEGER"
                     " REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED) STRICT;"
                     "INSERT INTO parent VALUES (1, 'ann', 30)"),
        SQLITE_OK);
    cr_assert_eq(fixture_start_instance(), 0);
    sqlite3_commit_hook(fixture.database->writer->connection.db, count_commit, NULL);
}

TestSuite(writes, .init = setup, .fini = fixture_close);

#define WRITE(text) BP_STATEMENT(.name = "write", .flags = BP_SQL_BATCHABLE, .sql = text)

static const struct {
    struct bp_statement statement;
    int status;
} conditions[] = {
    {WRITE("INSERT INTO parent VALUES (2, 'bob', 40)"), 0},
    {WRITE("INSERT INTO parent VALUES (3, 'ann', 40)"), BP_DB_UNIQUE},
    {WRITE("INSERT INTO parent VALUES (1, 'cid', 40)"), BP_DB_UNIQUE},
    {WRITE("INSERT INTO parent VALUES (4, 'dan', 400)"), BP_DB_CHECK},
    {WRITE("INSERT INTO parent VALUES (5, NULL, 40)"), BP_DB_CHECK},
    {WRITE("INSERT INTO parent VALUES (6, 'eve', 'old')"), BP_DB_CHECK},
    {WRITE("INSERT INTO child VALUES (1, 1)"), 0},
    {WRITE("INSERT INTO child VALUES (2, 99)"), BP_DB_FOREIGN},
    {WRITE("DELETE FROM parent WHERE id = 1"), BP_DB_FOREIGN},
    {WRITE("INSERT INTO later VALUES (1, 99)"), BP_DB_FOREIGN},
    {WRITE("INSERT OR ROLLBACK INTO parent VALUES (7, 'ann', 1)"), BP_DB_UNIQUE},
    {WRITE("INSERT INTO nowhere VALUES (1)"), BP_ERROR},
    {WRITE("INSERT INTO parent VALUES (8, 'fay', 50)"), 0},
};
#define CONDITIONS (sizeof(conditions) / sizeof(conditions[0]))

static void check_content(void)
{
    cr_assert_eq(fixture_integer("SELECT count(*) FROM parent"), 3);
    cr_assert_eq(fixture_integer("SELECT sum(id) FROM parent"), 1 + 2 + 8);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM child"), 1);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM later"), 0);
}

Test(writes, conditions_one_by_one)
{
    for (size_t i = 0; i < CONDITIONS; i++)
        cr_assert_eq(fixture_query(&conditions[i].statement, BP_NO_VALUES), conditions[i].status, "%s",
                     conditions[i].statement.sql);
    cr_assert_eq(commits, 3);
    check_content();
}

struct write {
    const struct bp_statement *statement;
    struct bp_db_value value;
    bool has_value;
    int status;
    struct bp_result result;
};

static void run_write(void *argument)
{
    struct write *write = argument;
    write->status = bp_db_query(fixture.service, NULL, write->statement, &write->value, write->has_value,
                                bp_fiber_arena(), &write->result);
}

/* Holds the writers' lock until all of them are queued. */
static void run_together(struct write *writes, size_t count)
{
    bp_mutex_lock(fixture.database->writer->write_lock);
    for (size_t i = 0; i < count; i++)
        fixture_begin(run_write, &writes[i], BP_FOREVER, NULL);
    cr_assert_eq(fixture_waiting(fixture.database->writer, "write"), count);
    bp_mutex_unlock(fixture.database->writer->write_lock);
    fixture_wait();
}

Test(writes, each_of_a_group_has_its_own_condition)
{
    struct write writes[CONDITIONS] = {0};
    /* Without those two that spoil the commit or the transaction of all. */
    size_t count = 0, expected[CONDITIONS];
    for (size_t i = 0; i < CONDITIONS; i++) {
        if (strstr(conditions[i].statement.sql, "later") || strstr(conditions[i].statement.sql, "ROLLBACK"))
            continue;
        expected[count] = i;
        writes[count++].statement = &conditions[i].statement;
    }
    run_together(writes, count);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(writes[i].status, conditions[expected[i]].status, "%s", writes[i].statement->sql);
    cr_assert_eq(commits, 1);
    check_content();
}

Test(writes, one_that_spoils_the_commit_fails_alone)
{
    struct write writes[CONDITIONS] = {0};
    for (size_t i = 0; i < CONDITIONS; i++)
        writes[i].statement = &conditions[i].statement;
    run_together(writes, CONDITIONS);
    for (size_t i = 0; i < CONDITIONS; i++)
        cr_assert_eq(writes[i].status, conditions[i].status, "%s", writes[i].statement->sql);
    check_content();
}

struct returned {
    int64_t id;
    bp_str name;
};
static const struct bp_field returned_rows[] = {BP_I64(struct returned, id), BP_TEXT(struct returned, name), BP_END};
static const struct bp_statement returning =
    BP_STATEMENT(.name = "returning", .flags = BP_SQL_BATCHABLE,
                 .sql = "INSERT INTO parent (id, name) VALUES ($1, 'nr ' || $1) RETURNING id, name",
                 .rows = returned_rows, .row_size = sizeof(struct returned));

static struct write returned[300];

static void check_returned(void *argument)
{
    size_t i = (size_t)((struct write *)argument - returned);
    char name[32];
    run_write(argument);
    snprintf(name, sizeof(name), "nr %zu", 1000 + i);
    cr_assert_eq(returned[i].status, 0);
    cr_assert_eq(returned[i].result.changes, 1);
    cr_assert_eq(returned[i].result.len, 1);
    cr_assert_str_eq(((struct returned *)returned[i].result.rows)->name.ptr, name);
}

Test(writes, rows_of_a_large_group_are_told_apart)
{
    bp_mutex_lock(fixture.database->writer->write_lock);
    for (size_t i = 0; i < 300; i++) {
        returned[i] =
            (struct write){.statement = &returning, .value = bp_db_i64((int64_t)(1000 + i)), .has_value = true};
        fixture_begin(check_returned, &returned[i], BP_FOREVER, NULL);
    }
    bp_mutex_unlock(fixture.database->writer->write_lock);
    fixture_wait();
    cr_assert_eq(fixture_integer("SELECT count(*) FROM parent WHERE id >= 1000"), 300);
    cr_assert_eq(commits, 2, "256 at most share one");
}

Test(writes, what_is_not_batchable_is_alone)
{
    static const struct bp_statement alone = BP_STATEMENT(.name = "alone", .sql = "UPDATE parent SET age = age + 1");
    struct write writes[] = {{.statement = &conditions[0].statement},
                             {.statement = &alone},
                             {.statement = &alone},
                             {.statement = &conditions[12].statement}};
    run_together(writes, 4);
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(writes[i].status, 0);
    cr_assert_eq(writes[1].result.changes, 2);
    cr_assert_eq(commits, 4);
    cr_assert_eq(fixture_integer("SELECT age FROM parent WHERE id = 2"), 42);
    cr_assert_eq(fixture_integer("SELECT age FROM parent WHERE id = 8"), 50);
}

Test(writes, a_read_sees_what_was_acknowledged)
{
    static const struct bp_statement read =
        BP_STATEMENT(.name = "read", .flags = BP_SQL_READ, .sql = "SELECT id, name FROM parent WHERE id = $1",
                     .rows = returned_rows, .row_size = sizeof(struct returned));
    for (int64_t i = 0; i < 50; i++) {
        struct write write = {.statement = &returning, .value = bp_db_i64(5000 + i), .has_value = true};
        struct write after = {.statement = &read, .value = bp_db_i64(5000 + i), .has_value = true};
        fixture_run(run_write, &write);
        fixture_run(run_write, &after);
        cr_assert_eq(after.result.len, 1);
    }
}

Test(writes, a_full_queue_refuses)
{
    struct write writes[5] = {0};
    fixture.database->writer->limit = 3;
    bp_mutex_lock(fixture.database->writer->write_lock);
    for (size_t i = 0; i < 5; i++) {
        writes[i].statement = &conditions[6].statement;
        writes[i].status = 12345;
        fixture_begin(run_write, &writes[i], BP_FOREVER, NULL);
    }
    cr_assert_eq(writes[2].status, 12345, "it waits");
    cr_assert_eq(writes[3].status, BP_BUSY);
    cr_assert_eq(writes[4].status, BP_BUSY);
    bp_mutex_unlock(fixture.database->writer->write_lock);
    fixture_wait();
    cr_assert_eq(writes[0].status, 0);
    cr_assert_eq(writes[2].status, BP_DB_UNIQUE);
}

Test(writes, the_log_stays_bounded)
{
    static const struct bp_statement fill = BP_STATEMENT(
            .name = "fill",
            .sql = "INSERT INTO child SELECT value + (SELECT count(*) FROM child), 1 FROM (WITH RECURSIVE c(value) AS"
                   " (SELECT 1 UNION ALL SELECT value + 1 FROM c WHERE value < 20000) SELECT value FROM c)");
    for (int i = 0; i < 60; i++)
        cr_assert_eq(fixture_query(&fill, BP_NO_VALUES), 0);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM child"), 1200000);
    FILE *wal = fopen(fixture_path("todo.db-wal"), "re");
    cr_assert_not_null(wal);
    fseek(wal, 0, SEEK_END);
    cr_assert_lt(ftell(wal), 16L << 20, "%ld", ftell(wal));
    fclose(wal);
}
