/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/log.h"
#include "core/plugin/assembly.h"
#include "core/schema/schema.h"
#include "core/supervisor/shared.h"

extern const struct bp_plugin *backplane_plugin(void);

struct fixture fixture;
static struct shared *shared;
static struct bp_arena *arena;
static struct config config;
static struct config_plugin entry = {.use = "postgres", .name = "main"};
static struct assembly assembly = {.config = &config};
static struct bp_host host = {.name = "main", .name_str = BP_STR_INIT("main"), .assembly = &assembly, .config = &entry};
static bool started;
static unsigned live;

#define must(condition)                                                      \
    do {                                                                     \
        if (!(condition)) {                                                  \
            fprintf(stderr, "fixture: line %d: %s\n", __LINE__, #condition); \
            abort();                                                         \
        }                                                                    \
    } while (0)

static const char *log_path(void)
{
    static char path[300];
    snprintf(path, sizeof(path), "%s/log", fixture.folder);
    return path;
}

static void new_database(void)
{
    static unsigned serial;
    const char *cluster = getenv("TEST_POSTGRES_URL");
    char name[64];
    must(cluster);
    snprintf(name, sizeof(name), "plugin_%d_%u", (int)getpid(), ++serial);
    postgres_database(cluster, name, NULL);
    postgres_url_with(cluster, "backplane", name, fixture.url);
    postgres_url_with(cluster, "postgres", name, fixture.admin);
}

void fixture_new(void)
{
    struct loop_options options = {.offload_threads = 2};
    const char *base = getenv("TMPDIR");
    int fd;
    new_database();
    snprintf(fixture.folder, sizeof(fixture.folder), "%s/postgres-test-XXXXXX", base ? base : "/tmp");
    must(mkdtemp(fixture.folder));
    fd = open(log_path(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    must(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
    log_setup(BP_LOG_DEBUG, LOG_JSON, "test");
    must(shared_new(1 << 24, &shared) == 0);
    must((arena = arena_new()));
    assembly.arena = arena;
    assembly.shared = shared;
    assembly.data_dir = fixture.folder;
    must(loop_new(&options, &assembly.loop) == 0);
    host.plugin = *backplane_plugin();
    must((host.self = calloc(1, host.plugin.self_size)));
    must(schema_check(host.plugin.options) == NULL);
    must(schema_set_defaults(host.plugin.options, false, arena, host.self) == 0);
    fixture.database = host.self;
    fixture.service = (struct bp_service){.vtable = &database_vtable, .self = host.self};
    fixture_use_url(fixture.url);
}

void fixture_use_url(const char *url)
{
    fixture.database->url = bp_arena_copy(arena, bp_str_of(url));
}

static void start_instance(void *argument)
{
    *(int *)argument = host.plugin.start(&host, host.self);
}

int fixture_start(void)
{
    int status;
    assembly.initializing = &host;
    status = host.plugin.init(&host, host.self);
    assembly.initializing = NULL;
    if (status != 0)
        return status;
    status = BP_MISUSE;
    fixture_run(start_instance, &status);
    started = status == 0;
    return status;
}

static void stop_instance(void *argument)
{
    (void)argument;
    host.plugin.stop(&host, host.self);
    loop_join_spawned(assembly.loop, &host);
}

void fixture_stop(void)
{
    if (started)
        fixture_run(stop_instance, NULL);
    started = false;
}

void fixture_free(void)
{
    fixture_stop();
    host.plugin.deinit(&host, host.self);
    free(host.self);
    assembly.loop = loop_free(assembly.loop);
    fiber_pool_free();
    shared = shared_free(shared);
    arena = arena_free(arena);
    unlink(log_path());
    rmdir(fixture.folder);
}

struct run {
    void (*function)(void *argument);
    void *argument;
    struct bp_arena *arena;
};

static void run_function(void *argument)
{
    struct run *run = argument;
    run->function(run->argument);
}

static void run_ended(void *argument)
{
    struct run *run = argument;
    arena_free(run->arena);
    free(run);
    live--;
}

struct bp_fiber *fixture_begin(void (*function)(void *argument), void *argument, bp_time deadline)
{
    struct run *run = calloc(1, sizeof(*run));
    struct bp_fiber *fiber = NULL;
    must(run);
    *run = (struct run){.function = function, .argument = argument, .arena = arena_new()};
    live++;
    must(fiber_start(assembly.loop,
                     &(struct fiber_start){.function = run_function,
                                           .ended = run_ended,
                                           .argument = run,
                                           .arena = run->arena,
                                           .deadline = deadline,
                                           .name = "test"},
                     &fiber) == 0);
    return fiber;
}

void fixture_turn(void)
{
    loop_turn(assembly.loop, BP_SECOND / 10);
}

void fixture_give_up(const char *condition, int line)
{
    FILE *terminal = fdopen(STDOUT_FILENO, "w");
    if (terminal) {
        fprintf(terminal, "line %d: never: %s\n%s\n", line, condition, fixture_log());
        fflush(terminal);
    }
    abort();
}

void fixture_wait(void)
{
    fixture_until(live == 0);
}

void fixture_run(void (*function)(void *argument), void *argument)
{
    unsigned before = live;
    fixture_begin(function, argument, BP_FOREVER);
    fixture_until(live <= before);
}

struct query {
    const struct bp_statement *statement;
    const struct bp_db_value *values;
    size_t count;
    int status;
};

static void run_query(void *argument)
{
    struct query *query = argument;
    query->status =
        bp_db_query(fixture.service, NULL, query->statement, query->values, query->count, bp_fiber_arena(), NULL);
}

int fixture_query(const struct bp_statement *statement, const struct bp_db_value *values, size_t count)
{
    struct query query = {.statement = statement, .values = values, .count = count};
    fixture_run(run_query, &query);
    return query.status;
}

void fixture_execute(const char *sql)
{
    postgres_execute(fixture.admin, sql);
}

int64_t fixture_integer(const char *sql)
{
    char *text = postgres_ask(fixture.admin, sql);
    int64_t value = strtoll(text, NULL, 10);
    free(text);
    return value;
}

const char *fixture_log(void)
{
    static char text[1 << 17];
    FILE *file = fopen(log_path(), "re");
    size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file)
        fclose(file);
    text[len] = '\0';
    return text;
}

unsigned fixture_logged_times(const char *text)
{
    unsigned times = 0;
    for (const char *at = strstr(fixture_log(), text); at; at = strstr(at + 1, text))
        times++;
    return times;
}

bool fixture_logged(const char *text)
{
    return fixture_logged_times(text) > 0;
}
