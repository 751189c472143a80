/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/worker/fiber.h"
#include "tests/unit/worker/support.h"

TestSuite(loop, .init = worker_setup, .fini = worker_teardown);

static char trace[64];

static void note(char c)
{
    trace[strlen(trace)] = c;
}

struct letter {
    struct loop_task task;
    struct loop_deadline deadline;
    char letter;
    struct letter *also, *takes_back;
    bp_time again;
};

static void task_ran(struct loop_task *task)
{
    struct letter *letter = (struct letter *)(void *)task;
    note(letter->letter);
    if (letter->also)
        loop_at_turn_end(loop, &letter->also->task);
    if (letter->takes_back)
        loop_task_clear(loop, &letter->takes_back->task);
}

#define LETTER(c)                                                                     \
    {                                                                                 \
        .letter = (c), .task.function = task_ran, .deadline.function = deadline_fired \
    }

static void deadline_fired(struct loop_deadline *deadline)
{
    struct letter *letter = (struct letter *)(void *)((char *)deadline - offsetof(struct letter, deadline));
    cr_assert_not(deadline->armed);
    note(letter->letter);
    if (letter->takes_back)
        loop_deadline_clear(loop, &letter->takes_back->deadline);
    if (letter->also)
        loop_deadline_set(loop, &letter->also->deadline, letter->again);
}

Test(loop, tasks_run_in_order_once)
{
    struct letter a = LETTER('a'), b = LETTER('b'), c = LETTER('c');
    loop_at_turn_end(loop, &b.task);
    loop_at_turn_end(loop, &a.task);
    loop_at_turn_end(loop, &b.task);
    loop_at_turn_end(loop, &c.task);
    cr_assert_str_eq(trace, "");
    /* A queued task keeps the turn from waiting for events. */
    loop_turn(loop, BP_FOREVER);
    cr_assert_str_eq(trace, "bac");
    loop_turn(loop, 0);
    cr_assert_str_eq(trace, "bac");
    loop_at_turn_end(loop, &b.task);
    loop_turn(loop, 0);
    cr_assert_str_eq(trace, "bacb");
}

Test(loop, a_task_may_add_and_take_back)
{
    struct letter a = LETTER('a'), b = LETTER('b'), c = LETTER('c'), d = LETTER('d');
    a.also = &d;
    a.takes_back = &b;
    loop_at_turn_end(loop, &a.task);
    loop_at_turn_end(loop, &b.task);
    loop_at_turn_end(loop, &c.task);
    loop_turn(loop, 0);
    cr_assert_str_eq(trace, "acd", "what is added meanwhile runs in the same turn");
    loop_task_clear(loop, &b.task);
    loop_at_turn_end(loop, &b.task);
    loop_at_turn_end(loop, &c.task);
    loop_task_clear(loop, &c.task);
    loop_at_turn_end(loop, &d.task);
    loop_turn(loop, 0);
    cr_assert_str_eq(trace, "acdbd", "the last one was taken out of the queue");
}

Test(loop, a_task_that_adds_itself_does_not_stop_the_turn)
{
    struct letter a = LETTER('a');
    a.also = &a;
    loop_at_turn_end(loop, &a.task);
    loop_turn(loop, 0);
    cr_assert_eq(strlen(trace), 16);
    loop_task_clear(loop, &a.task);
    loop_turn(loop, 0);
    cr_assert_eq(strlen(trace), 16);
}

Test(loop, deadlines_are_never_early_and_at_most_a_tick_late)
{
    static const bp_span after[] = {1,
                                    BP_MILLISECOND,
                                    99 * BP_MILLISECOND,
                                    100 * BP_MILLISECOND,
                                    101 * BP_MILLISECOND,
                                    BP_SECOND,
                                    30 * BP_SECOND,
                                    51 * BP_SECOND + 200 * BP_MILLISECOND,
                                    52 * BP_SECOND,
                                    3 * BP_MINUTE,
                                    BP_HOUR};
    static const bp_span offsets[] = {0, 1, 50 * BP_MILLISECOND, 100 * BP_MILLISECOND - 1};
    for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
        for (size_t j = 0; j < sizeof(offsets) / sizeof(offsets[0]); j++) {
            struct letter a = LETTER('a');
            bp_time at;
            memset(trace, 0, sizeof(trace));
            worker_time += offsets[j];
            at = worker_time + after[i];
            loop_deadline_set(loop, &a.deadline, at);
            worker_time = at - 1;
            loop_turn(loop, 0);
            cr_assert_str_eq(trace, "", "span %zu, offset %zu", i, j);
            worker_time = at + 100 * BP_MILLISECOND;
            loop_turn(loop, 0);
            cr_assert_str_eq(trace, "a", "span %zu, offset %zu", i, j);
            worker_time += BP_HOUR;
            loop_turn(loop, 0);
            cr_assert_str_eq(trace, "a", "only once");
        }
}

Test(loop, deadlines_in_small_steps)
{
    struct letter a = LETTER('a'), b = LETTER('b');
    bp_time begin = worker_time;
    loop_deadline_set(loop, &a.deadline, begin + 60 * BP_SECOND);
    loop_deadline_set(loop, &b.deadline, begin + 120 * BP_SECOND);
    for (int i = 0; i < 1300; i++) {
        worker_time += 100 * BP_MILLISECOND;
        loop_turn(loop, 0);
        if (worker_time < begin + 60 * BP_SECOND)
            cr_assert_str_eq(trace, "");
        else if (worker_time < begin + 120 * BP_SECOND)
            cr_assert_str_eq(trace, "a");
    }
    cr_assert_str_eq(trace, "ab");
}

Test(loop, a_deadline_moves_and_ends)
{
    struct letter a = LETTER('a'), b = LETTER('b'), c = LETTER('c');
    loop_deadline_set(loop, &a.deadline, worker_time + BP_SECOND);
    loop_deadline_set(loop, &b.deadline, worker_time + BP_SECOND);
    loop_deadline_set(loop, &c.deadline, worker_time + BP_SECOND);
    loop_deadline_set(loop, &b.deadline, worker_time + 2 * BP_SECOND);
    loop_deadline_set(loop, &c.deadline, BP_FOREVER);
    cr_assert_not(c.deadline.armed);
    worker_time += BP_SECOND + 100 * BP_MILLISECOND;
    loop_turn(loop, 0);
    cr_assert_str_eq(trace, "a");
    loop_deadline_clear(loop, &b.deadline);
    loop_deadline_clear(loop, &b.deadline);
    worker_time += BP_HOUR;
    loop_turn(loop, 0);
    cr_assert_str_eq(trace, "a");
}

Test(loop, a_deadline_that_has_passed_fires_within_a_tick)
{
    struct letter a = LETTER('a');
    loop_deadline_set(loop, &a.deadline, worker_time - BP_HOUR);
    worker_time += 100 * BP_MILLISECOND;
    loop_turn(loop, 0);
    cr_assert_str_eq(trace, "a");
}

Test(loop, a_deadline_may_clear_its_neighbour_and_set_itself)
{
    struct letter a = LETTER('a'), b = LETTER('b'), c = LETTER('c');
    a.takes_back = &b;
    a.also = &a;
    a.again = worker_time + 2 * BP_SECOND;
    loop_deadline_set(loop, &a.deadline, worker_time + BP_SECOND);
    loop_deadline_set(loop, &b.deadline, worker_time + BP_SECOND);
    loop_deadline_set(loop, &c.deadline, worker_time + BP_SECOND);
    worker_time += BP_SECOND + 100 * BP_MILLISECOND;
    loop_turn(loop, 0);
    cr_assert_str_eq(trace, "ac");
    a.also = NULL;
    worker_time += BP_SECOND;
    loop_turn(loop, 0);
    cr_assert_str_eq(trace, "aca");
}

static bool fired;

static void fire(struct loop_deadline *deadline)
{
    (void)deadline;
    fired = true;
}

Test(loop, the_wheel_wakes_a_waiting_loop)
{
    struct loop_deadline deadline = {.function = fire};
    bp_time at;
    worker_time = 0; /* the system's clock */
    at = bp_clock() + 20 * BP_MILLISECOND;
    loop_deadline_set(loop, &deadline, at);
    worker_turn_until(&fired);
    cr_assert_geq(bp_clock(), at);
    /* And again, after the wheel stood still. */
    fired = false;
    loop_turn(loop, 0);
    loop_deadline_set(loop, &deadline, bp_clock() + 20 * BP_MILLISECOND);
    worker_turn_until(&fired);
}

Test(loop, now_stands_still_within_a_turn)
{
    bp_time before = loop_now(loop);
    worker_time += BP_SECOND;
    cr_assert_eq(loop_now(loop), before);
    loop_turn(loop, 0);
    cr_assert_eq(loop_now(loop), before + BP_SECOND);
}

static void stop(void *argument)
{
    note((char)(*(int *)argument)++);
    loop_stop(loop);
}

Test(loop, runs_until_stopped)
{
    int letter = 'x';
    cr_assert(loop_post(loop, stop, &letter));
    cr_assert_eq(loop_run(loop), 0);
    cr_assert(loop_post(loop, stop, &letter));
    cr_assert_eq(loop_run(loop), 0);
    cr_assert_str_eq(trace, "xy");
}

Test(loop, a_turn_waits_no_longer_than_asked)
{
    bp_time begin;
    worker_time = 0;
    begin = bp_clock();
    loop_turn(loop, 5 * BP_MILLISECOND);
    cr_assert_geq(bp_clock() - begin, 4 * BP_MILLISECOND);
    cr_assert_lt(bp_clock() - begin, 5 * BP_SECOND);
}

Test(loop, freeing_nothing)
{
    cr_assert_null(loop_free(NULL));
}

enum { POSTERS = 4, POSTS = 500 };

struct post {
    unsigned poster, number;
};

static struct post posts[POSTERS][POSTS];
static unsigned expected[POSTERS], arrivals;
static bool all_arrived;

static void arrived(void *argument)
{
    struct post *post = argument;
    cr_assert_null(fiber_current());
    cr_assert_str_eq(fiber_place().plugin, "test");
    cr_assert_str_eq(fiber_place().hook, "post");
    cr_assert_eq(post->number, expected[post->poster], "out of order");
    expected[post->poster]++;
    all_arrived = ++arrivals == POSTERS * POSTS;
}

static void *post_all(void *argument)
{
    struct post *all = argument;
    for (size_t i = 0; i < POSTS; i++)
        if (!bp_post(&host, arrived, &all[i]))
            return NULL;
    return argument;
}

Test(loop, posts_arrive_in_the_order_of_their_thread)
{
    pthread_t threads[POSTERS];
    for (unsigned i = 0; i < POSTERS; i++) {
        for (unsigned j = 0; j < POSTS; j++)
            posts[i][j] = (struct post){i, j};
        cr_assert_eq(pthread_create(&threads[i], NULL, post_all, posts[i]), 0);
    }
    worker_turn_until(&all_arrived);
    for (size_t i = 0; i < POSTERS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        cr_assert_not_null(result);
        cr_assert_eq(expected[i], POSTS);
    }
    cr_assert_null(fiber_place().plugin);
}

static void post_again(void *argument)
{
    int *left = argument;
    note('p');
    if (--*left > 0)
        cr_assert(loop_post(loop, post_again, left));
}

Test(loop, a_posted_call_may_post)
{
    int left = 3;
    cr_assert(loop_post(loop, post_again, &left));
    for (size_t turns = 1; turns <= 3; turns++) {
        loop_turn(loop, BP_FOREVER);
        cr_assert_eq(strlen(trace), turns, "one a turn: others get theirs in between");
    }
}

Test(loop, posts_not_taken_are_freed)
{
    int left = 1;
    cr_assert(loop_post(loop, post_again, &left));
    cr_assert(loop_post(loop, post_again, &left));
    loop = loop_free(loop);
    cr_assert_eq(left, 1);
}
