/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/log.h"
#include "core/metric/metric.h"
#include "core/plugin/assembly.h"
#include "core/schema/schema.h"
#include "core/supervisor/shared.h"
#include "origin.h"

extern const struct bp_plugin *backplane_plugin(void);

struct http_client *client;
static struct shared *shared;
static struct bp_arena *arena, *metrics_arena;
static struct config config;
static struct config_plugin entry = {.use = "http_client", .name = "http_client"};
static struct assembly assembly = {.config = &config};
static struct bp_host host = {
    .name = "http_client", .name_str = BP_STR_INIT("http_client"), .assembly = &assembly, .config = &entry};
static bool started;

#define must(condition)                                                      \
    do {                                                                     \
        if (!(condition)) {                                                  \
            fprintf(stderr, "fixture: line %d: %s\n", __LINE__, #condition); \
            abort();                                                         \
        }                                                                    \
    } while (0)

void fixture_new(void)
{
    const struct loop_options options = {.offload_threads = 1};
    log_setup(BP_LOG_WARN, LOG_JSON, "test");
    must(shared_new(1 << 24, &shared) == 0);
    must((arena = arena_new()));
    assembly.arena = arena;
    assembly.shared = shared;
    assembly.data_dir = "/tmp";
    must(loop_new(&options, &assembly.loop) == 0);
    host.plugin = *backplane_plugin();
    must((host.self = calloc(1, host.plugin.self_size)));
    must(schema_check(host.plugin.options) == NULL);
    must(schema_set_defaults(host.plugin.options, false, arena, host.self) == 0);
    client = host.self;
}

int fixture_init(void)
{
    assembly.initializing = &host;
    int status = host.plugin.init(&host, host.self);
    assembly.initializing = NULL;
    return status;
}

struct run {
    void (*function)(void *argument);
    void *argument;
    struct bp_arena *arena;
    bool *done;
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
    *run->done = true;
    free(run);
}

static struct bp_fiber *begin(void (*function)(void *argument), void *argument, bool *done, bp_span limit)
{
    struct run *run = calloc(1, sizeof(*run));
    struct bp_fiber *fiber = NULL;
    must(run);
    *run = (struct run){.function = function, .argument = argument, .arena = arena_new(), .done = done};
    *done = false;
    must(fiber_start(assembly.loop,
                     &(struct fiber_start){.function = run_function,
                                           .ended = run_ended,
                                           .argument = run,
                                           .arena = run->arena,
                                           .deadline = limit > 0 ? bp_clock() + limit : BP_FOREVER,
                                           .name = "test"},
                     &fiber) == 0);
    return fiber;
}

static void run_to_end(void (*function)(void *argument), void *argument)
{
    bool done;
    (void)begin(function, argument, &done, 0);
    fixture_until(done);
}

static void start_instance(void *argument)
{
    *(int *)argument = host.plugin.start(&host, host.self);
}

void fixture_start(void)
{
    int status = BP_MISUSE;
    must(fixture_init() == 0);
    metrics_attach(shared);
    run_to_end(start_instance, &status);
    must(status == 0);
    started = true;
}

static void stop_instance(void *argument)
{
    (void)argument;
    host.plugin.stop(&host, host.self);
    loop_free_timers(assembly.loop, &host);
    loop_join_spawned(assembly.loop, &host);
}

void fixture_free(void)
{
    if (started)
        run_to_end(stop_instance, NULL);
    started = false;
    host.plugin.deinit(&host, host.self);
    free(host.self);
    assembly.loop = loop_free(assembly.loop);
    fiber_pool_free();
    shared = shared_free(shared);
    metrics_arena = arena_free(metrics_arena);
    arena = arena_free(arena);
}

void fixture_turn_before(bp_time limit, const char *condition)
{
    if (bp_clock() >= limit) {
        fprintf(stderr, "never came true: %s\n", condition);
        abort();
    }
    loop_turn(assembly.loop, BP_SECOND / 10);
}

static void run_call(void *argument)
{
    struct call *call = argument;
    struct bp_http_response response = {.status = 0};
    const struct bp_service service = {.vtable = backplane_plugin()->provides->vtable, .self = client};
    call->request.size = sizeof(call->request);
    call->request.url = bp_str_of(call->url);
    call->status = bp_http_send(service, &call->request, bp_fiber_arena(), &response);
    call->answer = response.status;
    call->body_len = response.body.len;
    snprintf(call->body, sizeof(call->body), "%" BP_STR_FMT, BP_STR_ARG(response.body));
    snprintf(call->why, sizeof(call->why), "%" BP_STR_FMT, BP_STR_ARG(response.why));
    call->fields[0] = '\0';
    for (size_t i = 0, at = 0; i < response.header_count && at < sizeof(call->fields); i++)
        at += (size_t)snprintf(call->fields + at, sizeof(call->fields) - at, "%" BP_STR_FMT "=%" BP_STR_FMT "\n",
                               BP_STR_ARG(response.headers[i].name), BP_STR_ARG(response.headers[i].value));
}

void call_begin(struct call *call)
{
    call->fiber = begin(run_call, call, &call->done, call->limit);
}

void call_wait(struct call *call)
{
    fixture_until(call->done);
}

void call_url(struct call *call, const char *scheme, const char *name, const char *path)
{
    snprintf(call->url, sizeof(call->url), "%s://%s:%d%s", scheme, name, origin.port, path);
}

void call_get(struct call *call, const char *name, const char *path)
{
    call_url(call, "http", name, path);
    call_begin(call);
    call_wait(call);
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
    run_to_end(render, &text);
    return text.ptr ? text.ptr : "";
}
