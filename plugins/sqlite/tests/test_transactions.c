/* SPDX-License-Identifier: MIT */
/* Transactions of several statements. */
#include <criterion/criterion.h>

#include "core/worker/fiber.h"
#include "fixture.h"

static void setup(void)
{
    fixture_new();
    cr_assert_eq(
        fixture_exec("CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER CHECK (balance >= 0)) STRICT;"
                     "CREATE TABLE later (id INTEGER PRIMARY KEY, account INTEGER"
                     " REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED) STRICT;"
                     "INSERT INTO account VALUES (1, 100), (2, 0)"),
        SQLITE_OK);
    fixture.database->transaction_deadline = 300 * BP_MILLISECOND;
    cr_assert_eq(fixture_start_instance(), 0);
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
    BP_STATEMENT(.name = "endless", .flags = BP_SQL_READ,
                 .sql = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c");

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
    cr_assert_eq(add_to(NULL, 1, 1), 0, "the writer goes on");
    cr_assert_eq(fixture_integer("SELECT count(*) FROM later"), 0);
}

Test(transactions, a_failed_statement_undoes_all)
{
    fixture_run(failures, NULL);
}

static void forgets_to_end(void *argument)
{
    struct bp_tx *tx = NULL;
    bp_time begun = bp_clock();
    (void)argument;
    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_assert_eq(add_to(tx, 1, -1), 0);
    /* Queues behind the transaction that this very fiber holds open: only the deadline ends that. */
    cr_assert_eq(add_to(NULL, 2, 5), 0);
    cr_assert_geq(bp_clock() - begun, 300 * BP_MILLISECOND);
    cr_assert_eq(add_to(tx, 1, -1), BP_TIMEOUT);
    cr_assert_eq(bp_db_commit(fixture.service, tx), BP_TIMEOUT);
    cr_assert_eq(balance_of(NULL, 1), 100);
    cr_assert_eq(balance_of(NULL, 2), 5);
}

Test(transactions, deadline_between_statements)
{
    fixture_run(forgets_to_end, NULL);
}

static void takes_too_long(void *argument)
{
    struct bp_tx *tx = NULL;
    (void)argument;
    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_assert_eq(add_to(tx, 1, -1), 0);
    cr_assert_eq(bp_db_query(fixture.service, tx, &endless, BP_NO_VALUES, NULL, NULL), BP_TIMEOUT);
    cr_assert_eq(bp_db_commit(fixture.service, tx), BP_TIMEOUT);
    cr_assert_eq(balance_of(NULL, 1), 100);
}

Test(transactions, deadline_in_a_statement)
{
    fixture_run(takes_too_long, NULL);
}

struct step {
    struct bp_tx *tx;
    int begin, query, commit;
    bool updated, rollback;
};

static void is_cancelled(void *argument)
{
    struct step *step = argument;
    step->begin = bp_db_begin(fixture.service, &step->tx);
    cr_assert_eq(add_to(step->tx, 1, -1), 0);
    step->updated = true;
    step->query = bp_db_query(fixture.service, step->tx, &endless, BP_NO_VALUES, NULL, NULL);
    if (step->rollback)
        bp_db_rollback(fixture.service, step->tx);
    else
        step->commit = bp_db_commit(fixture.service, step->tx);
}

static bool is_running(void)
{
    struct lane *lane = fixture.database->writer;
    bool running;
    pthread_mutex_lock(&lane->mutex);
    running = lane->running != NULL;
    pthread_mutex_unlock(&lane->mutex);
    return running;
}

Test(transactions, cancelled_in_a_statement)
{
    fixture.database->writer->transaction_deadline = 20 * BP_SECOND;
    for (int i = 0; i < 2; i++) {
        struct step step = {.begin = 1, .query = 1, .commit = 1, .rollback = i == 1};
        struct bp_fiber *fiber = fixture_begin(is_cancelled, &step, BP_FOREVER, NULL);
        fixture_until(step.updated && is_running());
        fiber_cancel(fiber, BP_CANCELED);
        fixture_wait();
        cr_assert_eq(step.begin, 0);
        cr_assert_eq(step.query, BP_CANCELED);
        cr_assert_eq(step.commit, i == 1 ? 1 : BP_CANCELED);
        cr_assert_eq(fixture_integer("SELECT balance FROM account WHERE id = 1"), 100);
    }
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

static void transfer(void *argument)
{
    int *done = argument;
    struct bp_tx *tx = NULL;
    int64_t from, to;
    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    from = balance_of(tx, 1);
    to = balance_of(tx, 2);
    cr_assert_eq(from + to, 100);
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
    for (int i = 0; i < 50; i++) {
        fixture_begin(transfer, &done, BP_FOREVER, NULL);
        fixture_begin(single, &done, BP_FOREVER, NULL);
    }
    fixture_wait();
    cr_assert_eq(done, 100);
    cr_assert_eq(fixture_integer("SELECT balance FROM account WHERE id = 2"), 50);
}

/* Past the core's layer, to see what becomes of the provider's own transaction. */
static void left_open(void *argument)
{
    struct bp_db_tx **ret_tx = argument;
    void *self = fixture.service.self;
    cr_assert_eq(database_vtable.begin(self, ret_tx), 0);
    cr_assert_eq(database_vtable.query(self, *ret_tx, &add, BP_VALUES(bp_db_i64(1), bp_db_i64(-1)), NULL, NULL), 0);
}

Test(transactions, one_left_open_does_not_hold_up_the_stop)
{
    struct bp_db_tx *tx = NULL;
    fixture.database->writer->transaction_deadline = BP_HOUR;
    fixture_run(left_open, &tx);
    fixture_stop();
    cr_assert(tx->ended);
    free(tx);
    cr_assert_eq(fixture_integer("SELECT balance FROM account WHERE id = 1"), 100);
}

static void note(void *argument)
{
    ++*(int *)argument;
}

/* What follows a commit, once; and nothing follows what was undone. */
static void what_follows_a_commit(void *argument)
{
    struct bp_tx *tx = NULL, *part = NULL;
    int committed = 0, undone = 0, enlisted = 0, alone = 0;
    (void)argument;
    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_expect_eq(bp_db_after_commit(fixture.service, tx, note, &committed), 0);
    cr_expect_eq(bp_db_after_commit(fixture.service, tx, note, &committed), 0);
    cr_expect_eq(committed, 0);
    cr_assert_eq(bp_db_commit(fixture.service, tx), 0);
    cr_expect_eq(committed, 1);

    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_expect_eq(bp_db_after_commit(fixture.service, tx, note, &undone), 0);
    bp_db_rollback(fixture.service, tx);
    cr_expect_eq(undone, 0);

    /* A part of an enlisted one: with that. */
    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    bp_db_enlist(tx);
    cr_assert_eq(bp_db_begin(fixture.service, &part), 0);
    cr_expect_eq(bp_db_after_commit(fixture.service, part, note, &enlisted), 0);
    cr_expect_eq(bp_db_after_commit(fixture.service, NULL, note, &enlisted), 0);
    cr_assert_eq(bp_db_commit(fixture.service, part), 0);
    cr_expect_eq(enlisted, 0);
    bp_db_enlist(NULL);
    cr_assert_eq(bp_db_commit(fixture.service, tx), 0);
    cr_expect_eq(enlisted, 1);

    cr_expect_eq(bp_db_after_commit(fixture.service, NULL, note, &alone), 0);
    cr_expect_eq(alone, 1);
}

Test(transactions, what_follows_a_commit)
{
    fixture_run(what_follows_a_commit, NULL);
}
