/* SPDX-License-Identifier: MIT */
#include "tests/support/fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backplane/status.h"
#include "core/base/arena.h"
#include "core/base/log.h"
#include "core/metric/metric.h"
#include "core/plugin/instance.h"
#include "core/schema/schema.h"
#include "core/supervisor/shared.h"

extern const struct bp_plugin *backplane_plugin(void);

static struct config config;
static struct config_plugin entry;
struct assembly fixture_assembly = {.config = &config};
struct bp_host fixture_host = {.assembly = &fixture_assembly, .config = &entry};
char fixture_folder[256];
static struct shared *shared;
static struct bp_arena *arena, *metrics_arena;
static unsigned offload_threads, live;
static bool started;

static const char *log_path(void)
{
    static char path[300];
    (void)snprintf(path, sizeof(path), "%s/log", fixture_folder);
    return path;
}

_Noreturn void fixture_fail(const char *condition, const char *file, int line)
{
    (void)dprintf(STDOUT_FILENO, "# %s:%d: %s\n%s\n", file, line, condition, fixture_folder[0] ? fixture_log() : "");
    abort();
}

static void new_instance(void)
{
    const struct loop_options options = {.offload_threads = offload_threads};
    fixture_must(loop_new(&options, &fixture_assembly.loop) == 0);
    fixture_host.plugin = *backplane_plugin();
    fixture_host.state = HOST_LOADED;
    fixture_host.wrong = false;
    fixture_must((fixture_host.self = calloc(1, fixture_host.plugin.self_size)));
    fixture_must(schema_check(fixture_host.plugin.options) == NULL);
    fixture_must(schema_set_defaults(fixture_host.plugin.options, false, arena, fixture_host.self) == 0);
}

void fixture_open(const char *plugin, const char *instance, unsigned threads)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(fixture_folder, sizeof(fixture_folder), "%s/%s-test-XXXXXX", base ? base : "/tmp", plugin);
    if (!mkdtemp(fixture_folder))
        fixture_folder[0] = '\0';
    fixture_must(fixture_folder[0]);
    int fd = open(log_path(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    fixture_must(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    (void)close(fd);
    log_setup(BP_LOG_DEBUG, LOG_JSON, "test");
    fixture_must(shared_new(1 << 24, &shared) == 0);
    fixture_must((arena = arena_new()));
    fixture_assembly.arena = arena;
    fixture_assembly.shared = shared;
    fixture_assembly.data_dir = fixture_folder;
    entry = (struct config_plugin){.use = plugin, .name = instance};
    fixture_host.name = instance;
    fixture_host.name_str = bp_str_of(instance);
    offload_threads = threads;
    new_instance();
}

void fixture_reopen(void)
{
    live = 0;
    started = false;
    new_instance();
}

int fixture_init(void)
{
    struct report report = {0};
    fixture_assembly.report = &report;
    instance_init(&fixture_host);
    fixture_assembly.report = NULL;
    if (report.text.len > 0)
        (void)fwrite(report.text.ptr, 1, report.text.len, stderr);
    report_deinit(&report);
    return fixture_host.state == HOST_READY ? 0 : BP_INVALID;
}

static void run_start(void *argument)
{
    *(int *)argument = fixture_host.plugin.start(&fixture_host, fixture_host.self);
}

int fixture_start_instance(void)
{
    int status = BP_MISUSE;
    metrics_attach(shared);
    fixture_run(run_start, &status);
    started = status == 0;
    return status;
}

static void run_stop(void *argument)
{
    (void)argument;
    fixture_host.plugin.stop(&fixture_host, fixture_host.self);
    loop_free_timers(fixture_assembly.loop, &fixture_host);
    loop_join_spawned(fixture_assembly.loop, &fixture_host);
}

void fixture_stop(void)
{
    if (started)
        fixture_run(run_stop, NULL);
    started = false;
}

static void remove_folder(void)
{
    DIR *folder = opendir(fixture_folder);
    for (struct dirent *file; folder && (file = readdir(folder));)
        if (file->d_name[0] != '.')
            (void)unlinkat(dirfd(folder), file->d_name, 0);
    if (folder)
        (void)closedir(folder);
    (void)rmdir(fixture_folder);
    fixture_folder[0] = '\0';
}

void fixture_close(void)
{
    fixture_stop();
    instance_deinit(&fixture_host);
    fixture_assembly.loop = loop_free(fixture_assembly.loop);
    fiber_pool_free();
    shared = shared_free(shared);
    metrics_arena = arena_free(metrics_arena);
    fixture_assembly.health = NULL; /* in the arena */
    arena = arena_free(arena);
    remove_folder();
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

struct bp_fiber *fixture_begin(void (*function)(void *argument), void *argument, bp_time deadline, bool *done)
{
    struct run *run = calloc(1, sizeof(*run));
    struct bp_fiber *fiber = NULL;
    fixture_must(run);
    *run = (struct run){.function = function, .argument = argument, .arena = arena_new(), .done = done};
    if (done)
        *done = false;
    live++;
    fixture_must(fiber_start(fixture_assembly.loop,
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
    loop_turn(fixture_assembly.loop, BP_SECOND / 10);
}

void fixture_wait(void)
{
    fixture_until(live == 0);
}

void fixture_run(void (*function)(void *argument), void *argument)
{
    bool done;
    (void)fixture_begin(function, argument, BP_FOREVER, &done);
    fixture_until(done);
}

const char *fixture_log(void)
{
    static char text[1 << 17];
    FILE *file = fopen(log_path(), "re");
    size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file)
        (void)fclose(file);
    text[len] = '\0';
    return text;
}

unsigned fixture_logged(const char *text)
{
    unsigned times = 0;
    for (const char *at = fixture_log(); (at = strstr(at, text)); at++)
        times++;
    return times;
}

static void render(void *argument)
{
    *(bp_str *)argument = bp_metrics_render(metrics_arena, BP_METRIC_TEXT);
}

const char *fixture_metrics(void)
{
    bp_str text = {0};
    metrics_arena = arena_free(metrics_arena);
    fixture_must((metrics_arena = arena_new()));
    fixture_run(render, &text);
    return text.ptr ? text.ptr : "";
}
