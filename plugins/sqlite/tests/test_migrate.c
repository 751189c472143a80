/* SPDX-License-Identifier: MIT */
/* Schema steps: applied once, checked for ever. */
#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static void setup(void)
{
    fixture_new(NULL);
}

TestSuite(migrate, .init = setup, .fini = fixture_free);

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
    cr_assert_eq(database_migrate(fixture.database, "todos", first, &applied), 0);
    cr_assert_eq(applied, 1);
    cr_assert_eq(database_migrate(fixture.database, "todos", both, &applied), 0);
    cr_assert_eq(applied, 1);
    cr_assert_eq(database_migrate(fixture.database, "todos", both, &applied), 0);
    cr_assert_eq(applied, 0);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM b"), 1);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM backplane_migrations WHERE owner = 'todos'"
                                 " AND length(checksum) = 64 AND applied_at > 1500000000000"),
                 2);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 1);
    cr_assert_eq(fixture_start(), 0);
}

static const struct bp_migration of_other[] = {
    BP_MIGRATION(.version = 1, .name = "create_c", .up = "CREATE TABLE c (id)"), BP_MIGRATION_END};

Test(migrate, owners_are_apart)
{
    unsigned applied = 0;
    cr_assert_eq(database_migrate(fixture.database, "todos", both, &applied), 0);
    cr_assert_eq(database_migrate(fixture.database, "auth", of_other, &applied), 0);
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
    {{ONE, BP_MIGRATION(.version = 3, .name = "create_b", .up = "CREATE TABLE b (a)"), BP_MIGRATION_END},
     "migration 2 of todos has no text, or another number (3)"},
};

Test(migrate, a_history_that_differs_is_refused)
{
    unsigned applied = 99;
    cr_assert_eq(database_migrate(fixture.database, "todos", both, &applied), 0);
    applied = 99;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        cr_assert_eq(database_migrate(fixture.database, "todos", refusals[i].migrations, &applied), BP_ERROR);
        cr_assert(fixture_logged(refusals[i].reason), "%s: %s", refusals[i].reason, fixture_log());
    }
    cr_assert_eq(applied, 99);
    cr_assert_eq(fixture_exec("DELETE FROM backplane_migrations WHERE version = 1"), SQLITE_OK);
    cr_assert_eq(database_migrate(fixture.database, "todos", both, &applied), BP_ERROR);
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
};

Test(migrate, a_step_that_fails_leaves_nothing)
{
    unsigned applied = 99;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct bp_migration migrations[] = {ONE, BP_MIGRATION(.version = 2, .name = "bad", .up = bad[i].up),
                                                  BP_MIGRATION_END};
        cr_assert_eq(database_migrate(fixture.database, "todos", migrations, &applied), BP_ERROR);
        cr_assert(fixture_logged(bad[i].reason), "%s: %s", bad[i].reason, fixture_log());
        cr_assert_eq(fixture_integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('c', 'd')"), 0);
        cr_assert_eq(fixture_integer("SELECT count(*) FROM backplane_migrations"), 1, "the first step stays");
    }
    cr_assert_eq(applied, 99);
}

Test(migrate, a_step_may_not_commit)
{
    static const struct bp_migration migrations[] = {
        BP_MIGRATION(.version = 1, .name = "bad", .up = "CREATE TABLE c (id); COMMIT;"), BP_MIGRATION_END};
    unsigned applied = 99;
    cr_assert_eq(database_migrate(fixture.database, "todos", migrations, &applied), BP_ERROR);
    cr_assert(fixture_logged("it must not end the transaction it runs in"));
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
            _exit(database_migrate(fixture.database, "todos", both, &applied) == 0 ? (int)applied : 99);
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
    cr_assert_eq(database_migrate(fixture.database, "todos", both, &applied), BP_ERROR);
    cr_assert(fixture_logged("is not an SQLite database, or it is damaged"));
}
