/* SPDX-License-Identifier: MIT */
/* `backplane migrate …` with the shipped configuration, on both databases. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_info.h"
#include "command.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

static struct test_postgres postgres;
static char admin[POSTGRES_URL_SIZE];

static void set_up(void)
{
    postgres_start(&postgres, &(struct postgres_options){.durable = false});
    postgres_url(&postgres, NULL, "postgres", admin);
}

static void tear_down(void)
{
    postgres_stop(&postgres);
}

TestSuite(command, .init = set_up, .fini = tear_down, .timeout = 120);

static void run(const struct place *place, int code, const char *expected, const char *const *words)
{
    char *output;
    int got = command_run(place, &output, words);
    cr_assert_eq(got, code, "%s: exit code %d: %s", words[1], got, output);
    cr_assert_not_null(strstr(output, expected), "\"%s\" is not in %s", expected, output);
    free(output);
}

static const char applied_count[] = "SELECT count(*) FROM backplane_migrations";
/* Steps of the shipped plugins. */
static long long steps;

static void count_steps(void)
{
    struct place place;
    place_new(&place, NULL);
    run(&place, 0, "schema up to date", WORDS("migrate"));
    steps = place_integer(&place, applied_count);
    cr_assert_geq(steps, 2);
    place_free(&place);
}

static void up_down_status(const char *cluster)
{
    struct place place;
    char text[200];
    place_new(&place, cluster);
    snprintf(text, sizeof(text), "schema not up to date: %lld missing\n", steps);
    run(&place, 3, text, WORDS("migrate", "status"));
    snprintf(text, sizeof(text), "schema up to date: %lld migrations applied\n", steps);
    run(&place, 0, text, WORDS("migrate", "up"));
    run(&place, 0, "schema up to date: 0 migrations applied\n", WORDS("migrate", "up"));
    run(&place, 0, "schema up to date\n", WORDS("migrate", "status"));
    run(&place, 0, "{\"ok\":true,\"applied\":", WORDS("migrate", "status", "--json"));

    /* Sessions and accounts are known to the triggers of events, accounts needed by todos. */
    run(&place, 1, "migration 3 (create_sessions) of auth could not be undone, and stays: ",
        WORDS("migrate", "down", "auth", "--to", "0"));
    cr_expect_eq(
        place_integer(&place, "SELECT count(*) FROM backplane_migrations WHERE owner = 'auth' AND version = 3"), 1);
    run(&place, 0, " undone\n", WORDS("migrate", "down", "events", "--to=0"));
    run(&place, 1, "migration 1 (create_users) of auth could not be undone, and stays: ",
        WORDS("migrate", "down", "auth", "--to", "0"));
    cr_expect_eq(
        place_integer(&place, "SELECT count(*) FROM backplane_migrations WHERE owner = 'auth' AND version = 1"), 1);
    run(&place, 0, "schema up to date: ", WORDS("migrate", "up")); /* what of auth came off before that one */
    run(&place, 0, "1 migration undone\n", WORDS("migrate", "down"));
    run(&place, 3, "1 missing\n", WORDS("migrate", "status"));
    run(&place, 0, "schema up to date: 1 migration applied\n", WORDS("migrate", "up"));
    run(&place, 0, " undone\n",
        WORDS("migrate", "down", "events", "--to=0")); /* its triggers know the columns of todos */
    run(&place, 0, " undone\n", WORDS("migrate", "down", "todos", "--to=0"));
    cr_expect_eq(place_integer(&place, "SELECT count(*) FROM backplane_migrations WHERE owner = 'todos'"), 0);
    run(&place, 0, "schema up to date: ", WORDS("migrate", "up"));
    snprintf(text, sizeof(text), "--steps=%lld", steps);
    char undone[64];
    snprintf(undone, sizeof(undone), "%lld migrations undone\n", steps);
    run(&place, 0, undone, WORDS("migrate", "down", text));
    cr_expect_eq(place_integer(&place, applied_count), 0);
    run(&place, 1, "backplane: 1 migration cannot be undone: 0 are applied\n", WORDS("migrate", "down"));
    run(&place, 0, "schema up to date: ", WORDS("migrate"));
    place_free(&place);
}

/* Whatever the data: what was undone and done again leaves a schema that the server works on. */
Test(command, up_down_status)
{
    count_steps();
    up_down_status(NULL);
    up_down_status(admin);
}

static void several_at_once(const char *cluster)
{
    enum { PROCESSES = 4 };
    struct place place;
    pid_t pids[PROCESSES];
    char logs[PROCESSES][SERVICE_FOLDER_SIZE + 16];
    long long sum = 0;
    place_new(&place, cluster);
    for (int i = 0; i < PROCESSES; i++) {
        snprintf(logs[i], sizeof(logs[i]), "%s/output-%d", place.folder, i);
        pids[i] = command_start(&place, logs[i], WORDS("migrate", "up"));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int code = command_wait(pids[i]);
        char *output = command_text(logs[i]);
        const char *line = strstr(output, "schema up to date: ");
        cr_assert(code == 0 && line, "exit code %d: %s", code, output);
        sum += strtoll(line + strlen("schema up to date: "), NULL, 10);
        free(output);
    }
    cr_expect_eq(sum, steps, "%lld applied in all", sum);
    cr_expect_eq(place_integer(&place, applied_count), steps);
    place_free(&place);
}

Test(command, several_at_once)
{
    count_steps();
    several_at_once(NULL);
    several_at_once(admin);
}

static void refused(const char *cluster)
{
    static const struct {
        const char *change, *why, *status;
    } changes[] = {{"UPDATE backplane_migrations SET checksum = 'x' WHERE owner = 'todos' AND version = 1",
                    "migration 1 (create_todos) of todos was changed after it had been applied", "1 changed\n"},
                   {"UPDATE backplane_migrations SET name = 'other' WHERE owner = 'todos' AND version = 1",
                    "migration 1 of todos was applied as \\\"other\\\", but is \\\"create_todos\\\" here",
                    "1 changed\n"},
                   {"UPDATE backplane_migrations SET version = 99 WHERE owner = 'auth' AND version = "
                    "(SELECT max(version) FROM backplane_migrations WHERE owner = 'auth')",
                    ") of auth, but this version of the program knows only", "1 missing, 1 unknown\n"}};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        struct place place;
        place_new(&place, cluster);
        run(&place, 0, "schema up to date", WORDS("migrate", "up"));
        place_execute(&place, changes[i].change);
        run(&place, 1, changes[i].why, WORDS("migrate", "up"));
        run(&place, 1, changes[i].why, WORDS("migrate", "down"));
        run(&place, 3, changes[i].status, WORDS("migrate", "status"));
        cr_expect_eq(place_integer(&place, applied_count), steps);
        if (!cluster) { /* which the server migrates itself */
            char *output;
            int code = server_refuses(&(struct server_options){.folder = place.folder}, &output);
            cr_expect_neq(code, 0);
            cr_expect_not_null(strstr(output, changes[i].why), "%s", output);
            free(output);
        }
        place_free(&place);
    }
}

Test(command, a_history_that_differs_is_refused)
{
    count_steps();
    refused(NULL);
    refused(admin);
}

/* A job that cannot reach its database says so in one line. */
Test(command, a_database_that_is_not_there)
{
    struct place place;
    char *output;
    place_new(&place, NULL);
    snprintf(place.url, sizeof(place.url), "postgres://u:h1dden@127.0.0.1:%d/x", service_free_port());
    int code = command_run(&place, &output, WORDS("migrate", "up"));
    const char *line_end = strchr(output, '\n');
    cr_expect_eq(code, 1, "%d: %s", code, output);
    cr_expect(strstr(output, "the database cannot be reached: connection to server at "), "%s", output);
    cr_expect(line_end && line_end[1] == '\0', "more than one line: %s", output);
    cr_expect_null(strstr(output, "h1dden"), "%s", output);
    free(output);
    place.url[0] = '\0';
    place_free(&place);
}

static unsigned applied_in(const char *log)
{
    char *text = command_text(log);
    unsigned times = 0;
    for (const char *at = text; (at = strstr(at, "\"migrate.applied\"")); at++)
        times++;
    free(text);
    return times;
}

/* Killed in the middle, in what follows so many steps, the next one goes on: each step is whole or not there. */
static void killed(const char *cluster)
{
    for (unsigned before = 0; before < 6; before++) {
        long long begun = 0;
        struct place place;
        char log[SERVICE_FOLDER_SIZE + 16];
        place_new(&place, cluster);
        snprintf(log, sizeof(log), "%s/output", place.folder);
        pid_t pid = command_start(&place, log, WORDS("migrate", "up"));
        while (applied_in(log) < before)
            cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "%u of %u", applied_in(log), before);
        kill(pid, SIGKILL);
        (void)command_wait(pid);
        run(&place, 0, "schema up to date: ", WORDS("migrate", "up"));
        cr_expect_eq(place_integer(&place, applied_count), steps);
        run(&place, 0, "schema up to date\n", WORDS("migrate", "status"));
        place_free(&place);
    }
}

Test(command, killed)
{
    count_steps();
    killed(NULL);
    killed(admin);
}

static int in_folder(const char *folder, const char *words, char **ret_output)
{
    char command[512];
    struct place place = {.url = ""};
    snprintf(place.folder, sizeof(place.folder), "%s", folder);
    snprintf(command, sizeof(command), "cd '%s' && '" BACKPLANE_BUILD_ROOT "/backplane' %s 2>&1", folder, words);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    *ret_output = calloc(1, 4096);
    (void)!fread(*ret_output, 1, 4095, pipe);
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_new(const char *folder, const char *words, int code, const char *expected)
{
    char *output;
    int got = in_folder(folder, words, &output);
    cr_expect_eq(got, code, "%s: %d", words, got);
    cr_expect_str_eq(output, expected, "%s: %s", words, output);
    free(output);
}

Test(command, new_files)
{
    char folder[SERVICE_FOLDER_SIZE], path[SERVICE_FOLDER_SIZE + 80], expected[400];
    service_folder(folder);
    snprintf(
        expected, sizeof(expected),
        "backplane: there is no source tree here: neither %s nor a folder above it has plugins/embed_migrations.py\n",
        folder);
    expect_new(folder, "migrate new todos add_x", 1, expected);
    for (const char *const *name = (const char *const[]){"plugins", "plugins/todos", "core", NULL}; *name; name++) {
        snprintf(path, sizeof(path), "%s/%s", folder, *name);
        cr_assert_eq(mkdir(path, 0755), 0);
    }
    snprintf(path, sizeof(path), "%s/plugins/embed_migrations.py", folder);
    FILE *mark = fopen(path, "w");
    cr_assert(mark && fclose(mark) == 0);
    expect_new(folder, "migrate new nothing add_x", 1, "backplane: there is no folder plugins/nothing\n");
    expect_new(folder, "migrate new todos ../x", 2,
               "backplane: PLUGIN and NAME are lowercase letters, digits and underscores\n");
    expect_new(folder, "migrate new todos create_todos", 0,
               "plugins/todos/migrations/0001_create_todos.sql\nplugins/todos/migrations/0001_create_todos.down.sql\n"
               "write them, then name them in the input of embed_migrations in plugins/todos/meson.build\n");
    snprintf(path, sizeof(path), "%s/core", folder);
    expect_new(path, "migrate new todos add_x", 0,
               "plugins/todos/migrations/0002_add_x.sql\nplugins/todos/migrations/0002_add_x.down.sql\n"
               "write them, then name them in the input of embed_migrations in plugins/todos/meson.build\n");
    snprintf(path, sizeof(path), "%s/plugins/todos/migrations/0002_add_x.down.sql", folder);
    char *text = command_text(path);
    cr_expect_str_eq(text, "-- SPDX-License-Identifier: MIT\n-- Undoes 0002_add_x.sql.\n");
    free(text);
    service_folder_remove(folder);
}
