/* SPDX-License-Identifier: MIT */
/* Disks that fill up, folders that cannot be written, files that are no database or belong to somebody else. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/http.h"
#include "tests/support/server.h"

enum { NOBODY = 65534, TRIES = 2000 };

TestSuite(disk, .timeout = 120);

static struct test_server server;
static char *authorization;
static unsigned acknowledged;

/* The shipped configuration with a lock's patience that tests have, too. */
static const char *const impatient[] = {"--set", "plugins.main.busy_timeout=100ms", NULL};

static void start(const char *folder)
{
    server_start(&server, &(struct server_options){.arguments = impatient, .folder = folder});
}

static void make_folder(char folder[64])
{
    snprintf(folder, 64, "/tmp/backplane-test-XXXXXX");
    cr_assert(mkdtemp(folder));
}

static unsigned create(struct http_reply *ret_reply)
{
    static char body[2100];
    if (!body[0]) {
        int len = snprintf(body, sizeof(body), "{\"title\":\"");
        memset(body + len, 'x', 480);
        strcpy(body + len + 480, "\"}");
    }
    http_call(server.port, "POST", "/api/v1/todos", authorization, body, ret_reply);
    if (ret_reply->status == 201)
        acknowledged++;
    return ret_reply->status;
}

static unsigned create_status(void)
{
    struct http_reply reply;
    unsigned status = create(&reply);
    http_reply_free(&reply);
    return status;
}

/* 503 with Retry-After, and a body as every error has it. */
static void check_busy(struct http_reply *reply)
{
    cr_assert_eq(reply->status, 503, "%u %s", reply->status, reply->body);
    const char *after = http_header(reply, "Retry-After");
    cr_assert(after && atoi(after) >= 1, "Retry-After: %s", after ? after : "is missing");
    json_t *root = http_json(reply);
    cr_assert_str_eq(http_json_text(root, "status"), "error");
    cr_assert(json_is_false(http_json_at(root, "success")));
    json_decref(root);
    http_reply_free(reply);
}

static unsigned status_of(const char *target)
{
    struct http_reply reply;
    http_call(server.port, "GET", target, authorization, NULL, &reply);
    unsigned status = reply.status;
    http_reply_free(&reply);
    return status;
}

static void check_listed(unsigned expected)
{
    struct http_reply reply;
    http_call(server.port, "GET", "/api/v1/todos?limit=1", authorization, NULL, &reply);
    cr_assert_eq(reply.status, 200, "%s", reply.body);
    json_t *root = http_json(&reply);
    cr_assert_eq(http_json_integer(root, "data.meta.totalItems"), expected, "%s, not %u", reply.body, expected);
    json_decref(root);
    http_reply_free(&reply);
}

/* Writes until the disk is full; then reading goes on, and nothing that was acknowledged is missing. */
static void fill(void)
{
    struct http_reply reply;
    unsigned status = 201;
    for (int i = 0; i < TRIES && status == 201; i++) {
        status = create(&reply);
        if (status == 201)
            http_reply_free(&reply);
    }
    check_busy(&reply);
    cr_assert_gt(acknowledged, 0);
    for (int i = 0; i < 5; i++) {
        (void)create(&reply);
        if (reply.status != 201)
            check_busy(&reply);
        else
            http_reply_free(&reply);
    }
    /* What the check writes may be the last that fits. */
    for (int i = 0; i < TRIES && status_of("/health/ready") != 503; i++) {
        (void)create_status();
        (void)poll(NULL, 0, 5);
    }
    cr_assert_eq(status_of("/health/ready"), 503);
    cr_assert_eq(status_of("/health/live"), 200);
    cr_assert_eq(status_of("/api/v1/todos"), 200);
    check_listed(acknowledged);
    cr_assert(server_wait_output(&server, "sqlite.write_failed"));
    char *output = server_output(&server);
    cr_assert_null(strstr(output, "worker.died"), "%s", output);
    free(output);
}

static void check_room_again(void)
{
    unsigned status = 0;
    for (int i = 0; i < TRIES && status_of("/health/ready") != 200; i++) /* without a write: nobody would send one */
        (void)poll(NULL, 0, 5);
    cr_assert_eq(status_of("/health/ready"), 200);
    for (int i = 0; i < TRIES && (status = create_status()) != 201; i++)
        (void)poll(NULL, 0, 5);
    cr_assert_eq(status, 201);
    check_listed(acknowledged);
}

static void restart_and_check(void)
{
    char folder[64];
    snprintf(folder, sizeof(folder), "%s", server.folder);
    cr_assert_eq(server_stop_keep(&server), 0);
    start(folder);
    check_listed(acknowledged);
}

static void limit_files(rlim_t bytes)
{
    pid_t workers[8];
    size_t count = server_workers(&server, workers, 8);
    cr_assert_gt(count, 0);
    for (size_t i = 0; i < count; i++) {
        struct rlimit limit;
        cr_assert_eq(prlimit(workers[i], RLIMIT_FSIZE, NULL, &limit), 0);
        limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
        cr_assert_eq(prlimit(workers[i], RLIMIT_FSIZE, &limit, NULL), 0);
    }
}

/* A limit on the size of files stands for a disk that is full; everybody may set it. */
Test(disk, writes_fail_and_then_go_on)
{
    start(NULL);
    authorization = http_login(server.port, "full@example.org");
    limit_files(300000);
    fill();
    limit_files(RLIM_INFINITY);
    check_room_again();
    restart_and_check();
    cr_assert_eq(server_stop(&server), 0);
    free(authorization);
}

/* A file system of 1,000 KiB, in a mount namespace of this test. False where that is not allowed. */
static bool mount_small(const char *folder)
{
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return false;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("small", folder, "tmpfs", 0, "size=1000k,mode=0700") == 0;
}

Test(disk, a_small_disk_is_full)
{
    char folder[64], ballast[96], output[96], elsewhere[96];
    make_folder(folder);
    snprintf(elsewhere, sizeof(elsewhere), "%s-output", folder);
    if (!mount_small(folder)) {
        rmdir(folder);
        cr_skip_test("no mount is allowed here; writes_fail_and_then_go_on stands for it");
    }
    /* What the server says must not need room on the disk that is full. */
    snprintf(output, sizeof(output), "%s/test-output", folder);
    cr_assert_eq(symlink(elsewhere, output), 0);
    snprintf(ballast, sizeof(ballast), "%s/ballast", folder);
    int fd = open(ballast, O_WRONLY | O_CREAT, 0600);
    static const char zeros[150000];
    cr_assert_eq(write(fd, zeros, sizeof(zeros)), (ssize_t)sizeof(zeros));
    close(fd);
    start(folder);
    authorization = http_login(server.port, "full@example.org");
    fill();
    cr_assert_eq(unlink(ballast), 0);
    check_room_again();
    restart_and_check();
    cr_assert_eq(server_stop_keep(&server), 0);
    cr_assert_eq(umount2(folder, MNT_DETACH), 0);
    cr_assert_eq(unlink(elsewhere), 0);
    rmdir(folder);
    free(authorization);
}

/* ---- locks ---- */

static sqlite3 *lock_database(const char *folder, const char *sql)
{
    char path[96];
    sqlite3 *db = NULL;
    snprintf(path, sizeof(path), "%s/todo.db", folder);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    return db;
}

Test(disk, another_process_holds_the_lock)
{
    struct http_reply reply;
    start(NULL);
    authorization = http_login(server.port, "locked@example.org");
    cr_assert_eq(create_status(), 201);
    sqlite3 *other = lock_database(server.folder, "BEGIN EXCLUSIVE");
    (void)create(&reply);
    check_busy(&reply);
    check_listed(1); /* reading goes on */
    cr_assert_eq(status_of("/health/ready"), 200);
    cr_assert_eq(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_close(other), SQLITE_OK);
    check_room_again();
    restart_and_check();
    cr_assert_eq(server_stop(&server), 0);
    free(authorization);
}

/* ---- at the start ---- */

/* Does not start, and says why. */
static void check_refused(const char *folder, const char *reason)
{
    char *output;
    int code = server_refuses(&(struct server_options){.arguments = impatient, .folder = folder}, &output);
    cr_assert(code > 0 && code < 128, "exit code %d: %s", code, output);
    cr_assert(strstr(output, reason), "\"%s\" is not in: %s", reason, output);
    free(output);
}

static void remove_folder(const char *folder)
{
    struct test_server gone;
    snprintf(gone.folder, sizeof(gone.folder), "%s", folder);
    server_remove_folder(&gone);
}

static void write_database(const char *folder, const char *bytes, size_t len)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/todo.db", folder);
    FILE *file = fopen(path, "w");
    cr_assert(file && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

Test(disk, the_file_is_no_database)
{
    char folder[64], garbage[8192];
    make_folder(folder);
    for (size_t i = 0; i < sizeof(garbage); i++)
        garbage[i] = (char)(i * 37 + i / 251);
    write_database(folder, garbage, sizeof(garbage));
    check_refused(folder, "is not an SQLite database, or it is damaged");
    remove_folder(folder);
}

Test(disk, the_file_was_cut)
{
    char path[96];
    start(NULL);
    authorization = http_login(server.port, "cut@example.org");
    for (int i = 0; i < 50; i++)
        cr_assert_eq(create_status(), 201);
    cr_assert_eq(server_stop_keep(&server), 0);
    snprintf(path, sizeof(path), "%s/todo.db", server.folder);
    cr_assert_eq(truncate(path, 4096 + 100), 0);
    check_refused(server.folder, "is not an SQLite database, or it is damaged");
    server_remove_folder(&server);
    free(authorization);
}

Test(disk, the_database_is_locked_at_the_start)
{
    char folder[64];
    make_folder(folder);
    sqlite3 *other = lock_database(folder, "PRAGMA journal_mode = DELETE; CREATE TABLE t (a); BEGIN EXCLUSIVE");
    check_refused(folder, "todo.db is locked by another program");
    sqlite3_close(other);
    start(folder);
    cr_assert_eq(server_stop(&server), 0);
}

Test(disk, the_folder_is_a_file)
{
    char folder[64];
    make_folder(folder);
    cr_assert_eq(rmdir(folder), 0);
    int fd = open(folder, O_WRONLY | O_CREAT | O_EXCL, 0600);
    cr_assert(fd >= 0);
    close(fd);
    char data[96];
    snprintf(data, sizeof(data), "BACKPLANE_DATA=%s", folder);
    const char *const environment[] = {data, NULL};
    char *output;
    int code = server_refuses(&(struct server_options){.environment = environment, .arguments = impatient}, &output);
    cr_assert(code > 0 && code < 128, "exit code %d: %s", code, output);
    cr_assert(strstr(output, folder), "%s", output);
    cr_assert(strstr(output, "Not a directory") || strstr(output, "not a folder") || strstr(output, "File exists"),
              "%s", output);
    free(output);
    cr_assert_eq(unlink(folder), 0);
}

/* Root may write anywhere: the server is started by somebody who is not. */
Test(disk, the_folder_is_read_only)
{
    char folder[64], inside[80], data[96];
    make_folder(folder);
    cr_assert_eq(chmod(folder, 0755), 0);
    snprintf(inside, sizeof(inside), "%s/data", folder);
    cr_assert_eq(mkdir(inside, 0555), 0);
    snprintf(data, sizeof(data), "BACKPLANE_DATA=%s", inside);
    const char *const environment[] = {data, NULL};
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        char *output, reason[64];
        if (geteuid() == 0 && setuid(NOBODY) != 0)
            _exit(2);
        snprintf(reason, sizeof(reason), "/pid: Permission denied (for user %u)\n", (unsigned)geteuid());
        int code =
            server_refuses(&(struct server_options){.environment = environment, .arguments = impatient}, &output);
        bool fine = code > 0 && code < 128 && strstr(output, inside) && strstr(output, reason);
        if (!fine)
            (void)!write(STDERR_FILENO, output, strlen(output));
        _exit(fine ? 0 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    cr_assert_eq(chmod(inside, 0755), 0);
    remove_folder(folder);
}
