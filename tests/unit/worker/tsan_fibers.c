/* SPDX-License-Identifier: MIT */
/* Fibers, offload and posts together, in a plain program: Criterion cannot run under TSan. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "backplane/arena.h"
#include "backplane/status.h"
#include "core/plugin/assembly.h"
#include "core/worker/fiber.h"
#include "core/worker/loop.h"

#define FIBERS 200
#define ROUNDS 5
#define POSTERS 3
#define POSTS 300

struct state {
    struct loop *loop;
    struct bp_host *host;
    unsigned fibers_left, offloaded, busy;
    unsigned next_post[POSTERS], posts_left;
    bool out_of_order;
    int failed;
};

struct work {
    struct state *state;
    uint64_t value;
};

struct posted {
    struct state *state;
    unsigned poster, number;
};

static struct posted posted[POSTERS][POSTS];

static int square(void *job)
{
    struct work *work = job;
    work->value *= work->value;
    return 0;
}

static void stop_when_done(struct state *state)
{
    if (state->fibers_left == 0 && state->posts_left == 0)
        loop_stop(state->loop);
}

static int fiber_main(void *argument)
{
    struct state *state = argument;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct work work = {.state = state, .value = i};
        uint64_t *kept = bp_arena_alloc(bp_fiber_arena(), sizeof(*kept));
        int status;
        *kept = i * i;
        do {
            status = bp_offload(square, &work);
            if (status == BP_BUSY) {
                state->busy++;
                bp_sleep(BP_MILLISECOND);
            }
        } while (status == BP_BUSY);
        if (status != 0 || work.value != *kept)
            state->failed++;
        state->offloaded++;
    }
    state->fibers_left--;
    stop_when_done(state);
    return 0;
}

static void arrived(void *argument)
{
    struct posted *one = argument;
    struct state *state = one->state;
    if (one->number != state->next_post[one->poster])
        state->out_of_order = true;
    state->next_post[one->poster]++;
    state->posts_left--;
    stop_when_done(state);
}

static void *poster_main(void *argument)
{
    struct posted *all = argument;
    for (unsigned i = 0; i < POSTS; i++)
        if (!bp_post(all[i].state->host, arrived, &all[i]))
            return NULL;
    return argument;
}

int main(void)
{
    struct state state = {.fibers_left = FIBERS, .posts_left = POSTERS * POSTS};
    const struct loop_options options = {.offload_threads = 3, .offload_queue = 64};
    struct assembly assembly = {0};
    struct bp_host host = {.name = "test", .name_str = BP_STR("test"), .assembly = &assembly};
    pthread_t posters[POSTERS];
    struct loop_offload_stats stats;
    bool joined = true;
    if (loop_new(&options, &state.loop) != 0)
        return 1;
    assembly.loop = state.loop;
    state.host = &host;
    for (unsigned i = 0; i < POSTERS; i++) {
        for (unsigned j = 0; j < POSTS; j++)
            posted[i][j] = (struct posted){.state = &state, .poster = i, .number = j};
        if (pthread_create(&posters[i], NULL, poster_main, posted[i]) != 0)
            return 1;
    }
    for (unsigned i = 0; i < FIBERS; i++)
        if (bp_spawn(&host, "test", fiber_main, &state, BP_FOREVER) != 0)
            return 1;
    if (loop_run(state.loop) != 0)
        return 1;
    for (unsigned i = 0; i < POSTERS; i++) {
        void *result;
        pthread_join(posters[i], &result);
        joined = joined && result;
    }
    stats = loop_offload_stats(state.loop);
    /* The last fiber stopped the loop from within; one more turn ends it. */
    loop_turn(state.loop, 0);
    loop_free(state.loop);
    printf("offloaded %u, busy %u, posts left %u, live %" PRIu64 "\n", state.offloaded, state.busy, state.posts_left,
           fiber_stats().live);
    fiber_pool_free();
    return !(joined && state.offloaded == FIBERS * ROUNDS && state.failed == 0 && !state.out_of_order &&
             state.posts_left == 0 && fiber_stats().live == 0 && stats.done == FIBERS * ROUNDS &&
             stats.refused == state.busy && stats.running == 0 && stats.queued == 0);
}
