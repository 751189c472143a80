/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "backplane/arena.h"
#include "backplane/status.h"
#include "core/base/arena.h"
#include "core/worker/fiber.h"
#include "core/worker/loop.h"
#include "tests/unit/worker/support.h"

TestSuite(fiber, .init = worker_setup, .fini = worker_teardown);

struct seen {
    struct bp_fiber *fiber;
    bp_event *event;
    int calls, ended, status;
    char trace[16];
};

static void note(struct seen *seen, char c)
{
    seen->trace[strlen(seen->trace)] = c;
}

static void ended(void *argument)
{
    struct seen *seen = argument;
    cr_assert_null(fiber_current(), "ended() is called on the loop's own stack");
    note(seen, 'e');
    seen->ended++;
}

static void simple(void *argument)
{
    struct seen *seen = argument;
    cr_assert_not_null(fiber_current());
    cr_assert_eq(fiber_current(), seen->fiber, "ret_fiber is set before the function runs");
    cr_assert_eq(fiber_loop(fiber_current()), loop);
    cr_assert_eq((void *)fiber_request(fiber_current()), (void *)seen);
    cr_assert_eq(fiber_arena(fiber_current()), bp_fiber_arena());
    note(seen, 'f');
    seen->calls++;
}

Test(fiber, runs_at_once_and_ends)
{
    struct bp_arena *arena = arena_new();
    struct seen seen = {0};
    struct fiber_start start = {.function = simple,
                                .ended = ended,
                                .argument = &seen,
                                .arena = arena,
                                .deadline = BP_FOREVER,
                                .request = (struct bp_request *)(void *)&seen,
                                .name = "test"};
    for (int i = 1; i <= 3; i++) {
        cr_assert_eq(fiber_start(loop, &start, &seen.fiber), 0);
        cr_assert_eq(seen.calls, i);
        cr_assert_eq(seen.ended, i);
        cr_assert_null(fiber_current());
        cr_assert_null(bp_fiber_arena());
    }
    cr_assert_str_eq(seen.trace, "fefefe");
    cr_assert_eq(fiber_stats().live, 0);
    cr_assert_eq(fiber_stats().pooled, 1, "one stack served all three");
    cr_assert_eq(fiber_stats().started, 3);
    arena_free(arena);
}

static void waits(void *argument)
{
    struct seen *seen = argument;
    note(seen, '1');
    seen->status = bp_event_wait(seen->event, BP_FOREVER);
    note(seen, '2');
}

static void begin(struct seen *seen, fiber_function *function, bp_time deadline)
{
    struct fiber_start start = {
        .function = function, .ended = ended, .argument = seen, .deadline = deadline, .name = "test"};
    cr_assert_eq(fiber_start(loop, &start, &seen->fiber), 0);
}

Test(fiber, suspends_and_resumes_at_the_end_of_the_turn)
{
    bp_event event = {0};
    struct seen seen = {.event = &event, .status = 99};
    begin(&seen, waits, BP_FOREVER);
    cr_assert_str_eq(seen.trace, "1");
    cr_assert_eq(fiber_stats().live, 1);
    loop_turn(loop, 0);
    cr_assert_str_eq(seen.trace, "1", "nobody set the event");
    bp_event_set(&event);
    bp_event_set(&event);
    cr_assert_str_eq(seen.trace, "1", "not from within bp_event_set()");
    loop_turn(loop, BP_FOREVER);
    cr_assert_str_eq(seen.trace, "12e");
    cr_assert_eq(seen.status, 0);
    cr_assert_null(event.waiter);
    cr_assert_eq(fiber_stats().live, 0);
}

static void set_before(void *argument)
{
    struct seen *seen = argument;
    bp_event_set(seen->event);
    seen->status = bp_event_wait(seen->event, BP_FOREVER);
    bp_event_wait_always(seen->event);
}

Test(fiber, an_event_set_before_the_wait_does_not_suspend)
{
    bp_event event = {0};
    struct seen seen = {.event = &event, .status = 99};
    begin(&seen, set_before, BP_FOREVER);
    cr_assert_str_eq(seen.trace, "e");
    cr_assert_eq(seen.status, 0);
}

struct depth {
    bp_event *event;
    int status;
};

/* Frames of its own size at each level, so that a stack which moved or was shared would show. */
static int descend(bp_event *event, int level)
{
    volatile unsigned char frame[512];
    int status;
    memset((void *)frame, level, sizeof(frame));
    status = level == 0 ? bp_event_wait(event, BP_FOREVER) : descend(event, level - 1);
    for (size_t i = 0; i < sizeof(frame); i++)
        if (frame[i] != level)
            return 1;
    return status < 0 ? bp_trace(status) : status;
}

static void deep(void *argument)
{
    struct depth *depth = argument;
    depth->status = descend(depth->event, 40);
}

Test(fiber, a_thousand_wait_deep_in_their_stacks)
{
    enum { COUNT = 1000 };
    static bp_event events[COUNT];
    static struct depth depths[COUNT];
    static struct bp_fiber *fibers[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        depths[i] = (struct depth){.event = &events[i], .status = 99};
        cr_assert_eq(
            fiber_start(loop, &(struct fiber_start){.function = deep, .argument = &depths[i], .deadline = BP_FOREVER},
                        &fibers[i]),
            0);
    }
    cr_assert_eq(fiber_stats().live, COUNT);
    /* Every third is cancelled: the status must come out of forty frames as it went in. */
    for (size_t i = 0; i < COUNT; i++) {
        if (i % 3 == 0)
            fiber_cancel(fibers[i], BP_CANCELED);
        else
            bp_event_set(&events[i]);
    }
    loop_turn(loop, 0);
    for (size_t i = 0; i < COUNT; i++)
        cr_assert_eq(depths[i].status, i % 3 == 0 ? BP_CANCELED : 0, "fiber %zu: %d", i, depths[i].status);
    cr_assert_eq(fiber_stats().live, 0);
    cr_assert_leq(fiber_stats().pooled, 256, "the rest went back to the system");
    fiber_pool_free();
    cr_assert_eq(fiber_stats().pooled, 0);
}

struct cancels {
    bp_event first, second;
    int statuses[6];
};

static void wait_many(void *argument)
{
    struct cancels *c = argument;
    c->statuses[0] = bp_event_wait(&c->first, BP_FOREVER);
    c->statuses[1] = bp_sleep(BP_HOUR);
    c->statuses[2] = bp_wait_fd(0, BP_READABLE, BP_FOREVER);
    c->statuses[3] = bp_offload(NULL, NULL);
    c->statuses[4] = bp_sleep(0);
    bp_event_wait_always(&c->second);
    c->statuses[5] = fiber_canceled(fiber_current());
}

Test(fiber, a_cancelled_fiber_can_only_wait_for_what_must_be)
{
    static const struct {
        int statuses[3], expected;
    } cases[] = {
        {{BP_CANCELED, 0, 0}, BP_CANCELED},
        {{BP_TIMEOUT, 0, 0}, BP_TIMEOUT},
        {{BP_TIMEOUT, BP_CANCELED, 0}, BP_CANCELED},
        {{BP_CANCELED, BP_TIMEOUT, BP_TIMEOUT}, BP_CANCELED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cancels c = {.statuses = {9, 9, 9, 9, 9, 9}};
        struct bp_fiber *fiber;
        cr_assert_eq(fiber_start(loop,
                                 &(struct fiber_start){.function = wait_many, .argument = &c, .deadline = BP_FOREVER},
                                 &fiber),
                     0);
        cr_assert_eq(fiber_canceled(fiber), 0);
        for (size_t j = 0; j < 3 && cases[i].statuses[j]; j++)
            fiber_cancel(fiber, cases[i].statuses[j]);
        loop_turn(loop, 0);
        for (size_t j = 0; j < 5; j++)
            cr_assert_eq(c.statuses[j], cases[i].expected, "case %zu, wait %zu: %d", i, j, c.statuses[j]);
        cr_assert_eq(c.statuses[5], 9, "bp_event_wait_always() does not end");
        fiber_cancel(fiber, BP_CANCELED);
        loop_turn(loop, 0);
        cr_assert_eq(fiber_stats().live, 1);
        bp_event_set(&c.second);
        loop_turn(loop, 0);
        cr_assert_eq(c.statuses[5], BP_CANCELED);
        cr_assert_eq(fiber_stats().live, 0);
    }
}

Test(fiber, an_event_set_in_the_turn_of_the_cancel_counts)
{
    bp_event event = {0};
    struct seen seen = {.event = &event, .status = 99};
    begin(&seen, waits, BP_FOREVER);
    fiber_cancel(seen.fiber, BP_CANCELED);
    bp_event_set(&event);
    loop_turn(loop, 0);
    cr_assert_eq(seen.status, 0);
}

Test(fiber, its_deadline_ends_its_waits)
{
    bp_event event = {0};
    struct seen seen = {.event = &event, .status = 99};
    begin(&seen, waits, worker_time + 30 * BP_SECOND);
    worker_time += 30 * BP_SECOND - 1;
    loop_turn(loop, 0);
    cr_assert_eq(seen.status, 99, "never early");
    worker_time += 100 * BP_MILLISECOND;
    loop_turn(loop, 0);
    cr_assert_eq(seen.status, BP_TIMEOUT, "at most 100 ms late");
    cr_assert_eq(seen.ended, 1);
}

Test(fiber, its_deadline_moves)
{
    bp_event event = {0};
    struct seen seen = {.event = &event, .status = 99};
    begin(&seen, waits, worker_time + BP_SECOND);
    fiber_set_deadline(seen.fiber, worker_time + 5 * BP_SECOND);
    worker_time += 4 * BP_SECOND;
    loop_turn(loop, 0);
    cr_assert_eq(seen.status, 99);
    fiber_set_deadline(seen.fiber, BP_FOREVER);
    worker_time += BP_DAY;
    loop_turn(loop, 0);
    cr_assert_eq(seen.status, 99);
    fiber_set_deadline(seen.fiber, worker_time);
    worker_time += 200 * BP_MILLISECOND;
    loop_turn(loop, 0);
    cr_assert_eq(seen.status, BP_TIMEOUT);
}

static void starts_another(void *argument)
{
    struct seen *seen = argument;
    struct bp_fiber *other;
    seen->status = fiber_start(loop, &(struct fiber_start){.function = simple, .argument = seen}, &other);
}

Test(fiber, is_not_started_from_another)
{
    struct seen seen = {.status = 99};
    begin(&seen, starts_another, BP_FOREVER);
    cr_assert_eq(seen.status, BP_MISUSE);
    cr_assert_eq(seen.calls, 0);
}

Test(fiber, waits_off_a_fiber_are_misuse)
{
    bp_event event = {0};
    cr_assert_eq(bp_sleep(1), BP_MISUSE);
    cr_assert_eq(bp_event_wait(&event, 1), BP_MISUSE);
    cr_assert_eq(bp_wait_fd(0, BP_READABLE, 1), BP_MISUSE);
    cr_assert_eq(bp_offload(NULL, NULL), BP_MISUSE);
    cr_assert_null(bp_fiber_arena());
}

static void second_waiter(void *argument)
{
    struct seen *seen = argument;
    seen->status = bp_event_wait(seen->event, BP_FOREVER);
}

Test(fiber, an_event_has_one_waiter)
{
    bp_event event = {0};
    struct seen first = {.event = &event, .status = 99}, second = first;
    begin(&first, waits, BP_FOREVER);
    begin(&second, second_waiter, BP_FOREVER);
    cr_assert_eq(second.status, BP_MISUSE);
    bp_event_set(&event);
    loop_turn(loop, 0);
    cr_assert_eq(first.status, 0);
}

static void enters(void *argument)
{
    struct seen *seen = argument;
    struct fiber_place before = fiber_enter((struct fiber_place){.plugin = "auth", .hook = "middleware"});
    cr_assert_null(before.plugin);
    bp_event_wait(seen->event, BP_FOREVER);
    cr_assert_str_eq(fiber_place().plugin, "auth");
    cr_assert_str_eq(fiber_place().hook, "middleware");
    before = fiber_enter(before);
    cr_assert_str_eq(before.plugin, "auth");
    cr_assert_null(fiber_place().plugin);
    seen->calls++;
}

Test(fiber, keeps_its_place_while_others_run)
{
    bp_event event = {0};
    struct seen seen = {.event = &event};
    struct fiber_place before = fiber_enter((struct fiber_place){.plugin = "health", .hook = "timer"});
    cr_assert_null(before.plugin);
    begin(&seen, enters, BP_FOREVER);
    cr_assert_str_eq(fiber_place().plugin, "health");
    bp_event_set(&event);
    loop_turn(loop, 0);
    cr_assert_eq(seen.calls, 1);
    cr_assert_str_eq(fiber_enter(before).plugin, "health");
}
