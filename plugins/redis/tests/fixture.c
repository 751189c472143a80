/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/log.h"
#include "core/plugin/assembly.h"
#include "core/schema/schema.h"
#include "core/supervisor/shared.h"
#include "core/worker/fiber.h"

extern const struct bp_plugin *backplane_plugin(void);

struct fixture fixture;
static struct shared *shared;
static struct bp_arena *arena, *metrics_arena;
static struct config config;
static struct config_plugin entry = {.use = "redis", .name = "main"};
static struct assembly assembly = {.config = &config};
static struct bp_host host = {.name = "main", .name_str = BP_STR_INIT("main"), .assembly = &assembly, .config = &entry};
static bool started, initialized;
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

void fixture_new(const char *url)
{
    struct loop_options options = {.offload_threads = 1};
    const char *base = getenv("TMPDIR");
    snprintf(fixture.folder, sizeof(fixture.folder), "%s/redis-test-XXXXXX", base ? base : "/tmp");
    must(mkdtemp(fixture.folder));
    int fd = open(log_path(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
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
    fixture.redis = host.self;
    fixture.host = &host;
    fixture.kv = &redis_vtable;
    fixture.redis->url = bp_arena_copy(arena, bp_str_of(url));
}

int fixture_init(void)
{
    assembly.initializing = &host;
    int status = host.plugin.init(&host, host.self);
    assembly.initializing = NULL;
    initialized = true;
    return status;
}

static void start_instance(void *argument)
{
    *(int *)argument = host.plugin.start(&host, host.self);
}

int fixture_start_status(void)
{
    int status = BP_MISUSE;
    fixture_run(start_instance, &status);
    started = status == 0;
    return status;
}

void fixture_start(void)
{
    must(fixture_init() == 0);
    must(fixture_start_status() == 0);
}

void fixture_start_up(void)
{
    fixture_start();
    fixture_until(redis_least_busy(fixture.redis));
}

static void stop_instance(void *argument)
{
    (void)argument;
    host.plugin.stop(&host, host.self);
    loop_free_timers(assembly.loop, &host);
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
    metrics_arena = arena_free(metrics_arena);
    assembly.health = NULL; /* in the arena */
    arena = arena_free(arena);
    unlink(log_path());
    rmdir(fixture.folder);
}

struct run {
    void (*function)(void *argument);
    void *argument;
    struct bp_arena *arena;
    bool *done; /* may be NULL */
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
    if (run->done)
        *run->done = true;
    free(run);
    live--;
}

static struct bp_fiber *begin(void (*function)(void *argument), void *argument, bool *done)
{
    struct run *run = calloc(1, sizeof(*run));
    struct bp_fiber *fiber = NULL;
    must(run);
    *run = (struct run){.function = function, .argument = argument, .arena = arena_new(), .done = done};
    live++;
    must(fiber_start(assembly.loop,
                     &(struct fiber_start){.function = run_function,
                                           .ended = run_ended,
                                           .argument = run,
                                           .arena = run->arena,
                                           .deadline = BP_FOREVER,
                                           .name = "test"},
                     &fiber) == 0);
    return fiber;
}

struct bp_fiber *fixture_begin(void (*function)(void *argument), void *argument)
{
    return begin(function, argument, NULL);
}

void fixture_turn(void)
{
    loop_turn(assembly.loop, BP_SECOND / 10);
}

void fixture_turn_before(bp_time limit, const char *condition)
{
    if (bp_clock() >= limit) {
        fprintf(stdout, "# never came true: %s\n%s\n", condition, fixture_log());
        fflush(stdout);
        abort();
    }
    fixture_turn();
}

void fixture_wait(void)
{
    fixture_until(live == 0);
}

void fixture_run(void (*function)(void *argument), void *argument)
{
    bool done = false;
    begin(function, argument, &done);
    fixture_until(done);
}

const char *fixture_log(void)
{
    static char text[1 << 16];
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
    for (const char *at = fixture_log(); (at = strstr(at, text)); at++)
        times++;
    return times;
}

bool fixture_logged(const char *text)
{
    return fixture_logged_times(text) > 0;
}

struct step {
    const char *key, *value;
    bp_span ttl;
    char *result;
    int status;
};

static void run_set(void *argument)
{
    struct step *step = argument;
    step->status = fixture.kv->set(fixture.redis, NULL, bp_str_of(step->key), bp_str_of(step->value), step->ttl);
}

int fixture_set(const char *key, const char *value, bp_span ttl)
{
    struct step step = {.key = key, .value = value, .ttl = ttl};
    fixture_run(run_set, &step);
    return step.status;
}

static void run_get(void *argument)
{
    struct step *step = argument;
    bp_str value = {0};
    step->status = fixture.kv->get(fixture.redis, NULL, bp_str_of(step->key), bp_fiber_arena(), &value);
    snprintf(step->result, 64, "%s", value.ptr ? value.ptr : "");
}

int fixture_get(const char *key, char ret_value[64])
{
    struct step step = {.key = key, .result = ret_value};
    fixture_run(run_get, &step);
    return step.status;
}

static void run_ping(void *argument)
{
    struct step *step = argument;
    step->status = fixture.kv->ping(fixture.redis, step->ttl);
}

int fixture_ping(bp_span timeout)
{
    struct step step = {.ttl = timeout};
    fixture_run(run_ping, &step);
    return step.status;
}

static void render(void *argument)
{
    *(bp_str *)argument = bp_metrics_render(metrics_arena, BP_METRIC_TEXT);
}

const char *fixture_metrics(void)
{
    bp_str text = {0};
    metrics_arena = arena_free(metrics_arena);
    must((metrics_arena = arena_new()));
    fixture_run(render, &text);
    return text.ptr ? text.ptr : "";
}
