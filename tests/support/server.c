/* SPDX-License-Identifier: MIT */
#include "tests/support/server.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/service.h"

enum { START_MILLISECONDS = 30000, STOP_MILLISECONDS = 30000, MAX_STRINGS = 64 };

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void server_remove_folder(struct test_server *server)
{
    (void)nftw(server->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* The number of variables added. */
static size_t set_database(struct test_server *server, const char *folder, char **environment)
{
    char url[SERVER_URL_SIZE];
    database_prepare(folder, url, server->database);
    if (!url[0])
        return 0;
    cr_assert(asprintf(&environment[0], "DATABASE_URL=%s", url) > 0 &&
              asprintf(&environment[1], "DIRECT_URL=%s", server->database) > 0);
    return 2;
}

static void spawn(struct test_server *server, const struct server_options *options)
{
    static const char *const passed[] = {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"};
    char *environment[MAX_STRINGS] = {NULL}, config_path[128], text[512];
    const char *other = getenv("TEST_SERVER");
    const char *arguments[MAX_STRINGS] = {other ? other : BACKPLANE_BUILD_ROOT "/backplane", "run"};
    size_t n = 0, a = 2;
    server->port = service_free_port();
    if (options->folder)
        snprintf(server->folder, sizeof(server->folder), "%s", options->folder);
    else
        snprintf(server->folder, sizeof(server->folder), "/tmp/backplane-test-XXXXXX");
    if (!options->folder)
        cr_assert(mkdtemp(server->folder));
    snprintf(server->log, sizeof(server->log), "%s/test-output", server->folder);
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
        if (getenv(passed[i])) {
            snprintf(text, sizeof(text), "%s=%s", passed[i], getenv(passed[i]));
            environment[n++] = strdup(text);
        }
    bool limited = false, given = false; /* the first of a name counts: what the test asks for goes before our own */
    for (size_t i = 0; options->environment && options->environment[i]; i++) {
        environment[n++] = strdup(options->environment[i]);
        limited |= strncmp(options->environment[i], "RATE_LIMIT_MAX_REQUESTS=", 24) == 0;
        given |= strncmp(options->environment[i], "DATABASE_URL=", 13) == 0;
    }
    snprintf(text, sizeof(text), "PORT=%d", server->port);
    environment[n++] = strdup(text);
    snprintf(text, sizeof(text), "BACKPLANE_DATA=%s", server->folder);
    environment[n++] = strdup(text);
    environment[n++] = strdup("HOST=127.0.0.1");
    server->database[0] = '\0';
    if ((!options->config || options->database) && !given)
        n += set_database(server, options->replica_of ? options->replica_of->folder : server->folder, environment + n);
    environment[n++] = strdup("OPENAPI_VALIDATE=true");
    if (!limited)
        environment[n++] = strdup("RATE_LIMIT_MAX_REQUESTS=1000000000");
    if (options->config) {
        snprintf(config_path, sizeof(config_path), "%s/test.cfg", server->folder);
        FILE *file = fopen(config_path, "w");
        cr_assert(file && fputs(options->config, file) >= 0 && fclose(file) == 0);
    } else {
        snprintf(config_path, sizeof(config_path), "%s", BACKPLANE_SOURCE_ROOT "/config/backplane.cfg");
    }
    arguments[a++] = "-c";
    arguments[a++] = config_path;
    for (size_t i = 0; options->arguments && options->arguments[i]; i++)
        arguments[a++] = options->arguments[i];
    server->pid = fork();
    cr_assert(server->pid >= 0);
    if (server->pid == 0) {
        int fd = open(server->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execve(arguments[0], (char *const *)(const void *)arguments, environment);
        _exit(127);
    }
    for (size_t i = 0; i < n; i++)
        free(environment[i]);
}

char *server_output(const struct test_server *server)
{
    struct stat file;
    int fd = open(server->log, O_RDONLY | O_CLOEXEC);
    size_t size = fd >= 0 && fstat(fd, &file) == 0 ? (size_t)file.st_size : 0;
    char *text = calloc(1, size + 1);
    cr_assert(text);
    for (size_t at = 0; at < size;) {
        ssize_t n = read(fd, text + at, size - at);
        cr_assert(n >= 0);
        size = n == 0 ? at : size;
        at += (size_t)n;
    }
    if (fd >= 0)
        close(fd);
    return text;
}

bool server_wait_output(const struct test_server *server, const char *text)
{
    long long end = service_milliseconds() + 10000;
    for (;;) {
        char *output = server_output(server);
        bool found = strstr(output, text) != NULL;
        free(output);
        if (found)
            return true;
        if (service_milliseconds() > end)
            return false;
        service_breathe();
    }
}

/* The exit code when it has ended, -1 while it runs. */
static int exit_code(struct test_server *server)
{
    int status;
    if (waitpid(server->pid, &status, WNOHANG) != server->pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void server_start(struct test_server *server, const struct server_options *options)
{
    long long end = service_milliseconds() + START_MILLISECONDS;
    spawn(server, options);
    for (;;) {
        struct http_reply reply;
        int code = exit_code(server);
        if (code >= 0 || service_milliseconds() > end) {
            char *output = server_output(server);
            if (code < 0)
                kill(server->pid, SIGKILL);
            cr_assert_fail("the server did not start (exit code %d):\n%s", code, output);
        }
        if (http_try(server->port, "GET", "/health/live", NULL, NULL, &reply)) {
            http_reply_free(&reply);
            return;
        }
        service_breathe();
    }
}

static int wait_end(struct test_server *server)
{
    long long end = service_milliseconds() + STOP_MILLISECONDS;
    int code;
    while ((code = exit_code(server)) < 0) {
        if (service_milliseconds() > end) {
            char *output = server_output(server);
            kill(server->pid, SIGKILL);
            cr_assert_fail("the server did not end:\n%s", output);
        }
        service_breathe();
    }
    return code;
}

int server_refuses(const struct server_options *options, char **ret_output)
{
    struct test_server server;
    spawn(&server, options);
    int code = wait_end(&server);
    *ret_output = server_output(&server);
    if (!options->folder)
        server_remove_folder(&server);
    return code;
}

int server_stop_keep(struct test_server *server)
{
    kill(server->pid, SIGTERM);
    return wait_end(server);
}

/* The plugin openapi compares each reply of the shipped configuration with the document. */
static void check_replies(const struct test_server *server)
{
    FILE *file = fopen(server->log, "r");
    char *line = NULL;
    size_t size = 0;
    while (file && getline(&line, &size, file) >= 0)
        cr_expect(strstr(line, "openapi.undocumented_reply") == NULL, "%s", line);
    free(line);
    if (file)
        (void)fclose(file);
}

int server_stop(struct test_server *server)
{
    int code = server_stop_keep(server);
    check_replies(server);
    server_remove_folder(server);
    return code;
}

static size_t children(const struct test_server *server, pid_t *ret_pids, size_t max)
{
    char path[96];
    size_t count = 0;
    int pid;
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)server->pid, (int)server->pid);
    FILE *file = fopen(path, "r");
    while (file && count < max && fscanf(file, "%d", &pid) == 1)
        ret_pids[count++] = pid;
    if (file)
        fclose(file);
    return count;
}

/* "backplane: worker 1\0_worker\0…" */
static bool is_of_kind(pid_t pid, const char *kind)
{
    char path[40], line[128];
    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
    FILE *file = fopen(path, "r");
    size_t len = file ? fread(line, 1, sizeof(line) - 1, file) : 0;
    if (file)
        fclose(file);
    line[len] = '\0';
    size_t title = strlen(line) + 1;
    return title < len && strcmp(line + title, kind) == 0;
}

static size_t children_of_kind(const struct test_server *server, const char *kind, pid_t *ret_pids, size_t max)
{
    pid_t all[64];
    size_t kept = 0, count = children(server, all, 64);
    for (size_t i = 0; i < count && kept < max; i++)
        if (is_of_kind(all[i], kind))
            ret_pids[kept++] = all[i];
    return kept;
}

size_t server_workers(const struct test_server *server, pid_t *ret_pids, size_t max)
{
    return children_of_kind(server, "_worker", ret_pids, max);
}

size_t server_job_workers(const struct test_server *server, pid_t *ret_pids, size_t max)
{
    return children_of_kind(server, "_jobs", ret_pids, max);
}

void server_kill(struct test_server *server)
{
    pid_t workers[64];
    size_t count = children(server, workers, 64);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* orphans are ours: process 1 may take seconds to reap them */
    kill(server->pid, SIGKILL);
    for (size_t i = 0; i < count; i++)
        kill(workers[i], SIGKILL);
    (void)wait_end(server);
    for (size_t i = 0; i < count; i++) /* until their sockets and files are closed */
        cr_assert(waitpid(workers[i], NULL, 0) == workers[i] || errno == ECHILD);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 0);
}
