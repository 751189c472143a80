/* SPDX-License-Identifier: MIT */
/* Transactions of several statements, and the pool they take their connections from. */
#include <criterion/criterion.h>

#include "fixture.h"

static void setup(void)
{
    fixture_new();
    fixture_execute("CREATE TABLE account (id bigint PRIMARY KEY, balance bigint CHECK (balance >= 0));"
                    "CREATE TABLE later (id bigint PRIMARY KEY, account bigint"
                    " REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED);"
                    "INSERT INTO account VALUES (1, 100), (2, 0);"
                    "GRANT ALL ON account, later TO backplane");
    fixture.database->pool = 2;
    fixture.database->transaction_deadline = 20 * BP_SECOND;
    fixture.database->pool_timeout = 300 * BP_MILLISECOND;
    fixture.database->lock_timeout = fixture.database->statement_timeout = 20 * BP_SECOND;
    cr_assert_eq(fixture_start(), 0);
}

TestSuite(transactions, .init = setup, .fini = fixture_close);

struct balance {
    int64_t balance;
};
static const struct bp_field balance_rows[] = {BP_I64(struct balance, balance), BP_END};
static const struct bp_statement add = BP_STATEMENT(.name = "account.add", .flags = BP_SQL_BATCHABLE,
                                                    .sql = "UPDATE account SET balance = balance + $2 WHERE id = $1");
static const struct bp_statement read_balance =
    BP_STATEMENT(.name = "account.read", .flags = BP_SQL_READ, .sql = "SELECT balance FROM account WHERE id = $1",
                 .rows = balance_rows, .row_size = sizeof(struct balance));
static const struct bp_statement add_later =
    BP_STATEMENT(.name = "later.add", .sql = "INSERT INTO later VALUES (1, $1)");
static const struct bp_statement endless =
    BP_STATEMENT(.name = "endless", .flags = BP_SQL_READ, .sql = "SELECT pg_sleep(60)");

static int add_to(struct bp_tx *tx, int64_t id, int64_t amount)
{
    return bp_db_query(fixture.service, tx, &add, BP_VALUES(bp_db_i64(id), bp_db_i64(amount)), NULL, NULL);
}

static int64_t balance_of(struct bp_tx *tx, int64_t id)
{
    struct bp_result result = {0};
    cr_assert_eq(bp_db_query(fixture.service, tx, &read_balance, BP_VALUES(bp_db_i64(id)), bp_fiber_arena(), &result),
                 0);
    cr_assert_eq(result.len, 1);
    return ((struct balance *)result.rows)->balance;
}

static void commit_and_rollback(void *argument)
{
    struct bp_tx *tx = NULL;
    (void)argument;
    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_assert_eq(add_to(tx, 1, -40), 0);
    cr_assert_eq(add_to(tx, 2, 40), 0);
    cr_assert_eq(balance_of(tx, 2), 40, "it sees its own writes");
    cr_assert_eq(balance_of(NULL, 2), 0, "nobody else does");
    cr_assert_eq(bp_db_commit(fixture.service, tx), 0);
    cr_assert_eq(balance_of(NULL, 2), 40);

    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_assert_eq(add_to(tx, 1, -60), 0);
    bp_db_rollback(fixture.service, tx);
    cr_assert_eq(balance_of(NULL, 1), 60);

    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_assert_eq(bp_db_commit(fixture.service, tx), 0, "an empty one");
}

Test(transactions, commit_and_rollback)
{
    fixture_run(commit_and_rollback, NULL);
    cr_assert_eq(fixture.database->pinned.used, 0);
}

static void failures(void *argument)
{
    struct bp_tx *tx = NULL;
    (void)argument;
    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_assert_eq(add_to(tx, 2, 7), 0);
    cr_assert_eq(add_to(tx, 1, -101), BP_DB_CHECK);
    cr_assert_eq(add_to(tx, 1, -1), BP_ERROR, "it is undone");
    cr_assert_eq(bp_db_commit(fixture.service, tx), BP_ERROR);
    cr_assert_eq(balance_of(NULL, 2), 0);
    cr_assert_eq(balance_of(NULL, 1), 100);

    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_assert_eq(bp_db_query(fixture.service, tx, &add_later, BP_VALUES(bp_db_i64(99)), NULL, NULL), 0);
    cr_assert_eq(bp_db_commit(fixture.service, tx), BP_DB_FOREIGN, "a deferred constraint");
    cr_assert_eq(fixture_integer("SELECT count(*) FROM later"), 0);
}

Test(transactions, a_failed_statement_undoes_all)
{
    fixture_run(failures, NULL);
}

static void forgets_to_end(void *argument)
{
    struct bp_tx *tx = NULL;
    (void)argument;
    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_assert_eq(add_to(tx, 1, -1), 0);
    /* Waits for the row that this very fiber has locked: only the deadline ends that. */
    cr_assert_eq(add_to(NULL, 1, 5), 0);
    cr_assert_eq(add_to(tx, 1, -1), BP_TIMEOUT);
    cr_assert_eq(bp_db_commit(fixture.service, tx), BP_TIMEOUT);
    cr_assert_eq(balance_of(NULL, 1), 105);

    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_assert_eq(add_to(tx, 1, -1), 0);
    cr_assert_eq(bp_db_query(fixture.service, tx, &endless, BP_NO_VALUES, NULL, NULL), BP_TIMEOUT);
    bp_db_rollback(fixture.service, tx);
    cr_assert_eq(balance_of(NULL, 1), 105);
}

Test(transactions, its_deadline)
{
    fixture.database->transaction_deadline = 300 * BP_MILLISECOND;
    fixture_run(forgets_to_end, NULL);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename "
                                 "= 'backplane' AND state <> 'idle'"),
                 0, "the server was asked to end it");
}

struct step {
    struct bp_tx *tx;
    int begin, query, commit;
    bool hold, release, done;
};

static void is_cancelled(void *argument)
{
    struct step *step = argument;
    step->begin = bp_db_begin(fixture.service, &step->tx);
    cr_assert_eq(add_to(step->tx, 1, -1), 0);
    step->query = bp_db_query(fixture.service, step->tx, &endless, BP_NO_VALUES, NULL, NULL);
    step->commit = bp_db_commit(fixture.service, step->tx);
    step->done = true;
}

static int64_t active(void)
{
    return fixture_integer("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = "
                           "'active' AND datname = current_database()");
}

Test(transactions, cancelled_in_a_statement)
{
    struct step step = {.begin = 1};
    struct bp_fiber *fiber = fixture_begin(is_cancelled, &step, BP_FOREVER, NULL);
    fixture_until(active() == 1);
    fiber_cancel(fiber, BP_CANCELED);
    fixture_wait();
    cr_assert_eq(step.query, BP_CANCELED);
    cr_assert_eq(step.commit, BP_CANCELED);
    cr_assert_eq(active(), 0);
    cr_assert_eq(fixture_integer("SELECT balance FROM account WHERE id = 1"), 100);
}

static void commit_cancelled(void *argument)
{
    struct bp_tx *tx = NULL;
    int *status = argument;
    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_assert_eq(add_to(tx, 1, -1), 0);
    fiber_cancel(fiber_current(), BP_CANCELED);
    *status = bp_db_commit(fixture.service, tx);
}

Test(transactions, a_commit_is_never_cancelled)
{
    int status = 1;
    fixture_run(commit_cancelled, &status);
    cr_assert_eq(status, 0);
    cr_assert_eq(fixture_integer("SELECT balance FROM account WHERE id = 1"), 99);
}

static void holds(void *argument)
{
    struct step *step = argument;
    step->begin = bp_db_begin(fixture.service, &step->tx);
    if (step->begin == 0) {
        step->query = add_to(step->tx, 2, 1);
        step->hold = true;
        while (!step->release)
            bp_sleep(BP_MILLISECOND);
        step->commit = bp_db_commit(fixture.service, step->tx);
    }
    step->done = true;
}

/* What the metrics say of the pool of two. */
static void expect_pool(int idle, int used, int waiting, int timeouts, int waited)
{
#define POOL "{db_client_connection_pool_name=\"main\"}"
#define POOL_STATE "db_client_connection_count{db_client_connection_pool_name=\"main\",db_client_connection_state="
    const struct {
        const char *name;
        int value;
    } expected[] = {{POOL_STATE "\"idle\"}", idle},
                    {POOL_STATE "\"used\"}", used},
                    {"db_client_connection_max" POOL, 2},
                    {"db_client_connection_pending_requests" POOL, waiting},
                    {"db_client_connection_timeouts_total" POOL, timeouts},
                    {"db_client_connection_wait_time_seconds_count" POOL, waited}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        char line[200];
        snprintf(line, sizeof(line), "\n%s %d\n", expected[i].name, expected[i].value);
        cr_expect(strstr(fixture_metrics(), line), "no %s", line);
    }
}

Test(transactions, the_pool_is_bounded)
{
    struct step steps[4] = {0};
    struct bp_fiber *fiber;
    fixture_begin(holds, &steps[0], BP_FOREVER, NULL);
    fixture_until(steps[0].hold);
    /* It has a connection and waits for the row. */
    fixture_begin(holds, &steps[1], BP_FOREVER, NULL);
    fixture_until(fixture_integer("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                                  "wait_event_type = 'Lock'") == 1);
    cr_assert_eq(fixture.database->pinned.used, 2);
    fixture_begin(holds, &steps[2], BP_FOREVER, NULL);
    fiber = fixture_begin(holds, &steps[3], BP_FOREVER, NULL);
    cr_assert_eq(fixture.database->pinned.waiting, 2);
    expect_pool(0, 2, 2, 0, 0);
    fiber_cancel(fiber, BP_CANCELED);
    fixture_until(steps[3].done);
    cr_assert_eq(steps[3].begin, BP_CANCELED);
    fixture_until(steps[2].done);
    cr_assert_eq(steps[2].begin, BP_BUSY, "in vain for as long as pool_timeout");
    cr_assert_eq(fixture.database->pinned.waiting, 0);
    expect_pool(0, 2, 0, 1, 2);
    /* One that comes free goes to who waits. */
    fixture.database->pool_timeout = 20 * BP_SECOND;
    steps[2] = (struct step){0};
    fixture_begin(holds, &steps[2], BP_FOREVER, NULL);
    steps[0].release = true;
    /* Whichever gets the row first. */
    fixture_until(steps[1].hold || steps[2].hold);
    steps[1].release = steps[2].release = true;
    fixture_wait();
    for (int i = 0; i < 3; i++)
        cr_assert(steps[i].begin == 0 && steps[i].query == 0 && steps[i].commit == 0, "%d: %d %d %d\n%s", i,
                  steps[i].begin, steps[i].query, steps[i].commit, fixture_log());
    cr_assert_eq(fixture_integer("SELECT balance FROM account WHERE id = 2"), 3);
    expect_pool(2, 0, 0, 1, 3);
}

static void kill_backends(void)
{
    fixture_execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
                    "usename = 'backplane'");
}

/* The other connections were killed, too: until they are back there is no transaction. */
static struct bp_tx *begin_when_back(void)
{
    struct bp_tx *tx = NULL;
    bp_time end = bp_clock() + 5 * BP_SECOND;
    int status;
    while ((status = bp_db_begin(fixture.service, &tx)) == BP_BUSY && bp_clock() < end)
        cr_assert_eq(bp_sleep(5 * BP_MILLISECOND), 0);
    cr_assert_eq(status, 0);
    return tx;
}

static void is_killed(void *argument)
{
    struct bp_tx *tx = NULL;
    (void)argument;
    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_assert_eq(add_to(tx, 1, -1), 0);
    kill_backends();
    cr_assert_eq(add_to(tx, 1, -1), BP_BUSY);
    cr_assert_eq(bp_db_commit(fixture.service, tx), BP_BUSY);
    /* The next one gets a new connection. */
    tx = begin_when_back();
    cr_assert_eq(add_to(tx, 1, -2), 0);
    cr_assert_eq(bp_db_commit(fixture.service, tx), 0);
    /* Between the last statement and the commit: nobody can know. */
    tx = begin_when_back();
    cr_assert_eq(add_to(tx, 1, -4), 0);
    kill_backends();
    int status = bp_db_commit(fixture.service, tx);
    cr_assert(status == BP_UNKNOWN || status == BP_BUSY, "%d", status);
}

Test(transactions, its_connection_is_killed)
{
    fixture_run(is_killed, NULL);
    cr_assert_eq(fixture_integer("SELECT balance FROM account WHERE id = 1"), 98);
    cr_assert_eq(fixture.database->pinned.used, 0);
}

static void transfer(void *argument)
{
    int *done = argument;
    struct bp_tx *tx = NULL;
    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_assert_eq(add_to(tx, 1, -1), 0);
    cr_assert_eq(add_to(tx, 2, 1), 0);
    cr_assert_eq(bp_db_commit(fixture.service, tx), 0);
    (*done)++;
}

static void single(void *argument)
{
    int *done = argument;
    cr_assert_eq(add_to(NULL, 1, 0), 0);
    (*done)++;
}

Test(transactions, many_fibers_take_turns)
{
    int done = 0;
    fixture.database->pool_timeout = 20 * BP_SECOND;
    for (int i = 0; i < 30; i++) {
        fixture_begin(transfer, &done, BP_FOREVER, NULL);
        fixture_begin(single, &done, BP_FOREVER, NULL);
    }
    fixture_wait();
    cr_assert_eq(done, 60);
    cr_assert_eq(fixture_integer("SELECT balance FROM account WHERE id = 2"), 30);
}
