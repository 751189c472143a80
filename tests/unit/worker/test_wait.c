/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#include "backplane/arena.h"
#include "backplane/status.h"
#include "core/worker/fiber.h"
#include "tests/unit/worker/support.h"

TestSuite(wait, .init = worker_setup, .fini = worker_teardown);

struct sleeper {
    bp_span duration;
    bp_event *event;
    int fd;
    unsigned events;
    int status;
    bool done;
};

static struct bp_fiber *begin(fiber_function *function, struct sleeper *sleeper)
{
    struct fiber_start start = {.function = function, .argument = sleeper, .deadline = BP_FOREVER, .name = "test"};
    struct bp_fiber *fiber;
    sleeper->status = 99;
    sleeper->done = false;
    cr_assert_eq(fiber_start(loop, &start, &fiber), 0);
    return fiber;
}

static void sleeps(void *argument)
{
    struct sleeper *sleeper = argument;
    sleeper->status = bp_sleep(sleeper->duration);
    sleeper->done = true;
}

static void waits_for_event(void *argument)
{
    struct sleeper *sleeper = argument;
    sleeper->status = bp_event_wait(sleeper->event, sleeper->duration);
    sleeper->done = true;
}

static void waits_for_fd(void *argument)
{
    struct sleeper *sleeper = argument;
    sleeper->status = bp_wait_fd(sleeper->fd, sleeper->events, sleeper->duration);
    sleeper->done = true;
}

Test(wait, short_sleeps_are_precise)
{
    static const bp_span durations[] = {1, BP_MICROSECOND, BP_MILLISECOND, 7 * BP_MILLISECOND, 30 * BP_MILLISECOND};
    worker_time = 0;
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        struct sleeper sleeper = {.duration = durations[i]};
        bp_time from = bp_clock();
        begin(sleeps, &sleeper);
        cr_assert_not(sleeper.done);
        worker_turn_until(&sleeper.done);
        cr_assert_eq(sleeper.status, 0);
        cr_assert_geq(bp_clock() - from, durations[i], "never early");
    }
}

Test(wait, long_sleeps_are_on_the_wheel)
{
    static const bp_span durations[] = {BP_SECOND, 3 * BP_SECOND + 1, BP_HOUR};
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        struct sleeper sleeper = {.duration = durations[i]};
        begin(sleeps, &sleeper);
        worker_time += durations[i] - 1;
        loop_turn(loop, 0);
        cr_assert_eq(sleeper.status, 99, "never early");
        worker_time += 100 * BP_MILLISECOND;
        loop_turn(loop, 0);
        cr_assert_eq(sleeper.status, 0, "at most 100 ms late");
    }
}

Test(wait, no_duration_is_a_turn_for_others)
{
    struct sleeper first = {.duration = 0}, second = {.duration = -5};
    begin(sleeps, &first);
    begin(sleeps, &second);
    cr_assert_not(first.done);
    loop_turn(loop, BP_FOREVER);
    cr_assert(first.done && second.done);
    cr_assert_eq(first.status, 0);
    cr_assert_eq(second.status, 0);
}

Test(wait, sleeps_are_cancelled)
{
    static const bp_span durations[] = {10 * BP_MILLISECOND, BP_HOUR, BP_FOREVER};
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        struct sleeper sleeper = {.duration = durations[i]};
        struct bp_fiber *fiber = begin(sleeps, &sleeper);
        fiber_cancel(fiber, BP_CANCELED);
        cr_assert_not(sleeper.done);
        loop_turn(loop, 0);
        cr_assert_eq(sleeper.status, BP_CANCELED);
    }
}

Test(wait, events_time_out)
{
    static const bp_span durations[] = {BP_SECOND, 5 * BP_SECOND};
    bp_event event = {0};
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        struct sleeper sleeper = {.duration = durations[i], .event = &event};
        begin(waits_for_event, &sleeper);
        worker_time += durations[i] - 1;
        loop_turn(loop, 0);
        cr_assert_eq(sleeper.status, 99);
        worker_time += 100 * BP_MILLISECOND;
        loop_turn(loop, 0);
        cr_assert_eq(sleeper.status, BP_TIMEOUT);
        cr_assert_null(event.waiter);
    }
    bp_event_set(&event);
    cr_assert_eq(fiber_stats().live, 0);
}

Test(wait, a_short_timeout)
{
    bp_event event = {0};
    struct sleeper sleeper = {.duration = 5 * BP_MILLISECOND, .event = &event},
                   at_once = {.duration = 0, .event = &event};
    worker_time = 0;
    begin(waits_for_event, &at_once);
    cr_assert(at_once.done);
    cr_assert_eq(at_once.status, BP_TIMEOUT);
    begin(waits_for_event, &sleeper);
    worker_turn_until(&sleeper.done);
    cr_assert_eq(sleeper.status, BP_TIMEOUT);
}

Test(wait, an_event_before_its_timeout_leaves_no_timer)
{
    static const bp_span durations[] = {50 * BP_MILLISECOND, BP_SECOND};
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        bp_event event = {0};
        struct sleeper sleeper = {.duration = durations[i], .event = &event};
        begin(waits_for_event, &sleeper);
        bp_event_set(&event);
        loop_turn(loop, 0);
        cr_assert_eq(sleeper.status, 0);
        worker_time += BP_HOUR;
        loop_turn(loop, 0);
    }
}

Test(wait, descriptors)
{
    int ends[2];
    struct sleeper reader, writer;
    cr_assert_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    reader = (struct sleeper){.fd = ends[0], .events = BP_READABLE, .duration = BP_FOREVER};
    writer = (struct sleeper){.fd = ends[1], .events = BP_WRITABLE, .duration = 10 * BP_SECOND};
    begin(waits_for_fd, &reader);
    begin(waits_for_fd, &writer);
    worker_turn_until(&writer.done);
    cr_assert_eq(writer.status, 0);
    cr_assert_not(reader.done);
    cr_assert_eq(write(ends[1], "x", 1), 1);
    worker_turn_until(&reader.done);
    cr_assert_eq(reader.status, 0);
    cr_assert_eq(read(ends[0], (char[1]){0}, 1), 1);

    reader.duration = 2 * BP_SECOND;
    begin(waits_for_fd, &reader);
    worker_time += 3 * BP_SECOND;
    loop_turn(loop, 0);
    cr_assert_eq(reader.status, BP_TIMEOUT);
    fiber_cancel(begin(waits_for_fd, &reader), BP_CANCELED);
    loop_turn(loop, 0);
    cr_assert_eq(reader.status, BP_CANCELED);

    /* The other end closes: an end or an error is ready too. */
    begin(waits_for_fd, &reader);
    close(ends[1]);
    worker_turn_until(&reader.done);
    cr_assert_eq(reader.status, 0);
    close(ends[0]);
}

Test(wait, descriptors_that_cannot_be_waited_for)
{
    struct sleeper sleeper = {.fd = -1, .events = BP_READABLE, .duration = BP_FOREVER};
    begin(waits_for_fd, &sleeper);
    cr_assert_eq(sleeper.status, BP_MISUSE);
    sleeper.fd = STDIN_FILENO;
    sleeper.events = 0;
    begin(waits_for_fd, &sleeper);
    cr_assert_eq(sleeper.status, BP_MISUSE);
}

struct background {
    char trace[32];
    int status;
    bp_event event;
    bool done;
};

static int background_main(void *argument)
{
    struct background *background = argument;
    char *memory = bp_arena_alloc(bp_fiber_arena(), 100);
    cr_assert_not_null(memory);
    cr_assert_str_eq(fiber_place().plugin, "test");
    cr_assert_str_eq(fiber_place().hook, "listener");
    strcat(background->trace, "b");
    background->status = bp_event_wait(&background->event, BP_FOREVER);
    strcat(background->trace, "e");
    background->done = true;
    return background->status;
}

Test(wait, spawned_work_begins_at_the_end_of_the_turn)
{
    struct background background = {0};
    cr_assert_eq(bp_spawn(&host, "listener", background_main, &background, BP_FOREVER), 0);
    cr_assert_str_eq(background.trace, "");
    loop_turn(loop, BP_FOREVER);
    cr_assert_str_eq(background.trace, "b");
    bp_event_set(&background.event);
    loop_turn(loop, BP_FOREVER);
    cr_assert_str_eq(background.trace, "be");
    cr_assert_eq(fiber_stats().live, 0);
}

Test(wait, spawned_work_has_a_deadline)
{
    struct background background = {0};
    cr_assert_eq(bp_spawn(&host, "listener", background_main, &background, 5 * BP_SECOND), 0);
    loop_turn(loop, 0);
    worker_time += 5 * BP_SECOND - 1;
    loop_turn(loop, 0);
    cr_assert_not(background.done);
    worker_time += 100 * BP_MILLISECOND;
    loop_turn(loop, 0);
    cr_assert(background.done);
    cr_assert_eq(background.status, BP_TIMEOUT);
}

struct joiner {
    struct bp_host *host;
    bool done;
};

static void joins(void *argument)
{
    struct joiner *joiner = argument;
    loop_join_spawned(loop, joiner->host);
    joiner->done = true;
}

static int spawns_more(void *argument)
{
    int status = bp_sleep(BP_HOUR);
    cr_assert_eq(bp_spawn(&host, "listener", background_main, argument, BP_FOREVER), 0);
    return status;
}

Test(wait, join_cancels_and_waits_for_all_of_a_host)
{
    struct bp_host other_host = {.name = "test", .assembly = &assembly};
    struct background first = {0}, second = {0}, late = {0}, other = {0};
    struct joiner joiner = {.host = &host}, other_joiner = {.host = &other_host};
    struct fiber_start start = {.function = joins, .argument = &joiner, .deadline = BP_FOREVER};
    bp_spawn(&host, "listener", background_main, &first, BP_FOREVER);
    bp_spawn(&host, "listener", spawns_more, &late, BP_FOREVER);
    bp_spawn(&other_host, "listener", background_main, &other, BP_FOREVER);
    loop_turn(loop, 0);
    /* This one is cancelled before it ever ran. */
    bp_spawn(&host, "listener", background_main, &second, BP_FOREVER);
    cr_assert_eq(fiber_start(loop, &start, NULL), 0);
    cr_assert_not(joiner.done);
    worker_turn_until(&joiner.done);
    cr_assert(first.done && second.done && late.done);
    cr_assert_eq(first.status, BP_CANCELED);
    cr_assert_eq(second.status, BP_CANCELED);
    cr_assert_eq(late.status, BP_CANCELED);
    cr_assert_not(other.done, "another host's goes on");
    start.argument = &other_joiner;
    cr_assert_eq(fiber_start(loop, &start, NULL), 0);
    worker_turn_until(&other_joiner.done);
    cr_assert(other.done);
    cr_assert_eq(fiber_stats().live, 0);
}

Test(wait, join_without_any)
{
    struct joiner joiner = {.host = &host};
    cr_assert_eq(
        fiber_start(loop, &(struct fiber_start){.function = joins, .argument = &joiner, .deadline = BP_FOREVER}, NULL),
        0);
    cr_assert(joiner.done);
    loop_join_spawned(loop, &host);
}

struct ticking {
    struct bp_timer *timer;
    unsigned calls, end_after;
    bool done;
};

static void tick(void *argument)
{
    struct ticking *ticking = argument;
    cr_assert_null(fiber_current());
    cr_assert_str_eq(fiber_place().hook, "timer");
    if (++ticking->calls < ticking->end_after)
        return;
    ticking->timer = bp_timer_free(ticking->timer);
    cr_assert_null(ticking->timer);
    ticking->done = true;
}

Test(wait, a_timer_frees_itself)
{
    struct ticking ticking = {.end_after = 3}, never = {.end_after = 1};
    never.timer = bp_timer_every(&host, BP_HOUR, tick, &never);
    ticking.timer = bp_timer_every(&host, BP_MILLISECOND, tick, &ticking);
    worker_turn_until(&ticking.done);
    loop_turn(loop, 3 * BP_MILLISECOND);
    cr_assert_eq(ticking.calls, 3);
    cr_assert_eq(never.calls, 0);
    cr_assert_null(bp_timer_free(never.timer));
    cr_assert_null(bp_timer_free(NULL));
}

Test(wait, timers_end_with_their_host)
{
    struct bp_host other_host = {.name = "other", .assembly = &assembly};
    struct ticking mine[3] = {{.end_after = 1000}, {.end_after = 1000}, {.end_after = 1000}}, other = {.end_after = 2};
    for (size_t i = 0; i < 3; i++) {
        mine[i].timer = bp_timer_every(&host, BP_MILLISECOND, tick, &mine[i]);
        if (i == 1)
            other.timer = bp_timer_every(&other_host, 2 * BP_MILLISECOND, tick, &other);
    }
    loop_free_timers(loop, &host);
    worker_turn_until(&other.done);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(mine[i].calls, 0);
    /* Whatever is left is freed with the loop. */
    cr_assert_not_null(bp_timer_every(&host, BP_HOUR, tick, &mine[0]));
}

struct watched {
    struct bp_watch *watch;
    int fd;
    unsigned calls, events;
    bool frees;
};

static void note_events(void *argument, unsigned events)
{
    struct watched *watched = argument;
    watched->calls++;
    watched->events = events;
    if (watched->frees)
        watched->watch = bp_watch_free(watched->watch);
}

Test(wait, watched_descriptors)
{
    struct watched in = {0}, out = {0};
    int fds[2];
    cr_assert_eq(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    cr_assert_null(bp_watch_new(&host, -1, BP_READABLE, note_events, &in));
    in.watch = bp_watch_new(&host, fds[0], BP_READABLE, note_events, &in);
    out.watch = bp_watch_new(&host, fds[1], 0, note_events, &out);
    cr_assert(in.watch && out.watch);
    loop_turn(loop, 0);
    cr_assert(in.calls == 0 && out.calls == 0, "nothing to read, nothing asked for");
    cr_assert_eq(write(fds[1], "x", 1), 1);
    for (unsigned turn = 1; turn <= 3; turn++) {
        loop_turn(loop, 0);
        cr_assert_eq(in.calls, turn, "each turn, as long as it is readable");
        cr_assert_eq(in.events, BP_READABLE);
    }
    cr_assert(bp_watch_change(in.watch, 0));
    cr_assert(bp_watch_change(out.watch, BP_WRITABLE));
    loop_turn(loop, 0);
    cr_assert_eq(in.calls, 3);
    cr_assert_eq(out.calls, 1);
    cr_assert_eq(out.events, BP_WRITABLE);
    out.frees = true;
    loop_turn(loop, 0);
    loop_turn(loop, 0);
    cr_assert_eq(out.calls, 2, "freed by its own function");
    cr_assert(bp_watch_change(in.watch, BP_READABLE | BP_WRITABLE));
    close(fds[1]);
    loop_turn(loop, 0);
    cr_assert_eq(in.calls, 4);
    cr_assert(in.events & BP_READABLE, "the end is readable");
    cr_assert_null(bp_watch_free(in.watch));
    cr_assert_null(bp_watch_free(NULL));
    close(fds[0]);
}
