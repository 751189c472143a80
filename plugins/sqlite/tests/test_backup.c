/* SPDX-License-Identifier: MIT */
/* Copies of a live database. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdatomic.h>
#include <unistd.h>

#include "fixture.h"

static void setup(void)
{
    fixture_new();
    cr_assert_eq(fixture_exec("PRAGMA journal_mode = WAL; CREATE TABLE pair (id INTEGER PRIMARY KEY, text TEXT);"
                              "CREATE TABLE twin (id INTEGER PRIMARY KEY, text TEXT);"),
                 SQLITE_OK);
}

TestSuite(backup, .init = setup, .fini = fixture_close);

static const struct bp_statement into_pair =
    BP_STATEMENT(.name = "pair", .sql = "INSERT INTO pair (text) VALUES (hex(zeroblob(500)))");
static const struct bp_statement into_twin =
    BP_STATEMENT(.name = "twin", .sql = "INSERT INTO twin (text) VALUES (hex(zeroblob(500)))");

static int64_t integer_of(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t value;
    cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW);
    value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

struct run {
    atomic_bool done;
    int status;
    int written;
};

static void *back_up(void *argument)
{
    struct run *run = argument;
    run->status = database_backup(fixture.database, fixture_path("copy.db"));
    atomic_store(&run->done, true);
    return NULL;
}

/* Both tables get a row in one transaction: a torn copy would have more of one. */
static void keep_writing(void *argument)
{
    struct run *run = argument;
    while (!atomic_load(&run->done)) {
        struct bp_tx *tx = NULL;
        cr_assert_eq(bp_db_begin(fixture.service, &tx), 0);
        cr_assert_eq(bp_db_query(fixture.service, tx, &into_pair, BP_NO_VALUES, NULL, NULL), 0);
        cr_assert_eq(bp_db_query(fixture.service, tx, &into_twin, BP_NO_VALUES, NULL, NULL), 0);
        cr_assert_eq(bp_db_commit(fixture.service, tx), 0);
        run->written++;
    }
}

Test(backup, while_writing)
{
    struct run run = {.status = 1};
    pthread_t thread;
    cr_assert_eq(
        fixture_exec("INSERT INTO pair SELECT n, hex(zeroblob(500)) FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL"
                     " SELECT n + 1 FROM c WHERE n < 5000) SELECT n FROM c); INSERT INTO twin SELECT * FROM pair"),
        SQLITE_OK);
    cr_assert_eq(fixture_start_instance(), 0);
    cr_assert_eq(pthread_create(&thread, NULL, back_up, &run), 0);
    fixture_run(keep_writing, &run);
    pthread_join(thread, NULL);
    cr_assert_eq(run.status, 0, "%s", fixture_log());
    cr_assert_gt(run.written, 0);
    const char *copy = fixture_path("copy.db");
    int64_t rows = integer_of(copy, "SELECT count(*) FROM pair");
    cr_assert_geq(rows, 5000);
    cr_assert_eq(integer_of(copy, "SELECT count(*) FROM twin"), rows);
    cr_assert_eq(integer_of(copy, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    cr_assert_eq(integer_of(copy, "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'delete'"), 1);
}

static unsigned files_in_folder(void)
{
    DIR *folder = opendir(fixture_folder);
    unsigned count = 0;
    cr_assert_not_null(folder);
    for (struct dirent *file; (file = readdir(folder));)
        count += strstr(file->d_name, "copy") != NULL;
    closedir(folder);
    return count;
}

Test(backup, refuses)
{
    cr_assert_eq(database_backup(fixture.database, fixture_path("copy.db")), 0);
    cr_assert_eq(files_in_folder(), 1, "nothing is left beside it");
    cr_assert_eq(database_backup(fixture.database, fixture_path("copy.db")), BP_ERROR);
    cr_assert(fixture_logged("copy.db could not be made: File exists"), "%s", fixture_log());
    cr_assert_eq(database_backup(fixture.database, fixture_path("none/copy2.db")), BP_ERROR);
    cr_assert(fixture_logged("copy2.db could not be made: No such file or directory"));
    cr_assert_eq(unlink(fixture_path("todo.db")), 0);
    cr_assert_eq(database_backup(fixture.database, fixture_path("copy3.db")), BP_ERROR);
    cr_assert(fixture_logged("/todo.db to back up: No such file or directory"), "%s", fixture_log());
    cr_assert_eq(files_in_folder(), 1);
}
