/* SPDX-License-Identifier: MIT */
/* A server that is away, stalls, refuses, is behind; poolers, replicas, notifications. A cluster of its own where it is harmed. */
#include <criterion/criterion.h>
#include <unistd.h>

#include "fixture.h"
#include "tests/support/pgbouncer.h"

static struct test_postgres postgres;

static void setup(void)
{
    fixture_new();
    fixture.database->statement_timeout = 500 * BP_MILLISECOND;
    fixture.database->connect_timeout = 2 * BP_SECOND;
}

static void teardown(void)
{
    fixture_close();
    if (postgres.port)
        postgres_stop(&postgres);
}

TestSuite(trouble, .init = setup, .fini = teardown, .timeout = 60);

/* Instead of the shared cluster, one that may be harmed. */
static void own_cluster(void)
{
    char superuser[POSTGRES_URL_SIZE];
    postgres_start(&postgres, &(struct postgres_options){.durable = false});
    postgres_url(&postgres, NULL, "postgres", superuser);
    postgres_database(superuser, "trouble", NULL);
    postgres_url(&postgres, NULL, "trouble", fixture.admin);
    postgres_url(&postgres, "backplane", "trouble", fixture.url);
    fixture_use_url(fixture.url);
}

static void make_table(void)
{
    fixture_execute("CREATE TABLE item (id bigint PRIMARY KEY); GRANT ALL ON item TO backplane");
}

struct item {
    int64_t id;
};
static const struct bp_field item_rows[] = {BP_I64(struct item, id), BP_END};
static const struct bp_statement count_items =
    BP_STATEMENT(.name = "item.count", .flags = BP_SQL_READ, .sql = "SELECT count(*) FROM item", .rows = item_rows,
                 .row_size = sizeof(struct item));
static const struct bp_statement add_item =
    BP_STATEMENT(.name = "item.add", .flags = BP_SQL_BATCHABLE, .sql = "INSERT INTO item VALUES ($1)");

static int64_t serial;

static int count_all(void)
{
    return fixture_query(&count_items, NULL, 0);
}

static int add_one(void)
{
    serial++;
    return fixture_query(&add_item, BP_VALUES(bp_db_i64(serial)));
}

static char detail[BP_HEALTH_DETAIL];

static void check_health(void *argument)
{
    detail[0] = '\0';
    *(int *)argument = database_health.check(fixture.database, 300 * BP_MILLISECOND, detail);
}

static int health(void)
{
    int status = 1;
    fixture_run(check_health, &status);
    return status;
}

Test(trouble, not_there_at_first_and_back_later)
{
    own_cluster();
    make_table();
    postgres_halt(&postgres);
    cr_assert_eq(fixture_start(), 0, "start waits for nothing");
    cr_assert_eq(count_all(), BP_BUSY);
    cr_assert_eq(add_one(), BP_BUSY);
    cr_assert_eq(health(), BP_BUSY);
    cr_assert_str_eq(detail, "Connection refused");
    cr_assert_eq(fixture_logged("postgres.unreachable"), 2, "once for reads and for writes:\n%s", fixture_log());
    postgres_again(&postgres);
    bp_time back = bp_clock();
    fixture_until(count_all() == 0 && add_one() == 0);
    cr_assert_lt(bp_clock() - back, 5 * BP_SECOND);
    cr_assert_eq(health(), 0);
    postgres_kill(&postgres);
    fixture_until(count_all() == BP_BUSY && add_one() == BP_BUSY);
    cr_assert(fixture_logged("postgres.lost"));
    postgres_again(&postgres);
    back = bp_clock();
    fixture_until(count_all() == 0 && add_one() == 0);
    cr_assert_lt(bp_clock() - back, 5 * BP_SECOND);
    cr_assert(fixture_logged("postgres.back"));
}

Test(trouble, stalls)
{
    int write;
    own_cluster();
    make_table();
    cr_assert_eq(fixture_start(), 0);
    cr_assert_eq(count_all(), 0);
    cr_assert_eq(add_one(), 0);
    postgres_pause(&postgres);
    cr_assert_eq(count_all(), BP_BUSY, "within statement_timeout and 2 s");
    write = add_one();
    cr_assert(write == BP_UNKNOWN || write == BP_BUSY, "%d", write);
    cr_assert_lt(health(), 0);
    cr_assert(fixture_logged("the server did not answer in time"));
    postgres_resume(&postgres);
    bp_time back = bp_clock();
    fixture_until(count_all() == 0 && add_one() == 0);
    cr_assert_lt(bp_clock() - back, 5 * BP_SECOND);
}

Test(trouble, wrong_password)
{
    char url[POSTGRES_URL_SIZE];
    const char *cluster = getenv("TEST_POSTGRES_URL");
    postgres_url_with(cluster, "locked:Wrong-secret", "postgres", url);
    fixture_use_url(url);
    cr_assert_eq(fixture_start(), 0);
    cr_assert_eq(count_all(), BP_BUSY);
    cr_assert_eq(health(), BP_BUSY);
    cr_assert_str_eq(detail, "password authentication failed for user \"locked\"");
    cr_assert_not(fixture_logged("Wrong-secret"));
}

Test(trouble, right_password)
{
    char url[POSTGRES_URL_SIZE];
    static const struct bp_statement one = BP_STATEMENT(.name = "one", .flags = BP_SQL_READ, .sql = "SELECT 1");
    postgres_url_with(getenv("TEST_POSTGRES_URL"), "locked:" POSTGRES_PASSWORD_URL, "postgres", url);
    fixture_use_url(url);
    cr_assert_eq(fixture_start(), 0);
    cr_assert_eq(fixture_query(&one, NULL, 0), 0);
}

Test(trouble, names_that_cannot_be_resolved)
{
    fixture_use_url("postgres://backplane@nowhere.invalid/x");
    cr_assert_eq(fixture_start(), 0);
    cr_assert_eq(count_all(), BP_BUSY);
    fixture_until(health() == BP_BUSY && strstr(detail, "cannot be resolved"));
    cr_assert(strstr(detail, "the host name \"nowhere.invalid\" cannot be resolved: ") == detail, "%s", detail);
}

Test(trouble, read_only)
{
    make_table();
    cr_assert_eq(fixture_start(), 0);
    cr_assert_eq(add_one(), 0);
    fixture_execute("DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET "
                    "default_transaction_read_only = on'; END $$");
    fixture_execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
                    "usename = 'backplane'");
    fixture_until(add_one() == BP_BUSY && fixture_logged("postgres.read_only"));
    cr_assert_eq(add_one(), BP_BUSY);
    fixture_until(count_all() == 0);
    cr_assert_eq(fixture_logged("postgres.read_only"), 1, "%s", fixture_log());
    fixture_execute("SET transaction_read_only = off;"
                    "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' RESET "
                    "default_transaction_read_only'; END $$");
    fixture_until(add_one() == 0);
    cr_assert_eq(fixture_logged("postgres.writable"), 1);
}

Test(trouble, slow_statements)
{
    static const struct bp_statement slow =
        BP_STATEMENT(.name = "slow", .flags = BP_SQL_READ, .sql = "SELECT pg_sleep(10)");
    cr_assert_eq(fixture_start(), 0);
    cr_assert_eq(fixture_query(&slow, NULL, 0), BP_TIMEOUT);
    cr_assert(fixture_logged("57014"));
}

Test(trouble, the_schema_is_behind)
{
    make_table();
    schema_expect(fixture.database, "todos", 2);
    schema_expect(fixture.database, "auth", 1);
    cr_assert_eq(fixture_start(), 0);
    cr_assert_eq(count_all(), BP_BUSY);
    cr_assert_eq(health(), BP_HEALTH_UNFIT);
    cr_assert_str_eq(detail, "1 migration of auth and 2 migrations of todos are missing: run `backplane migrate up`");
    fixture_execute("CREATE TABLE backplane_migrations (owner text, version integer);"
                    "GRANT ALL ON backplane_migrations TO backplane;"
                    "INSERT INTO backplane_migrations VALUES ('auth', 1), ('todos', 1)");
    fixture_until(health() == BP_HEALTH_UNFIT &&
                  strcmp(detail, "1 migration of todos is missing: run `backplane migrate up`") == 0);
    cr_assert_eq(add_one(), BP_BUSY);
    cr_assert_eq(fixture_logged("postgres.schema_behind"), 2, "once for each state");
    fixture_execute("INSERT INTO backplane_migrations VALUES ('todos', 3)");
    fixture_until(count_all() == 0);
    cr_assert_eq(add_one(), 0);
    cr_assert_eq(health(), 0);
}

static void in_transaction(void *argument)
{
    struct bp_tx *tx = NULL;
    (void)argument;
    cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
    cr_assert_eq(bp_db_query(fixture.service, tx, &add_item, BP_VALUES(bp_db_i64(-1)), NULL, NULL), 0);
    cr_assert_eq(bp_db_query(fixture.service, tx, &add_item, BP_VALUES(bp_db_i64(-2)), NULL, NULL), 0);
    cr_assert_eq(bp_db_commit(fixture.service, tx), 0);
}

/* Declared or not, it is used rightly, and nothing of a session is left behind in it. */
Test(trouble, behind_a_pooler)
{
    static const struct bp_statement slow =
        BP_STATEMENT(.name = "slow", .flags = BP_SQL_READ, .sql = "SELECT pg_sleep(10)");
    char url[POSTGRES_URL_SIZE];
    const char *pooler = getenv("TEST_PGBOUNCER_URL");
    make_table();
    postgres_url_with(pooler, "backplane", strrchr(fixture.url, '/') + 1, url);
    fixture_use_url(url);
    cr_assert_eq(fixture_start(), 0);
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(count_all(), 0);
        cr_assert_eq(add_one(), 0);
    }
    fixture_run(in_transaction, NULL);
    cr_assert_eq(fixture_query(&slow, NULL, 0), BP_TIMEOUT, "statement_timeout holds here, too");
    cr_assert(fixture.database->pooler);
    cr_assert(fixture_logged("postgres.pooler_found"));
    cr_assert_eq(fixture_integer("SELECT count(*) FROM item"), 22);
}

Test(trouble, a_replica_answers_while_it_is_there)
{
    char other[64], url[POSTGRES_URL_SIZE];
    make_table();
    /* A copy that lags for ever. */
    snprintf(other, sizeof(other), "replica_%d", (int)getpid());
    postgres_database(getenv("TEST_POSTGRES_URL"), other, strrchr(fixture.url, '/') + 1);
    postgres_url_with(getenv("TEST_POSTGRES_URL"), "backplane", other, url);
    fixture.database->read_url = bp_str_of(url);
    cr_assert_eq(fixture_start(), 0);
    fixture_until(fixture.database->lanes[LANE_REPLICA].ready == 2);
    cr_assert_eq(add_one(), 0);
    cr_assert_eq(count_all(), 0);
    char sql[200];
    snprintf(sql, sizeof(sql), "ALTER DATABASE %s ALLOW_CONNECTIONS false", other);
    postgres_execute(getenv("TEST_POSTGRES_URL"), sql);
    snprintf(sql, sizeof(sql), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'", other);
    postgres_execute(getenv("TEST_POSTGRES_URL"), sql);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(count_all(), 0, "the primary answers");
    fixture_until(fixture.database->lanes[LANE_REPLICA].away);
    cr_assert_eq(count_all(), 0);
}

static struct heard {
    unsigned count, lost;
    char last[64];
} heard[2];

static void hear(void *argument, bp_str payload)
{
    struct heard *which = argument;
    cr_assert_null(fiber_current());
    if (!payload.ptr) {
        which->lost++;
        return;
    }
    which->count++;
    snprintf(which->last, sizeof(which->last), "%.*s", (int)payload.len, payload.ptr);
}

Test(trouble, notifications)
{
    cr_assert_eq(fixture_start(), 0);
    cr_assert_eq(bp_db_listen(fixture.service, "", hear, &heard[0]), BP_MISUSE);
    cr_assert_eq(bp_db_listen(fixture.service, "things", hear, &heard[0]), 0);
    cr_assert_eq(bp_db_listen(fixture.service, "Other \"things\"", hear, &heard[1]), 0);
    fixture_until((fixture_execute("NOTIFY things, 'one'"), heard[0].count > 0));
    fixture_until((fixture_execute("SELECT pg_notify('Other \"things\"', '')"), heard[1].count > 0));
    cr_assert_str_eq(heard[0].last, "one");
    cr_assert_str_eq(heard[1].last, "");
    cr_assert_eq(heard[0].lost, 0);
    fixture_execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = "
                    "current_database()");
    fixture_until(heard[0].lost == 1 && heard[1].lost == 1);
    heard[0].count = 0;
    fixture_execute("NOTIFY things, 'two'");
    fixture_until(heard[0].count == 1);
    cr_assert_str_eq(heard[0].last, "two");
    cr_assert(fixture_logged("postgres.listener_lost") && fixture_logged("postgres.listener_back"));
}
