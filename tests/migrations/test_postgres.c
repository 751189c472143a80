/* SPDX-License-Identifier: MIT */
/* What the core asks of Postgres to migrate it, on a real server. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backplane/status.h"
#include "core/base/arena.h"
#include "core/base/log.h"
#include "core/database/migrations.h"
#include "plugins/postgres/migrate.h"
#include "tests/support/pgbouncer.h"
#include "tests/support/postgres.h"

/* ---- a plugin with migrations, and an instance of the database ---- */

struct target {
    char url[POSTGRES_URL_SIZE];
    const char *schema;
    bp_span lock_timeout;
};

static struct test_postgres postgres;
static struct target target;
static char admin[POSTGRES_URL_SIZE], log_path[] = "/tmp/backplane-test-XXXXXX";
static struct assembly assembly;
static struct bp_host database = {
    .name = "main", .name_str = BP_STR_INIT("main"), .assembly = &assembly, .self = &target, .state = HOST_READY};

static int open_target(void *self, bool read_only, struct bp_db_migrator **ret_migrator)
{
    const struct target *to = self;
    const char *keywords[64], *values[64];
    size_t count = 0;
    PQconninfoOption *options = PQconninfoParse(to->url, NULL);
    for (const PQconninfoOption *option = options; option->keyword; option++)
        if (option->val) {
            keywords[count] = option->keyword;
            values[count++] = option->val;
        }
    keywords[count] = values[count] = NULL;
    int status = migrate_open(&(struct migrate_options){.host = &database,
                                                        .keywords = keywords,
                                                        .values = values,
                                                        .schema = to->schema,
                                                        .lock_timeout = to->lock_timeout},
                              read_only, ret_migrator);
    PQconninfoFree(options);
    return status;
}

static const struct bp_database_vtable vtable = {.size = sizeof(vtable),
                                                 .system = "postgresql",
                                                 .migrate_open = open_target,
                                                 .migrate_history = migrate_history,
                                                 .migrate_step = migrate_step,
                                                 .migrate_close = migrate_close};
static const struct bp_provide provides[] = {{sizeof(struct bp_provide), BP_DATABASE_VERSION, BP_DATABASE, &vtable},
                                             BP_PROVIDE_END};

static void set_up(void)
{
    int fd = mkstemp(log_path);
    cr_assert_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    cr_assert_eq(fcntl(STDERR_FILENO, F_SETFL, O_APPEND), 0);
    close(fd);
    log_setup(BP_LOG_INFO, LOG_JSON, "test");
    postgres_start(&postgres, &(struct postgres_options){.durable = false});
    postgres_url(&postgres, NULL, "postgres", admin);
    postgres_database(admin, "one", NULL);
    postgres_url(&postgres, "backplane", "one", target.url);
    target.lock_timeout = 5 * BP_SECOND;
    database.plugin.provides = provides;
}

static void tear_down(void)
{
    postgres_stop(&postgres);
    unlink(log_path);
}

TestSuite(postgres, .init = set_up, .fini = tear_down);

static const struct bp_need needs[] = {
    {.size = sizeof(struct bp_need), .version = BP_DATABASE_VERSION, .interface = BP_DATABASE}, BP_NEED_END};
static struct bp_host *providers[] = {&database};

/* What the core does to the steps of "todos"; steps, or a negative status. */
static int change(const struct bp_migration *migrations, bool forward)
{
    struct bp_host user = {.name = "todos",
                           .plugin = {.name = "todos", .migrations = migrations, .needs = needs},
                           .providers = providers,
                           .assembly = &assembly};
    struct bp_host *hosts[] = {&database, &user};
    const struct migration_target newest = {.owner = "todos", .steps = 1};
    struct buffer problems = {0};
    unsigned steps = 0;
    assembly.hosts = hosts;
    assembly.host_count = 2;
    int status =
        forward ? migrations_up(&assembly, false, &steps) : migrations_down(&assembly, &newest, &problems, &steps);
    buffer_deinit(&problems);
    return status < 0 ? status : (int)steps;
}

static const char *logged(void)
{
    static char text[1 << 15];
    int fd = open(log_path, O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, text, sizeof(text) - 1);
    text[len > 0 ? len : 0] = 0;
    close(fd);
    return text;
}

static void expect_logged(const char *text)
{
    cr_expect_not_null(strstr(logged(), text), "\"%s\" is not in %s", text, logged());
}

static void expect_answer(const char *sql, const char *expected)
{
    char *answer = postgres_ask(target.url, sql);
    cr_expect_str_eq(answer, expected, "%s: %s", sql, answer);
    free(answer);
}

#define ONE BP_MIGRATION(.version = 1, .name = "create_a", .up = "CREATE TABLE a (id integer PRIMARY KEY)")
#define TWO                                                                                                  \
    BP_MIGRATION(.version = 2, .name = "create_b", .up = "no SQL",                                           \
                 .up_postgres = "CREATE TABLE b (a integer REFERENCES a DEFERRABLE INITIALLY DEFERRED);\n"   \
                                "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); -- it's the \"end\"\n", \
                 .down = "no SQL", .down_postgres = "DROP TABLE b; DELETE FROM a;")
static const struct bp_migration both[] = {ONE, TWO, BP_MIGRATION_END};

Test(postgres, up_and_down)
{
    cr_assert_eq(change(both, true), 2, "%s", logged());
    cr_assert_eq(change(both, true), 0);
    expect_answer("SELECT count(*) FROM b", "1");
    expect_answer(
        "SELECT string_agg(owner || ' ' || version || ' ' || name || ' ' || length(checksum) || ' ' ||"
        " (abs(extract(epoch FROM now() - applied_at)) < 60), ', ' ORDER BY version) FROM backplane_migrations",
        "todos 1 create_a 64 true, todos 2 create_b 64 true");
    cr_assert_eq(change(both, false), 1, "%s", logged());
    expect_answer("SELECT to_regclass('b')", "");
    expect_answer("SELECT count(*) FROM backplane_migrations", "1");
    cr_assert_eq(change(both, true), 1);
    postgres_execute(target.url, "UPDATE backplane_migrations SET checksum = 'x' WHERE version = 2");
    cr_assert_eq(change(both, true), BP_ERROR);
    expect_logged("migration 2 (create_b) of todos was changed after it had been applied");
}

static const struct {
    const char *up, *reason;
} bad[] = {
    {"CREATE TABLE c (id integer);\nCREATE TABEL d ()", "line 2: syntax error at or near \\\"TABEL\\\""},
    {"CREATE TABLE c (id integer);\nSELECT '\xc3\xa4\xc3\xb6',\n  nowhere",
     "line 3: column \\\"nowhere\\\" does not exist"},
    {"CREATE TABLE c (id integer); INSERT INTO a VALUES (5), (5)",
     "duplicate key value violates unique constraint \\\"a_pkey\\\" (Key (id)=(5) already exists.)"},
    {"CREATE TABLE c (a integer REFERENCES a DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES (77)",
     "insert or update on table \\\"c\\\" violates foreign key constraint \\\"c_a_fkey\\\" (Key (a)=(77) is not "
     "present in table "
     "\\\"a\\\".)"},
    {"CREATE TABLE c (id integer); COMMIT;", "it must not end the transaction it runs in"},
    {"CREATE TABLE c (id integer); ROLLBACK; BEGIN; CREATE TABLE d (id integer)",
     "it must not end the transaction it runs in"},
    {"CREATE TABLE c (id integer); CREATE INDEX CONCURRENTLY i ON c (id)",
     "CREATE INDEX CONCURRENTLY cannot run inside a transaction block"},
};

Test(postgres, a_step_that_fails_leaves_nothing)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct bp_migration migrations[] = {ONE, BP_MIGRATION(.version = 2, .name = "bad", .up = bad[i].up),
                                                  BP_MIGRATION_END};
        char expected[400];
        cr_assert_eq(truncate(log_path, 0), 0);
        cr_assert_eq(change(migrations, true), BP_ERROR);
        snprintf(expected, sizeof(expected), "migration 2 (bad) of todos failed and was undone: %s", bad[i].reason);
        expect_logged(expected);
        expect_answer("SELECT coalesce(to_regclass('c'), to_regclass('d'))", "");
        expect_answer("SELECT count(*) FROM backplane_migrations", "1");
    }
}

/* A migration may set what it wants: the next one, and the record, are where they belong. */
Test(postgres, settings_of_a_step_end_with_it)
{
    static const struct bp_migration migrations[] = {
        BP_MIGRATION(.version = 1, .name = "one",
                     .up = "CREATE SCHEMA elsewhere; SELECT pg_catalog.set_config('search_path', '', false);"
                           "SET statement_timeout = 1; CREATE TABLE elsewhere.a (id integer)"),
        BP_MIGRATION(.version = 2, .name = "two", .up = "SELECT pg_sleep(0.05); CREATE TABLE b (id integer)"),
        BP_MIGRATION_END};
    postgres_execute(admin, "ALTER ROLE backplane SET statement_timeout = 20");
    cr_assert_eq(change(migrations, true), 2, "%s", logged());
    expect_answer("SELECT to_regclass('public.b')", "b");
    expect_answer("SELECT count(*) FROM public.backplane_migrations", "2");
}

Test(postgres, schemas_are_apart)
{
    postgres_execute(target.url, "CREATE SCHEMA \"My \"\"own\"\"\"");
    target.schema = "My \"own\"";
    cr_assert_eq(change(both, true), 2, "%s", logged());
    expect_answer("SELECT count(*) FROM \"My \"\"own\"\"\".b", "1");
    expect_answer("SELECT count(*) FROM \"My \"\"own\"\"\".backplane_migrations", "2");
    target.schema = NULL;
    cr_assert_eq(change(both, true), 2, "%s", logged());
    target.schema = "nowhere";
    cr_assert_eq(change(both, true), BP_ERROR);
    expect_logged("the database cannot be migrated: no schema of the search path exists, or may be used");
}

Test(postgres, reading_changes_nothing)
{
    struct bp_db_migrator *migrator = NULL;
    struct bp_db_applied *applied = NULL;
    struct bp_arena *arena = arena_new();
    size_t count = 99;
    cr_assert_eq(open_target(&target, true, &migrator), 0);
    cr_assert_eq(migrate_history(migrator, "todos", arena, &applied, &count), 0);
    cr_assert_eq(count, 0);
    migrate_close(migrator);
    expect_answer("SELECT to_regclass('backplane_migrations')", "");
    cr_assert_eq(change(both, true), 2);
    /* Not even somebody else's lock. */
    struct bp_db_migrator *writer = NULL;
    cr_assert_eq(open_target(&target, false, &writer), 0);
    cr_assert_eq(open_target(&target, true, &migrator), 0);
    cr_assert_eq(migrate_history(migrator, "todos", arena, &applied, &count), 0);
    cr_assert_eq(count, 2);
    cr_assert_eq(applied[1].version, 2);
    cr_assert(bp_str_is(applied[1].name, "create_b"));
    cr_assert_lt(llabs(applied[1].applied_at - bp_date_now()), 60000);
    migrate_close(migrator);
    migrate_close(writer);
    arena_free(arena);
}

Test(postgres, one_at_a_time)
{
    struct bp_db_migrator *migrator = NULL;
    int status;
    cr_assert_eq(open_target(&target, false, &migrator), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(change(both, true) == 2 ? 0 : 1);
    while (!strstr(logged(), "migrate.waiting"))
        cr_assert_eq(waitpid(child, &status, WNOHANG), 0, "%s", logged());
    expect_answer("SELECT count(*) FROM backplane_migrations", "0");
    migrate_close(migrator);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", logged());
}

Test(postgres, a_table_that_is_in_use)
{
    static const struct bp_migration more[] = {
        ONE, TWO, BP_MIGRATION(.version = 3, .name = "more", .up = "ALTER TABLE a ADD COLUMN more integer"),
        BP_MIGRATION_END};
    struct bp_db_migrator *reader = NULL;
    const char *why = NULL;
    const struct bp_db_applied hold = {.version = 1, .name = BP_STR_INIT("x"), .checksum = BP_STR_INIT("x")};
    cr_assert_eq(change(both, true), 2);
    target.lock_timeout = 50 * BP_MILLISECOND;
    pid_t child = fork();
    if (child == 0) { /* holds the table for as long as it is let live */
        cr_assert_eq(open_target(&target, true, &reader), 0);
        (void)migrate_step(reader, "x", &hold, true, "SELECT 1", &why);
        postgres_execute(target.url, "BEGIN; LOCK TABLE a IN ACCESS SHARE MODE; NOTIFY held; SELECT pg_sleep(60)");
        _exit(0);
    }
    char *held;
    while (strcmp(held = postgres_ask(target.url, "SELECT count(*) FROM pg_locks WHERE relation = 'a'::regclass"),
                  "0") == 0)
        free(held);
    free(held);
    cr_assert_eq(change(more, true), BP_ERROR);
    expect_logged("migration 3 (more) of todos failed and was undone: canceling statement due to lock timeout: another "
                  "session uses the table; try again when it is done");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    postgres_execute(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' "
                            "AND pid <> pg_backend_pid()");
    target.lock_timeout = 5 * BP_SECOND;
    cr_assert_eq(change(more, true), 1, "%s", logged());
}

Test(postgres, through_a_pooler)
{
    struct test_pgbouncer pgbouncer = {.pid = 0};
    char direct[POSTGRES_URL_SIZE];
    strcpy(direct, target.url);
    pgbouncer_start(&pgbouncer, &postgres, NULL);
    pgbouncer_url(&pgbouncer, "backplane", "one", target.url);
    struct bp_db_migrator *first = NULL;
    const char *why = NULL;
    const struct bp_db_applied record = {.version = 1, .name = BP_STR_INIT("x"), .checksum = BP_STR_INIT("x")};
    cr_assert_eq(open_target(&target, false, &first), 0, "%s", logged());
    /* Somebody else takes the session that the lock belongs to. */
    postgres_execute(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'backplane'");
    int status = migrate_step(first, "x", &record, true, "CREATE TABLE c (id integer)", &why);
    if (status == BP_BUSY) { /* the pooler told of the lost session first */
        expect_logged("the connection was lost during a migration: run it again");
    } else {
        cr_expect_eq(status, BP_ERROR);
        why = why ? why : "";
        cr_expect(strstr(why, "terminating connection") || strstr(why, "set DIRECT_URL"), "%s", why);
        status = migrate_step(first, "x", &record, true, "CREATE TABLE c (id integer)", &why);
        cr_expect(status == BP_BUSY || strstr(why, "set DIRECT_URL"), "%s", why);
    }
    migrate_close(first);
    strcpy(target.url, direct);
    expect_answer("SELECT to_regclass('c')", "");
    pgbouncer_stop(&pgbouncer);
}

Test(postgres, it_is_away)
{
    struct bp_db_migrator *migrator = NULL;
    const char *why = NULL;
    const struct bp_db_applied record = {.version = 1, .name = BP_STR_INIT("x"), .checksum = BP_STR_INIT("x")};
    cr_assert_eq(open_target(&target, false, &migrator), 0);
    cr_assert_eq(migrate_step(migrator, "x", &record, true, "SELECT pg_terminate_backend(pg_backend_pid())", &why),
                 BP_BUSY);
    expect_logged("the connection was lost during a migration: run it again: FATAL:  terminating connection due to "
                  "administrator command");
    migrate_close(migrator);
    postgres_url(&postgres, "nobody", "one", target.url);
    cr_assert_eq(change(both, true), BP_BUSY);
    expect_logged("the database cannot be reached: ");
    expect_logged("role \\\"nobody\\\" does not exist");
}
