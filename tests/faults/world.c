/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backplane/status.h"
#include "build_info.h"
#include "core/base/arena.h"
#include "core/database/migrations.h"
#include "core/http/server.h"
#include "core/metric/metric.h"
#include "core/plugin/assembly.h"
#include "core/supervisor/shared.h"
#include "core/worker/fiber.h"
#include "core/worker/loop.h"

enum { PATIENCE_SECONDS = 10 };

bool world_prepare(char folder[64])
{
    snprintf(folder, 64, "/tmp/backplane-faults-XXXXXX");
    return mkdtemp(folder) && setenv("BACKPLANE_DATA", folder, 1) == 0 &&
           setenv("RATE_LIMIT_MAX_REQUESTS", "1000000000", 1) == 0 && setenv("LOG_LEVEL", "error", 1) == 0 &&
           /* Requests are traced, and nobody is there to take what was recorded: that is tried when the server stops. */
           setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1", 1) == 0 &&
           setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000", 1) == 0;
}

int world_load(struct world *world, const char *config_file)
{
    /* The executable of a test has no plugins beside it. */
    static const char *const sets[] = {"server.plugin_path=" BACKPLANE_BUILD_ROOT "/plugins",
                                       "plugins.auth.login_address_failures=0"}; /* many come from one address here */
    const struct config_load_options options = {.file = config_file, .sets = sets, .set_count = 2};
    int status = config_load(&options, &world->report, &world->config);
    if (status == 0)
        status = shared_private(world->config->server.shared_memory, &world->shared);
    if (status == 0)
        status = assembly_load(world->config, world->shared, &world->report, &world->assembly);
    return status;
}

int world_migrate(struct world *world)
{
    unsigned applied;
    return migrations_up(world->assembly, true, &applied);
}

struct call {
    struct world *world;
    int status;
    bool ended;
};

static void start_plugins(void *argument)
{
    struct call *call = argument;
    call->status = assembly_start(call->world->assembly);
}

static void stop_plugins(void *argument)
{
    struct call *call = argument;
    assembly_stop(call->world->assembly);
}

static void ended(void *argument)
{
    struct call *call = argument;
    call->ended = true;
}

/* Runs function on a fiber to its end. */
static int run(struct world *world, void (*function)(void *), struct call *call)
{
    const struct fiber_start start = {.function = function,
                                      .ended = ended,
                                      .argument = call,
                                      .arena = world->life_arena,
                                      .deadline = BP_FOREVER,
                                      .name = "life"};
    struct bp_fiber *fiber;
    arena_reset(world->life_arena);
    int status = fiber_start(world->loop, &start, &fiber);
    while (status == 0 && !call->ended)
        loop_turn(world->loop, BP_SECOND);
    return status;
}

int world_start(struct world *world)
{
    const struct loop_options options = {.offload_threads = 2};
    struct call call = {.world = world};
    world->life_arena = arena_new();
    int status = world->life_arena ? loop_new(&options, &world->loop) : BP_NOMEM;
    if (status)
        return status;
    world->assembly->loop = world->loop;
    metrics_attach(world->shared);
    status = run(world, start_plugins, &call);
    if (status || call.status)
        return status ? status : call.status;
    world->started = true;
    return server_new(world->loop, world->assembly, &world->server);
}

static void drained(void *argument)
{
    *(bool *)argument = true;
}

void world_close(struct world *world)
{
    bool empty = false;
    struct call call = {.world = world};
    if (world->server) {
        server_drain(world->server, drained, &empty);
        while (!empty)
            loop_turn(world->loop, BP_SECOND);
        world->server = server_free(world->server);
    }
    if (world->started)
        (void)run(world, stop_plugins, &call);
    world->assembly = assembly_free(world->assembly);
    world->loop = loop_free(world->loop);
    world->life_arena = arena_free(world->life_arena);
    world->shared = shared_free(world->shared);
    world->config = config_free(world->config);
    report_deinit(&world->report);
    fiber_pool_free();
    *world = (struct world){.started = false};
}

bool world_ask(struct world *world, const char *bytes, size_t len, char text[ANSWER_SIZE], size_t *ret_len)
{
    int ends[2];
    size_t sent = 0, got = 0;
    bp_time give_up = bp_clock() + PATIENCE_SECONDS * BP_SECOND;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return false;
    bool ended_well = server_take(world->server, ends[0]) != 0; /* then it has closed it */
    while (bp_clock() < give_up) {
        if (sent < len) {
            ssize_t n = send(ends[1], bytes + sent, len - sent, MSG_NOSIGNAL);
            if (n > 0)
                sent += (size_t)n;
        }
        loop_turn(world->loop, 2 * BP_MILLISECOND);
        ssize_t n = recv(ends[1], text + got, ANSWER_SIZE - 1 - got, 0);
        if (n > 0) {
            got += (size_t)n;
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            ended_well = true;
            break;
        }
    }
    close(ends[1]);
    loop_turn(world->loop, 0);
    text[got] = '\0';
    *ret_len = got;
    return ended_well;
}
