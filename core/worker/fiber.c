/* SPDX-License-Identifier: MIT */
#include "core/worker/fiber.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "backplane/status.h"
#include "core/base/sanitize.h"
#include "core/trace/trace.h"
#include "core/worker/loop.h"
#include "core/worker/suspend.h"
#include "core/worker/switch.h"
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

#define GUARD_BYTES ((size_t)64 * 1024)
#define STACK_BYTES ((size_t)256 * 1024)
#define MAPPED_BYTES (GUARD_BYTES + STACK_BYTES)
/* Stacks beyond these go back to the system when their fiber ends. */
#define POOLED_FIBERS 256u
/* Stacks begin at different cache lines of their last page, else all of them would compete for the same few cache sets. */
#define COLOURS 16u
#define COLOUR_BYTES ((size_t)128)

enum waiting { NOT_WAITING, WAITING, WAITING_ALWAYS };

/* Lies above the stack, in the same mapping. */
struct bp_fiber {
    struct switcher switcher;
    struct bp_fiber *next; /* in the pool */
    char *mapping;
    unsigned valgrind_id;
    struct fiber_start start;
    struct loop *loop;
    struct loop_deadline deadline;
    struct loop_task wake;
    struct fiber_place place;
    struct bp_tx *enlisted;
    struct fiber_trace trace;
    enum waiting waiting;
    bool woken;
    bool ended;
    int woken_with;
    int canceled;
};

static _Thread_local struct bp_fiber *current;
static _Thread_local struct fiber_place loop_place;
static _Thread_local struct fiber_place *place; /* NULL: the loop's */
static _Thread_local struct bp_fiber *pool;
static _Thread_local struct fiber_stats stats;

#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static void run(void *argument)
{
    struct bp_fiber *fiber = argument;
    fiber->start.function(fiber->start.argument);
    fiber->ended = true;
}

static struct bp_fiber *fiber_map(void)
{
    static _Atomic unsigned colour;
    size_t above = (sizeof(struct bp_fiber) + 63) & ~(size_t)63;
    struct bp_fiber *fiber;
    char *mapping = mmap(NULL, MAPPED_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping == MAP_FAILED)
        return NULL;
    if (mprotect(mapping + GUARD_BYTES, STACK_BYTES, PROT_READ | PROT_WRITE) != 0)
        goto unmap;
    above += atomic_fetch_add_explicit(&colour, 1, memory_order_relaxed) % COLOURS * COLOUR_BYTES;
    fiber = (void *)(mapping + MAPPED_BYTES - above);
    fiber->mapping = mapping;
    fiber->switcher.low = mapping + GUARD_BYTES;
    fiber->switcher.size = STACK_BYTES - above;
    fiber->switcher.run = run;
    fiber->switcher.argument = fiber;
    if (switch_init(&fiber->switcher) != 0)
        goto unmap;
    fiber->valgrind_id = VALGRIND_STACK_REGISTER(mapping + GUARD_BYTES, mapping + MAPPED_BYTES - above);
    return fiber;
unmap:
    munmap(mapping, MAPPED_BYTES);
    return NULL;
}

static void fiber_unmap(struct bp_fiber *fiber)
{
    switch_deinit(&fiber->switcher);
    VALGRIND_STACK_DEREGISTER(fiber->valgrind_id);
    memory_show(fiber->mapping + GUARD_BYTES, STACK_BYTES);
    munmap(fiber->mapping, MAPPED_BYTES);
}

static void fiber_release(struct bp_fiber *fiber)
{
    stats.live--;
    if (stats.pooled >= POOLED_FIBERS) {
        fiber_unmap(fiber);
        return;
    }
    fiber->next = pool;
    pool = fiber;
    stats.pooled++;
}

void fiber_pool_free(void)
{
    while (pool) {
        struct bp_fiber *fiber = pool;
        pool = fiber->next;
        fiber_unmap(fiber);
    }
    stats.pooled = 0;
}

struct fiber_stats fiber_stats(void)
{
    return stats;
}

/* On the loop's stack. */
static void fiber_resume(struct bp_fiber *fiber)
{
    fiber_function *ended = fiber->start.ended;
    void *argument = fiber->start.argument;
    current = fiber;
    place = &fiber->place;
    switch_in(&fiber->switcher);
    current = NULL;
    place = NULL;
    if (!fiber->ended)
        return;
    loop_deadline_clear(fiber->loop, &fiber->deadline);
    /* Back to the pool first: what ended() starts next finds a stack that is still in the cache. */
    fiber_release(fiber);
    if (ended)
        ended(argument);
}

static void wake_task(struct loop_task *task)
{
    fiber_resume(CONTAINER_OF(task, struct bp_fiber, wake));
}

static void deadline_passed(struct loop_deadline *deadline)
{
    fiber_cancel(CONTAINER_OF(deadline, struct bp_fiber, deadline), BP_TIMEOUT);
}

int fiber_prepare(struct loop *loop, const struct fiber_start *start, struct bp_fiber **ret_fiber)
{
    struct bp_fiber *fiber = pool;
    if (fiber) {
        pool = fiber->next;
        stats.pooled--;
    } else {
        fiber = fiber_map();
        if (!fiber)
            return BP_NOMEM;
    }
    stats.live++;
    stats.started++;
    fiber->next = NULL;
    fiber->start = *start;
    fiber->loop = loop;
    fiber->deadline = (struct loop_deadline){.function = deadline_passed};
    fiber->wake = (struct loop_task){.function = wake_task};
    fiber->place = (struct fiber_place){0};
    fiber->enlisted = NULL;
    fiber->trace = (struct fiber_trace){0};
    fiber->waiting = NOT_WAITING;
    fiber->woken = fiber->ended = false;
    fiber->canceled = 0;
    fiber_set_deadline(fiber, start->deadline);
    *ret_fiber = fiber;
    return 0;
}

void fiber_begin_later(struct bp_fiber *fiber)
{
    loop_at_turn_end(fiber->loop, &fiber->wake);
}

int fiber_start(struct loop *loop, const struct fiber_start *start, struct bp_fiber **ret_fiber)
{
    struct bp_fiber *fiber;
    int status;
    if (current)
        return BP_MISUSE;
    status = fiber_prepare(loop, start, &fiber);
    if (status < 0)
        return status;
    if (ret_fiber)
        *ret_fiber = fiber;
    fiber_resume(fiber);
    return 0;
}

int fiber_suspend(bool cancellable)
{
    struct bp_fiber *fiber = current;
    if (cancellable && fiber->canceled)
        return fiber->canceled;
    if (fiber->trace.frame)
        trace_frame_show(fiber->trace.frame);
    fiber->waiting = cancellable ? WAITING : WAITING_ALWAYS;
    fiber->woken = false;
    switch_out(&fiber->switcher);
    fiber->waiting = NOT_WAITING;
    /* Both a deadline and a cancel may have come in one turn: the cancel wins. */
    return fiber->woken_with < 0 && fiber->canceled ? fiber->canceled : fiber->woken_with;
}

void fiber_wake(struct bp_fiber *fiber, int status)
{
    if (fiber->waiting == NOT_WAITING || fiber->woken)
        return;
    fiber->woken = true;
    fiber->woken_with = status;
    loop_at_turn_end(fiber->loop, &fiber->wake);
}

int fiber_yield(void)
{
    struct bp_fiber *fiber = current;
    if (fiber->canceled)
        return fiber->canceled;
    fiber->waiting = WAITING_ALWAYS;
    fiber->woken = false;
    fiber_wake(fiber, 0);
    switch_out(&fiber->switcher);
    fiber->waiting = NOT_WAITING;
    return 0;
}

void fiber_cancel(struct bp_fiber *fiber, int status)
{
    if (fiber->canceled != BP_CANCELED)
        fiber->canceled = status;
    if (fiber->waiting == WAITING)
        fiber_wake(fiber, fiber->canceled);
}

int fiber_canceled(const struct bp_fiber *fiber)
{
    return fiber->canceled;
}

void fiber_set_deadline(struct bp_fiber *fiber, bp_time deadline)
{
    fiber->start.deadline = deadline;
    loop_deadline_set(fiber->loop, &fiber->deadline, deadline);
}

struct bp_fiber *fiber_current(void)
{
    return current;
}

struct bp_request *fiber_request(const struct bp_fiber *fiber)
{
    return fiber->start.request;
}

struct bp_arena *fiber_arena(const struct bp_fiber *fiber)
{
    return fiber->start.arena;
}

struct loop *fiber_loop(const struct bp_fiber *fiber)
{
    return fiber->loop;
}

const char *fiber_name(const struct bp_fiber *fiber)
{
    return fiber->start.name;
}

struct fiber_place fiber_enter(struct fiber_place entered)
{
    struct fiber_place *now = place ? place : &loop_place, before = *now;
    *now = entered;
    return before;
}

struct fiber_place fiber_place(void)
{
    return place ? *place : loop_place;
}

struct fiber_place *fiber_place_of(struct bp_fiber *fiber)
{
    return &fiber->place;
}

struct fiber_trace *fiber_trace_of(struct bp_fiber *fiber)
{
    return &fiber->trace;
}

bool fiber_in_guard(const void *address)
{
    const struct bp_fiber *fiber = current;
    return fiber && (const char *)address >= fiber->mapping && (const char *)address < fiber->mapping + GUARD_BYTES;
}

struct bp_tx **fiber_enlisted(struct bp_fiber *fiber)
{
    return &fiber->enlisted;
}
