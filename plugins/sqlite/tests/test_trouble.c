/* SPDX-License-Identifier: MIT */
/* Files that cannot be used, at start and at run time. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static void setup(void)
{
    fixture_new();
    fixture.database->busy_timeout = 50 * BP_MILLISECOND;
}

TestSuite(trouble, .init = setup, .fini = fixture_close);

static void write_file(const char *name, const char *text, size_t size)
{
    FILE *file = fopen(fixture_path(name), "we");
    cr_assert_not_null(file);
    for (size_t i = 0; i < size; i += strlen(text))
        fputs(text, file);
    fclose(file);
}

static void check_refused(const char *reason)
{
    cr_assert_eq(fixture_start_instance(), BP_ERROR);
    cr_assert(fixture_logged("\"event\":\"plugin.start_failed\""), "%s", fixture_log());
    cr_assert(fixture_logged(reason), "%s: %s", reason, fixture_log());
}

Test(trouble, no_database)
{
    write_file("todo.db", "This is not a database. ", 8192);
    check_refused("/todo.db is not an SQLite database, or it is damaged (file is not a database)");
}

Test(trouble, damaged)
{
    cr_assert_eq(fixture_exec("PRAGMA page_size = 512; CREATE TABLE t (a)"), SQLITE_OK);
    int fd = open(fixture_path("todo.db"), O_RDWR | O_CLOEXEC);
    cr_assert_eq(pwrite(fd, "\xff\xff\xff\xff", 4, 100), 4);
    close(fd);
    check_refused("/todo.db is not an SQLite database, or it is damaged (database disk image is malformed)");
}

Test(trouble, no_regular_file)
{
    cr_assert_eq(mkdir(fixture_path("todo.db"), 0755), 0);
    check_refused("/todo.db, or the folder it is in, cannot be read and written: not a regular file");
    rmdir(fixture_path("todo.db"));
}

Test(trouble, locked_by_another_program)
{
    sqlite3 *other = NULL;
    cr_assert_eq(sqlite3_open(fixture_path("todo.db"), &other), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(other, "CREATE TABLE t (a); BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    check_refused("/todo.db is locked by another program");
    sqlite3_close(other);
    cr_assert_eq(fixture_start_instance(), 0);
}

Test(trouble, no_folder)
{
    free(fixture.database->path);
    fixture.database->path = strdup("/nonexistent/folder/todo.db");
    check_refused(
        "/nonexistent/folder/todo.db, or the folder it is in, cannot be read and written: No such file or directory");
}

/* Root may write anywhere: starts the instance in a child that is not. */
static void check_refused_as_nobody(const char *reason)
{
    int status;
    pid_t child;
    if (geteuid() == 0)
        cr_assert_eq(chown(fixture_folder, 65534, 65534), 0);
    child = fork();
    if (child == 0) {
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(98);
        fixture_child();
        _exit(fixture_start_instance() == BP_ERROR ? 0 : 99);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    cr_assert(fixture_logged(reason), "%s: %s", reason, fixture_log());
}

Test(trouble, read_only_folder)
{
    cr_assert_eq(fixture_exec("CREATE TABLE t (a)"), SQLITE_OK);
    cr_assert_eq(chmod(fixture_path("todo.db"), 0666), 0);
    cr_assert_eq(chmod(fixture_folder, 0555), 0);
    check_refused_as_nobody("/todo.db, or the folder it is in, cannot be read and written: Permission denied");
    cr_assert_eq(chmod(fixture_folder, 0755), 0);
}

Test(trouble, read_only_file)
{
    cr_assert_eq(fixture_exec("CREATE TABLE t (a)"), SQLITE_OK);
    cr_assert_eq(chmod(fixture_path("todo.db"), 0444), 0);
    check_refused_as_nobody("/todo.db, or the folder it is in, cannot be read and written: Permission denied");
}

Test(trouble, a_new_file_is_private)
{
    struct stat buffer;
    umask(0);
    cr_assert_eq(fixture_start_instance(), 0);
    cr_assert_eq(stat(fixture_path("todo.db"), &buffer), 0);
    cr_assert_eq(buffer.st_mode & 0777, 0600);
    cr_assert_eq(stat(fixture_path("todo.db-wal"), &buffer), 0);
    cr_assert_eq(buffer.st_mode & 0777, 0600);
}

/* --- at run time --- */

static const struct bp_statement insert =
    BP_STATEMENT(.name = "insert", .flags = BP_SQL_BATCHABLE, .sql = "INSERT INTO t VALUES (zeroblob(3000))");
static const struct bp_statement tiny =
    BP_STATEMENT(.name = "tiny", .flags = BP_SQL_BATCHABLE, .sql = "INSERT INTO t VALUES (NULL)");
static const struct bp_statement scan =
    BP_STATEMENT(.name = "scan", .flags = BP_SQL_READ, .sql = "SELECT sum(length(a)) FROM t");

static unsigned count_logged(const char *text)
{
    unsigned count = 0;
    for (const char *at = fixture_log(); (at = strstr(at, text)); at++)
        count++;
    return count;
}

struct write {
    const struct bp_statement *statement;
    int status;
};

static void run_write(void *argument)
{
    struct write *write = argument;
    write->status = bp_db_query(fixture.service, NULL, write->statement, BP_NO_VALUES, NULL, NULL);
}

/* A group of which only the last needs room: all of them fail, none is there afterwards, one line is logged. */
static void check_group_fails(const char *error)
{
    struct write writes[5];
    int64_t before = fixture_integer("SELECT count(*) FROM t");
    bp_mutex_lock(fixture.database->writer->write_lock);
    for (size_t i = 0; i < 5; i++) {
        writes[i] = (struct write){.statement = i < 4 ? &tiny : &insert, .status = 1};
        fixture_begin(run_write, &writes[i], BP_FOREVER, NULL);
    }
    bp_mutex_unlock(fixture.database->writer->write_lock);
    fixture_wait();
    for (size_t i = 0; i < 5; i++)
        cr_assert_eq(writes[i].status, BP_BUSY);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM t"), before);
    cr_assert(fixture_logged(error), "%s", fixture_log());
    cr_assert_eq(count_logged("sqlite.write_failed"), 1, "%s", fixture_log());
}

Test(trouble, disk_full)
{
    cr_assert_eq(fixture_exec("CREATE TABLE t (a)"), SQLITE_OK);
    cr_assert_eq(fixture_start_instance(), 0);
    cr_assert_eq(fixture_query(&tiny, BP_NO_VALUES), 0);
    sqlite3 *db = fixture.database->writer->connection.db;
    cr_assert_eq(sqlite3_exec(db, "PRAGMA max_page_count = 2", NULL, NULL, NULL), SQLITE_OK);
    fixture_query(&insert, BP_NO_VALUES);
    fixture.database->writer->logged = 0;
    cr_assert_eq(truncate(fixture_path("log"), 0), 0);
    check_group_fails("\"error\":\"database or disk is full\"");
    cr_assert_eq(sqlite3_exec(db, "PRAGMA max_page_count = 1000000", NULL, NULL, NULL), SQLITE_OK);
    cr_assert_eq(fixture_query(&insert, BP_NO_VALUES), 0, "it works again when there is room");
}

struct asked {
    int status;
    char detail[BP_HEALTH_DETAIL];
};

static void ask(void *argument)
{
    struct asked *asked = argument;
    memset(asked->detail, 0, sizeof(asked->detail));
    asked->status = database_health_check.check(fixture.database, BP_SECOND, asked->detail);
}

static void check_healthy(int status, const char *detail)
{
    struct asked asked;
    fixture_run(ask, &asked);
    cr_assert_eq(asked.status, status, "%s: %s", bp_status_name(asked.status), asked.detail);
    cr_assert_str_eq(asked.detail, detail);
}

Test(trouble, write_error)
{
    struct rlimit limit, small;
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(fixture_exec("CREATE TABLE t (a)"), SQLITE_OK);
    cr_assert_eq(fixture_start_instance(), 0);
    for (int i = 0; i < 20; i++)
        cr_assert_eq(fixture_query(&insert, BP_NO_VALUES), 0);
    check_healthy(0, "");
    cr_assert_eq(fixture_exec("PRAGMA user_version = 7"), SQLITE_OK);
    getrlimit(RLIMIT_FSIZE, &limit);
    small = limit;
    small.rlim_cur = 32768; /* the log is longer already */
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    check_healthy(0, "");
    check_group_fails("\"error\":\"disk I/O error\"");
    check_healthy(BP_BUSY, "writes fail: disk I/O error");
    check_healthy(BP_BUSY, "writes fail: disk I/O error");
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    check_healthy(0, "");
    cr_assert_eq(fixture_integer("PRAGMA user_version"), 7, "the probe wrote what was there");
    cr_assert_eq(fixture_query(&insert, BP_NO_VALUES), 0);
    cr_assert_eq(fixture_integer("SELECT count(*) FROM t"), 21);
}

Test(trouble, locked_while_running)
{
    sqlite3 *other = NULL;
    cr_assert_eq(fixture_exec("CREATE TABLE t (a)"), SQLITE_OK);
    cr_assert_eq(fixture_start_instance(), 0);
    cr_assert_eq(sqlite3_open(fixture_path("todo.db"), &other), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    cr_assert_eq(fixture_query(&tiny, BP_NO_VALUES), BP_BUSY);
    cr_assert(fixture_logged("\"error\":\"database is locked\""));
    cr_assert_eq(fixture_query(&scan, BP_NO_VALUES), 0, "reading goes on");
    check_healthy(0, "");
    sqlite3_close(other);
    cr_assert_eq(fixture_query(&tiny, BP_NO_VALUES), 0);
}

Test(trouble, damaged_while_running)
{
    static char garbage[4096 * 20];
    cr_assert_eq(fixture_exec("CREATE TABLE t (a); INSERT INTO t SELECT zeroblob(3000) FROM (WITH RECURSIVE c(n) AS"
                              " (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100) SELECT n FROM c)"),
                 SQLITE_OK);
    cr_assert_eq(fixture_start_instance(), 0);
    memset(garbage, 0xa5, sizeof(garbage));
    int fd = open(fixture_path("todo.db"), O_WRONLY | O_CLOEXEC);
    cr_assert_eq(pwrite(fd, garbage, sizeof(garbage), 4096), (ssize_t)sizeof(garbage));
    /* Not closed: that would drop this process' locks. */
    cr_assert_eq(fixture_query(&scan, BP_NO_VALUES), BP_BUSY);
    cr_assert(fixture_logged("sqlite.read_failed"));
    cr_assert(fixture_logged("\"error\":\"database disk image is malformed\""), "%s", fixture_log());
    fixture_stop();
    check_healthy(BP_BUSY, "it cannot be read; the log says why");
}
