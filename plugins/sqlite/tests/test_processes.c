/* SPDX-License-Identifier: MIT */
/* Several workers on one file, and workers that are killed. */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static void setup(void)
{
    fixture_new();
    cr_assert_eq(
        fixture_exec(
            "PRAGMA journal_mode = WAL; CREATE TABLE counter (n INTEGER) STRICT; INSERT INTO counter VALUES (0);"
            "CREATE TABLE entry (id INTEGER PRIMARY KEY) STRICT"),
        SQLITE_OK);
}

TestSuite(processes, .init = setup, .fini = fixture_close);

enum { FIBERS = 16, ROUNDS = 20 };

static const struct bp_statement increment =
    BP_STATEMENT(.name = "increment", .flags = BP_SQL_BATCHABLE, .sql = "UPDATE counter SET n = n + 1");
struct number {
    int64_t n;
};
static const struct bp_field number_rows[] = {BP_I64(struct number, n), BP_END};
static const struct bp_statement read_counter =
    BP_STATEMENT(.name = "read", .flags = BP_SQL_READ, .sql = "SELECT n FROM counter", .rows = number_rows,
                 .row_size = sizeof(struct number));
static const struct bp_statement set_counter = BP_STATEMENT(.name = "set", .sql = "UPDATE counter SET n = $1");
static const struct bp_statement insert =
    BP_STATEMENT(.name = "insert", .flags = BP_SQL_BATCHABLE, .sql = "INSERT INTO entry VALUES ($1)");

/* Half of them in one statement, half as read and write in a transaction. */
static void count_up(void *argument)
{
    int *failed = argument;
    for (int i = 0; i < ROUNDS; i++) {
        struct bp_tx *tx = NULL;
        struct bp_result result = {0};
        if (i % 2 == 0) {
            *failed |= bp_db_query(fixture.service, NULL, &increment, BP_NO_VALUES, NULL, NULL) != 0;
            continue;
        }
        if (bp_db_begin(fixture.service, &tx) != 0 ||
            bp_db_query(fixture.service, tx, &read_counter, BP_NO_VALUES, bp_fiber_arena(), &result) != 0 ||
            bp_db_query(fixture.service, tx, &set_counter, BP_VALUES(bp_db_i64(((struct number *)result.rows)->n + 1)),
                        NULL, NULL) != 0 ||
            bp_db_commit(fixture.service, tx) != 0)
            *failed = 1;
    }
}

static int child_counts(void)
{
    int failed = 0;
    fixture_child();
    if (fixture_start_instance() != 0)
        return 2;
    for (int i = 0; i < FIBERS; i++)
        fixture_begin(count_up, &failed, BP_FOREVER, NULL);
    fixture_wait();
    fixture_stop();
    return failed;
}

Test(processes, no_update_is_lost)
{
    pid_t children[3];
    int status;
    for (size_t i = 0; i < 3; i++) {
        children[i] = fork();
        cr_assert_geq(children[i], 0);
        if (children[i] == 0)
            _exit(child_counts());
    }
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
        cr_assert_eq(status, 0);
    }
    cr_assert_eq(fixture_integer("SELECT n FROM counter"), 3 * FIBERS * ROUNDS);
}

static int told[2];

static void hold(void *argument)
{
    struct bp_tx *tx = NULL;
    (void)argument;
    if (bp_db_begin(fixture.service, &tx) != 0 ||
        bp_db_query(fixture.service, tx, &increment, BP_NO_VALUES, NULL, NULL) != 0 || write(told[1], "x", 1) != 1)
        _exit(3);
    bp_sleep(BP_HOUR);
}

Test(processes, a_dead_owner_of_the_lock_holds_up_nobody)
{
    pid_t child;
    char byte;
    cr_assert_eq(pipe(told), 0);
    child = fork();
    if (child == 0) {
        fixture_child();
        fixture.database->transaction_deadline = BP_HOUR;
        if (fixture_start_instance() == 0)
            fixture_run(hold, NULL);
        _exit(2);
    }
    cr_assert_eq(read(told[0], &byte, 1), 1);
    cr_assert_eq(fixture_start_instance(), 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    cr_assert_eq(fixture_query(&increment, BP_NO_VALUES), 0);
    cr_assert_eq(fixture_integer("SELECT n FROM counter"), 1, "what it had not committed is undone");
}

static int64_t next_id;

static void insert_for_ever(void *argument)
{
    (void)argument;
    for (;;) {
        int64_t id = ++next_id;
        if (bp_db_query(fixture.service, NULL, &insert, BP_VALUES(bp_db_i64(id)), NULL, NULL) != 0 ||
            write(told[1], &id, sizeof(id)) != sizeof(id))
            _exit(3);
    }
}

Test(processes, a_kill_loses_nothing_acknowledged)
{
    static int64_t acknowledged[100000];
    size_t count = 0;
    int64_t id;
    pid_t child;
    cr_assert_eq(pipe(told), 0);
    child = fork();
    if (child == 0) {
        fixture_child();
        if (fixture_start_instance() != 0)
            _exit(2);
        for (int i = 0; i < 32; i++)
            fixture_begin(insert_for_ever, NULL, BP_FOREVER, NULL);
        fixture_wait();
        _exit(2);
    }
    close(told[1]);
    while (count < 1000 && read(told[0], &id, sizeof(id)) == sizeof(id))
        acknowledged[count++] = id;
    cr_assert_eq(count, 1000);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (count < 100000 && read(told[0], &id, sizeof(id)) == sizeof(id))
        acknowledged[count++] = id;
    cr_assert_eq(fixture_start_instance(), 0);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(fixture_query(&insert, BP_VALUES(bp_db_i64(acknowledged[i]))), BP_DB_UNIQUE, "%ld is lost",
                     (long)acknowledged[i]);
}
