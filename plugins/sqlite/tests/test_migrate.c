/* SPDX-License-Identifier: MIT */
/* Schema steps: applied once, checked for ever. */
#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "fixture.h"

static void setup(void)
{
    fixture_new();
}

TestSuite(migrate, .init = setup, .fini = fixture_close);

#define ONE BP_MIGRATION(.version = 1, .name = "create_a", .up = "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;")
#define TWO                                                                                       \
    BP_MIGRATION(.version = 2, .name = "create_b",                                                \
                 .up = "CREATE TABLE b (a INTEGER REFERENCES a (id)); INSERT INTO a VALUES (1); " \
                       "INSERT INTO b VALUES (1); -- the end\n")
static const struct bp_migration first[] = {ONE, BP_MIGRATION_END};
static const struct bp_migration both[] = {ONE, TWO, BP_MIGRATION_END};

Test(migrate, applies_what_is_missing)
{
    unsigned applied = 99;
    cr_assert_eq(fixture_migrate("todos", first, &applied), 0);
    cr_assert_eq(applied, 1);
    cr_assert_eq(fixture_migrate("todos", both, &applied), 0);
    cr_assert_eq(applied, 1);
    cr_assert_eq(fixture_migrate("todos", both, &applied), 0);
    cr_assert_eq(applied, 0);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM b"), 1);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM backplane_migrations WHERE owner = 'todos'"
                                 " AND length(checksum) = 64 AND applied_at > 1500000000000"),
                 2);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 1);
    cr_assert_eq(fixture_start_instance(), 0);
}

static const struct bp_migration of_other[] = {
    BP_MIGRATION(.version = 1, .name = "create_c", .up = "CREATE TABLE c (id)"), BP_MIGRATION_END};

Test(migrate, owners_are_apart)
{
    unsigned applied = 0;
    cr_assert_eq(fixture_migrate("todos", both, &applied), 0);
    cr_assert_eq(fixture_migrate("auth", of_other, &applied), 0);
    cr_assert_eq(applied, 1);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM backplane_migrations"), 3);
}

static const struct {
    struct bp_migration migrations[3];
    const char *reason;
} refusals[] = {
    {{ONE, BP_MIGRATION(.version = 2, .name = "create_b", .up = "CREATE TABLE b (a INTEGER REFERENCES a (id))"),
      BP_MIGRATION_END},
     "migration 2 (create_b) of todos was changed after it had been applied"},
    {{ONE, BP_MIGRATION(.version = 2, .name = "create_x", .up = "CREATE TABLE x (a)"), BP_MIGRATION_END},
     "migration 2 of todos was applied as \\\"create_b\\\", but is \\\"create_x\\\" here"},
    {{ONE, BP_MIGRATION_END},
     "the database has migration 2 (create_b) of todos, but this version of the program knows only 1: a newer one has "
     "used it"},
};

Test(migrate, a_history_that_differs_is_refused)
{
    unsigned applied = 99;
    cr_assert_eq(fixture_migrate("todos", both, &applied), 0);
    applied = 99;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        cr_assert_eq(fixture_migrate("todos", refusals[i].migrations, &applied), BP_ERROR);
        cr_assert(fixture_logged(refusals[i].reason), "%s: %s", refusals[i].reason, fixture_log());
    }
    cr_assert_eq(applied, 99);
    cr_assert_eq(fixture_exec("DELETE FROM backplane_migrations WHERE version = 1"), SQLITE_OK);
    cr_assert_eq(fixture_migrate("todos", both, &applied), BP_ERROR);
    cr_assert(fixture_logged("the database lacks migration 1 of todos, but has later ones"));
}

static const struct {
    const char *up, *reason;
} bad[] = {
    {"CREATE TABLE c (id); CREATE TABEL d (id)",
     "migration 2 (bad) of todos failed and was undone: near \\\"TABEL\\\": syntax error"},
    {"CREATE TABLE c (id); INSERT INTO a VALUES (NULL), (NULL), ('x')",
     "migration 2 (bad) of todos failed and was undone: datatype mismatch"},
    {"CREATE TABLE c (id); CREATE TABLE d (a INTEGER REFERENCES a (id)); INSERT INTO d VALUES (77)",
     "migration 2 (bad) of todos failed and was undone: a row of d refers to no row of a"},
    {"CREATE TABLE c (id); CREATE TABLE d (a INTEGER REFERENCES A (id)); DROP TABLE a",
     "migration 2 (bad) of todos failed and was undone: d refers to A, which is not there"},
};

Test(migrate, a_step_that_fails_leaves_nothing)
{
    unsigned applied = 99;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct bp_migration migrations[] = {ONE, BP_MIGRATION(.version = 2, .name = "bad", .up = bad[i].up),
                                                  BP_MIGRATION_END};
        cr_assert_eq(fixture_migrate("todos", migrations, &applied), BP_ERROR);
        cr_assert(fixture_logged(bad[i].reason), "%s: %s", bad[i].reason, fixture_log());
        cr_assert_eq(fixture_integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('c', 'd')"), 0);
        cr_assert_eq(fixture_integer("SELECT count(*) FROM backplane_migrations"), 1, "the first step stays");
    }
    cr_assert_eq(applied, 99);
}

static const char *const ends[] = {"CREATE TABLE c (id); COMMIT;", "CREATE TABLE c (id); COMMIT; CREATE TABLE d (id)",
                                   "CREATE TABLE c (id); END; BEGIN;", "CREATE TABLE c (id); ROLLBACK;",
                                   "ROLLBACK; BEGIN; CREATE TABLE c (id);"};

Test(migrate, a_step_may_not_end_its_transaction)
{
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        const struct bp_migration migrations[] = {ONE, BP_MIGRATION(.version = 2, .name = "bad", .up = ends[i]),
                                                  BP_MIGRATION_END};
        unsigned applied = 99;
        cr_assert_eq(fixture_migrate("todos", migrations, &applied), BP_ERROR);
        cr_assert(fixture_logged("migration 2 (bad) of todos failed and was undone: "
                                 "it must not end the transaction it runs in"),
                  "%s: %s", ends[i], fixture_log());
        cr_assert_eq(truncate(fixture_path("log"), 0), 0);
        cr_assert_eq(fixture_integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('c', 'd')"), 0, "%s", ends[i]);
        cr_assert_eq(fixture_integer("SELECT count(*) FROM backplane_migrations"), 1);
    }
}

Test(migrate, reading_makes_nothing)
{
    struct bp_db_migrator *migrator = NULL;
    struct bp_db_applied *applied = NULL;
    struct bp_arena *arena = arena_new();
    size_t count = 99;
    cr_assert_eq(database_migrate_open(fixture.database, true, &migrator), 0);
    cr_assert_eq(database_migrate_history(migrator, "todos", arena, &applied, &count), 0);
    cr_assert_eq(count, 0);
    database_migrate_close(migrator);
    cr_assert_neq(access(fixture_path("todo.db"), F_OK), 0, "no file is made");

    unsigned steps = 0;
    cr_assert_eq(fixture_migrate("todos", both, &steps), 0);
    cr_assert_eq(database_migrate_open(fixture.database, true, &migrator), 0);
    cr_assert_eq(database_migrate_history(migrator, "todos", arena, &applied, &count), 0);
    cr_assert_eq(count, 2);
    cr_assert_eq(applied[1].version, 2);
    cr_assert(bp_str_is(applied[1].name, "create_b"));
    cr_assert_eq(applied[1].checksum.len, 64);
    cr_assert_gt(applied[1].applied_at, INT64_C(1500000000000));
    cr_assert_eq(database_migrate_history(migrator, "auth", arena, &applied, &count), 0);
    cr_assert_eq(count, 0);
    database_migrate_close(migrator);
    arena_free(arena);
}

Test(migrate, one_at_a_time)
{
    struct bp_db_migrator *migrator = NULL;
    unsigned applied = 0;
    char go = 0;
    int status, pipe_ends[2];
    cr_assert_eq(pipe(pipe_ends), 0);
    pid_t child = fork(); /* first: it would inherit the lock */
    if (child == 0)
        _exit(read(pipe_ends[0], &go, 1) == 1 && fixture_migrate("todos", both, &applied) == 0 ? (int)applied : 99);
    cr_assert_eq(database_migrate_open(fixture.database, false, &migrator), 0);
    cr_assert_eq(write(pipe_ends[1], &go, 1), 1);
    while (!fixture_logged("migrate.waiting"))
        cr_assert_eq(waitpid(child, &status, WNOHANG), 0);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM backplane_migrations"), 0);
    database_migrate_close(migrator);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 2, "%s", fixture_log());
}

Test(migrate, several_processes_at_once)
{
    pid_t children[4];
    int status;
    unsigned total = 0;
    for (size_t i = 0; i < 4; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            unsigned applied = 0;
            _exit(fixture_migrate("todos", both, &applied) == 0 ? (int)applied : 99);
        }
    }
    for (size_t i = 0; i < 4; i++) {
        waitpid(children[i], &status, 0);
        cr_assert(WIFEXITED(status));
        cr_assert_leq(WEXITSTATUS(status), 2, "%s", fixture_log());
        total += (unsigned)WEXITSTATUS(status);
    }
    cr_assert_eq(total, 2);
}

Test(migrate, a_file_that_is_no_database)
{
    unsigned applied = 99;
    FILE *file = fopen(fixture_path("todo.db"), "we");
    for (int i = 0; i < 200; i++)
        fputs("This is no database. ", file);
    fclose(file);
    cr_assert_eq(fixture_migrate("todos", both, &applied), BP_ERROR);
    cr_assert(fixture_logged("is not an SQLite database, or it is damaged"));
}
