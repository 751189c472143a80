/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build_info.h"

enum { MAX_WORDS = 32 };

void place_new(struct place *place, const char *postgres)
{
    static unsigned serial;
    memset(place, 0, sizeof(*place));
    service_folder(place->folder);
    if (!postgres)
        return;
    char name[64];
    snprintf(name, sizeof(name), "place_%d_%u", (int)getpid(), ++serial);
    postgres_database(postgres, name, NULL);
    postgres_url_with(postgres, "backplane", name, place->url);
}

void place_free(struct place *place)
{
    service_folder_remove(place->folder);
}

static char *sqlite_ask(const struct place *place, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    char path[SERVICE_FOLDER_SIZE + 16], *text = NULL;
    snprintf(path, sizeof(path), "%s/todo.db", place->folder);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    int code = sqlite3_step(stmt);
    cr_assert(code == SQLITE_ROW || code == SQLITE_DONE, "%s: %s", sql, sqlite3_errmsg(db));
    if (code == SQLITE_ROW && sqlite3_column_text(stmt, 0))
        text = strdup((const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return text ? text : strdup("");
}

char *place_ask(const struct place *place, const char *sql)
{
    return place->url[0] ? postgres_ask(place->url, sql) : sqlite_ask(place, sql);
}

long long place_integer(const struct place *place, const char *sql)
{
    char *text = place_ask(place, sql);
    long long value = strtoll(text, NULL, 10);
    free(text);
    return value;
}

void place_execute(const struct place *place, const char *sql)
{
    free(place_ask(place, sql));
}

static char *variable(const char *name, const char *value)
{
    char *text = NULL;
    cr_assert_geq(asprintf(&text, "%s=%s", name, value), 0);
    return text;
}

pid_t command_start(const struct place *place, const char *log, const char *const *words)
{
    static const char *const passed[] = {"PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "WEBHOOKS"};
    const char *arguments[MAX_WORDS] = {BACKPLANE_BUILD_ROOT "/backplane"};
    char *environment[16] = {NULL};
    size_t a = 1, e = 0;
    while (*words)
        arguments[a++] = *words++;
    arguments[a++] = "-c";
    arguments[a++] = BACKPLANE_SOURCE_ROOT "/config/backplane.cfg";
    for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
        if (getenv(passed[i]))
            environment[e++] = variable(passed[i], getenv(passed[i]));
    environment[e++] = variable("BACKPLANE_DATA", place->folder);
    if (place->url[0]) {
        environment[e++] = variable("DATABASE_URL", place->url);
        environment[e++] = variable("DIRECT_URL", place->url);
    }
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execve(arguments[0], (char *const *)(const void *)arguments, environment);
        _exit(127);
    }
    while (e > 0)
        free(environment[--e]);
    return pid;
}

int command_wait(pid_t pid)
{
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

char *command_text(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 20);
    cr_assert(text);
    if (file) {
        text[fread(text, 1, (1 << 20) - 1, file)] = '\0';
        fclose(file);
    }
    return text;
}

int command_run(const struct place *place, char **ret_output, const char *const *words)
{
    char log[SERVICE_FOLDER_SIZE + 16];
    snprintf(log, sizeof(log), "%s/output", place->folder);
    int code = command_wait(command_start(place, log, words));
    *ret_output = command_text(log);
    return code;
}
