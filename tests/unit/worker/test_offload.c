/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>

#include "backplane/status.h"
#include "core/worker/fiber.h"
#include "tests/unit/worker/support.h"

TestSuite(offload, .init = worker_setup, .fini = worker_teardown);

/* A job that says when it runs, and ends when it is told to. */
struct gate {
    sem_t running, open;
    int status;
};

static void gate_init(struct gate *gate, int status)
{
    sem_init(&gate->running, 0, 0);
    sem_init(&gate->open, 0, 0);
    gate->status = status;
}

static int pass(void *job)
{
    struct gate *gate = job;
    sem_post(&gate->running);
    while (sem_wait(&gate->open) != 0)
        ;
    return gate->status;
}

struct caller {
    int (*function)(void *job);
    void *job;
    struct bp_fiber *fiber;
    int status;
    bool done;
};

static void calls(void *argument)
{
    struct caller *caller = argument;
    caller->status = bp_offload(caller->function, caller->job);
    caller->done = true;
}

static struct caller begin(struct caller *caller, bp_time deadline)
{
    struct fiber_start start = {.function = calls, .argument = caller, .deadline = deadline, .name = "test"};
    caller->status = 99;
    caller->done = false;
    cr_assert_eq(fiber_start(loop, &start, &caller->fiber), 0);
    return *caller;
}

struct told {
    pthread_t thread;
    int status, niceness;
    struct bp_fiber *fiber;
    const char *plugin;
};

static int tell(void *job)
{
    struct told *told = job;
    told->thread = pthread_self();
    told->niceness = getpriority(PRIO_PROCESS, 0);
    told->fiber = fiber_current();
    told->plugin = fiber_place().plugin;
    return told->status;
}

Test(offload, gives_the_functions_own_status)
{
    static const int statuses[] = {0, 7, BP_ERROR, BP_CANCELED};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct told told = {.status = statuses[i]};
        struct caller caller = {.function = tell, .job = &told};
        begin(&caller, BP_FOREVER);
        cr_assert_not(caller.done);
        worker_turn_until(&caller.done);
        cr_assert_eq(caller.status, statuses[i]);
        cr_assert_not(pthread_equal(told.thread, pthread_self()));
        cr_assert_null(told.fiber);
        cr_assert_eq(told.niceness, getpriority(PRIO_PROCESS, 0) + 10 > 19 ? 19 : getpriority(PRIO_PROCESS, 0) + 10);
    }
    cr_assert_eq(loop_offload_stats(loop).done, 4);
}

Test(offload, full_is_busy_at_once)
{
    enum { MAY_RUN = 2, MAY_WAIT = 3, ALL = MAY_RUN + MAY_WAIT };
    static struct gate gates[ALL + 1];
    struct caller callers[ALL + 1];
    worker_loop(&(struct loop_options){.offload_threads = MAY_RUN, .offload_queue = MAY_WAIT});
    for (size_t i = 0; i <= ALL; i++) {
        gate_init(&gates[i], (int)i);
        callers[i] = (struct caller){.function = pass, .job = &gates[i]};
        begin(&callers[i], BP_FOREVER);
        cr_assert_eq(callers[i].done, i == ALL);
    }
    cr_assert_eq(callers[ALL].status, BP_BUSY);
    for (size_t i = 0; i < MAY_RUN; i++)
        while (sem_wait(&gates[i].running) != 0)
            ;
    cr_assert_eq(loop_offload_stats(loop).running, MAY_RUN);
    cr_assert_eq(loop_offload_stats(loop).queued, MAY_WAIT);
    cr_assert_eq(loop_offload_stats(loop).refused, 1);
    for (size_t i = 0; i < ALL; i++)
        sem_post(&gates[i].open);
    for (size_t i = 0; i < ALL; i++) {
        worker_turn_until(&callers[i].done);
        cr_assert_eq(callers[i].status, (int)i);
    }
    cr_assert_eq(loop_offload_stats(loop).done, ALL);
    cr_assert_eq(loop_offload_stats(loop).queued, 0);
    cr_assert_eq(loop_offload_stats(loop).running, 0);
    /* And there is room again. */
    sem_post(&gates[ALL].open);
    begin(&callers[ALL], BP_FOREVER);
    worker_turn_until(&callers[ALL].done);
    cr_assert_eq(callers[ALL].status, ALL);
}

Test(offload, cancelled_in_the_queue_it_never_runs)
{
    struct gate blocking;
    struct told told[3] = {{.plugin = "none"}, {.plugin = "none"}, {.plugin = "none"}};
    struct caller blocker = {.function = pass, .job = &blocking};
    struct caller queued[3];
    gate_init(&blocking, 5);
    worker_loop(&(struct loop_options){.offload_threads = 1});
    begin(&blocker, BP_FOREVER);
    while (sem_wait(&blocking.running) != 0)
        ;
    for (size_t i = 0; i < 3; i++) {
        queued[i] = (struct caller){.function = tell, .job = &told[i]};
        begin(&queued[i], i == 2 ? worker_time + BP_SECOND : BP_FOREVER);
    }
    cr_assert_eq(loop_offload_stats(loop).queued, 3);
    fiber_cancel(queued[1].fiber, BP_CANCELED);
    loop_turn(loop, 0);
    cr_assert(queued[1].done);
    cr_assert_eq(queued[1].status, BP_CANCELED);
    cr_assert_eq(loop_offload_stats(loop).queued, 2);
    worker_time += 2 * BP_SECOND;
    loop_turn(loop, 0);
    cr_assert_eq(queued[2].status, BP_TIMEOUT);
    sem_post(&blocking.open);
    worker_turn_until(&queued[0].done);
    cr_assert_eq(queued[0].status, 0);
    cr_assert(blocker.done);
    cr_assert_eq(blocker.status, 5);
    cr_assert_null(told[0].plugin, "it ran");
    cr_assert_str_eq(told[1].plugin, "none", "it never ran");
    cr_assert_str_eq(told[2].plugin, "none", "it never ran");
    cr_assert_eq(loop_offload_stats(loop).done, 2);
}

Test(offload, cancelled_while_it_runs_it_is_waited_for)
{
    static const int with[] = {BP_CANCELED, BP_TIMEOUT};
    for (size_t i = 0; i < 2; i++) {
        struct gate gate;
        struct caller caller = {.function = pass, .job = &gate};
        gate_init(&gate, 11);
        begin(&caller, BP_FOREVER);
        while (sem_wait(&gate.running) != 0)
            ;
        fiber_cancel(caller.fiber, with[i]);
        for (int turns = 0; turns < 3; turns++)
            loop_turn(loop, 0);
        cr_assert_not(caller.done);
        sem_post(&gate.open);
        worker_turn_until(&caller.done);
        cr_assert_eq(caller.status, 11, "the function's own status");
    }
}

static void calls_in_place(void *argument)
{
    fiber_enter((struct fiber_place){.plugin = "auth", .hook = "handler"});
    calls(argument);
}

Test(offload, knows_its_plugin)
{
    struct told told = {0};
    struct caller caller = {.function = tell, .job = &told};
    struct fiber_start start = {.function = calls_in_place, .argument = &caller, .deadline = BP_FOREVER};
    cr_assert_eq(fiber_start(loop, &start, NULL), 0);
    worker_turn_until(&caller.done);
    cr_assert_str_eq(told.plugin, "auth");
}

Test(offload, many_at_once)
{
    enum { MANY = 200 };
    static struct told told[MANY];
    static struct caller callers[MANY];
    for (size_t i = 0; i < MANY; i++) {
        told[i].status = (int)i;
        callers[i] = (struct caller){.function = tell, .job = &told[i]};
        begin(&callers[i], BP_FOREVER);
    }
    for (size_t i = 0; i < MANY; i++) {
        worker_turn_until(&callers[i].done);
        cr_assert_eq(callers[i].status, (int)i);
    }
}
