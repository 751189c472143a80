/* SPDX-License-Identifier: MIT */
/* The supervisor's table of workers, with workers that do as they are told: this executable again, as child_spawn() starts it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backplane/status.h"
#include "core/supervisor/shared.h"
#include "core/supervisor/workers.h"

/* What the worker does is written where --set would be. */
static void act(const char *role, int control_fd)
{
    struct control_message message = control_message(CONTROL_READY, 0, 0);

    if (strcmp(role, "stubborn") == 0) { /* ignores orders */
        (void)control_send(control_fd, &message);
        for (;;)
            (void)pause();
    }
    if (strcmp(role, "refuse") == 0) {
        message = control_message(CONTROL_FAILED, 0, 0);
        control_set_text(&message, BP_STR("the database is away"));
        (void)control_send(control_fd, &message);
        _exit(1);
    }
    (void)control_send(control_fd, &message);
    if (strcmp(role, "crash") == 0)
        (void)raise(SIGKILL);
    while (control_receive(control_fd, 0, &message) == 0)
        if (message.kind == CONTROL_DRAIN || message.kind == CONTROL_RETIRE)
            _exit(0);
    _exit(3);
}

static void __attribute__((constructor)) be_worker(int argc, char **argv)
{
    struct child child;
    struct config_load_options options;
    if (child_parse(argc, argv, &child, &options) && options.set_count == 1)
        act(options.sets[0], child.control_fd);
}

static struct shared *shared;
static struct listeners listeners;
static struct workers workers;
static const char *role;
static struct config_load_options options = {.file = "", .sets = &role, .set_count = 1};
static const struct config_server server = {
    .restart_backoff_max = 300 * BP_MILLISECOND, .stall_timeout = 3 * BP_SECOND, .drain_timeout = 5 * BP_SECOND};

static struct workers_plan plan_of(unsigned serving, unsigned jobs)
{
    return (struct workers_plan){.server = &server, .listeners = &listeners, .serving = serving, .jobs = jobs};
}

static void launch_with_jobs(const char *as, unsigned count, unsigned jobs)
{
    struct workers_plan plan = plan_of(count, jobs);
    role = as;
    cr_assert_eq(shared_new((size_t)1 << 20, &shared), 0);
    workers = (struct workers){.options = &options, .shared = shared};
    cr_assert_eq(workers_launch(&workers, &plan), 0);
}

static void launch(const char *as, unsigned count)
{
    launch_with_jobs(as, count, 0);
}

static void end_all(void)
{
    workers_kill(&workers, SIGKILL);
    while (wait(NULL) > 0)
        ;
    shared = shared_free(shared);
}

static void hear_until_ready(void)
{
    struct pollfd polled[BP_WORKER_SLOTS];
    while (!workers_ready(&workers)) {
        workers_poll(&workers, polled);
        cr_assert_gt(poll(polled, workers.count, 10000), 0, "no worker says a word");
        for (unsigned slot = 0; slot < workers.count; slot++)
            if (polled[slot].revents)
                workers_hear(&workers, slot);
    }
}

static void hear_until(unsigned slot, enum worker_state state)
{
    struct pollfd polled[BP_WORKER_SLOTS];
    while (workers.items[slot].state != state) {
        workers_poll(&workers, polled);
        cr_assert_gt(poll(&polled[slot], 1, 10000), 0, "worker %u says no word", slot);
        workers_hear(&workers, slot);
    }
}

static int reap_one(bp_time now)
{
    int status;
    pid_t pid = wait(&status);
    cr_assert_gt(pid, 0);
    cr_assert(workers_reaped(&workers, pid, status, now));
    return status;
}

Test(workers, all_become_ready_and_drain)
{
    launch("serve", 3);
    cr_assert_eq(workers_running(&workers), 3);
    hear_until_ready();
    workers_accept(&workers, 0);
    workers.draining = true;
    workers_order(&workers, CONTROL_DRAIN, 0);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(reap_one(0), 0);
    cr_assert_eq(workers_running(&workers), 0);
    cr_assert_not(workers.failed);
    cr_assert_eq(workers_due(&workers), BP_FOREVER);
    end_all();
}

Test(workers, those_for_jobs_start_when_the_others_accept)
{
    launch_with_jobs("serve", 2, 1);
    cr_assert_eq(workers_running(&workers), 2);
    hear_until_ready();
    cr_assert_eq(workers.items[2].state, WORKER_DUE);
    cr_assert_eq(workers_due(&workers), BP_FOREVER);
    workers_accept(&workers, 0);
    cr_assert_eq(workers.generation, 1);
    cr_assert_eq(workers_running(&workers), 3);
    cr_assert_eq(workers.items[2].kind, CHILD_JOBS);
    cr_assert_eq(workers.items[2].index, 0);
    kill(workers.items[2].pid, SIGKILL);
    (void)reap_one(workers.items[2].started + 10 * BP_SECOND);
    cr_assert_eq(workers.items[2].state, WORKER_DUE, "it is replaced as any other");
    end_all();
}

Test(workers, one_that_cannot_start_fails_the_launch)
{
    launch("refuse", 1);
    (void)reap_one(0);
    cr_assert(workers.failed);
    cr_assert_str_eq(workers.problem, "worker 1 could not start: the database is away");
    cr_assert_not(workers_ready(&workers));
    cr_assert_eq(workers.items[0].state, WORKER_VACANT);
    cr_assert_eq(workers_due(&workers), BP_FOREVER, "it is not tried again");
    end_all();
}

Test(workers, who_keeps_dying_waits_longer_and_longer)
{
    static const bp_span pauses[] = {0, 100 * BP_MILLISECOND, 200 * BP_MILLISECOND, 300 * BP_MILLISECOND,
                                     300 * BP_MILLISECOND};
    launch("crash", 1);
    hear_until_ready();
    workers_accept(&workers, 0);
    for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
        bp_time now = workers.items[0].started + BP_SECOND;
        (void)reap_one(now);
        cr_assert_eq(workers.items[0].state, WORKER_DUE);
        cr_assert_eq(workers_due(&workers), now + pauses[i], "death %zu", i);
        if (pauses[i] > 0)
            workers_replace(&workers, now + pauses[i] - 1);
        cr_assert_eq(workers.items[0].state, WORKER_DUE);
        workers_replace(&workers, now + pauses[i]);
        cr_assert_eq(workers.items[0].state, WORKER_STARTING);
        hear_until(0, WORKER_READY);
    }
    (void)reap_one(workers.items[0].started + 10 * BP_SECOND);
    cr_assert_eq(workers_due(&workers), workers.items[0].started + 10 * BP_SECOND, "it lived long");
    end_all();
}

Test(workers, a_stranger_is_no_worker)
{
    launch("serve", 1);
    cr_assert_not(workers_reaped(&workers, 1, 0, 0));
    end_all();
}

Test(workers, a_silent_one_is_asked_and_then_killed_one_at_a_time)
{
    launch("serve", 2);
    hear_until_ready();
    workers_accept(&workers, 0);
    for (int tick = 0; tick < 2; tick++)
        workers_watch(&workers);
    workers_pardon(&workers); /* the machine was frozen */
    for (int tick = 0; tick < 2; tick++)
        workers_watch(&workers);
    cr_assert_not(workers.items[0].asked);
    shared_set_slot(shared, 1);
    shared_stamp(shared, 1); /* the second one lives */
    workers_watch(&workers);
    cr_assert(workers.items[0].asked);
    cr_assert_not(workers.items[1].asked);
    cr_assert_eq(workers.items[1].silent, 0);
    /* SIGUSR2 has ended it: the real worker has a handler for it. */
    int status = reap_one(workers.items[0].started);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
    cr_assert_eq(workers.items[0].state, WORKER_DUE);
    end_all();
}

Test(workers, two_silent_ones_are_not_ended_together)
{
    launch("serve", 2);
    hear_until_ready();
    for (int tick = 0; tick < 3; tick++)
        workers_watch(&workers);
    cr_assert(workers.items[0].asked);
    cr_assert_not(workers.items[1].asked);
    workers_watch(&workers);
    cr_assert_str_eq(workers.items[0].reason, "stalled");
    cr_assert_not(workers.items[1].asked);
    end_all();
}

static void launch_next(const char *as, unsigned count, unsigned jobs)
{
    struct workers_plan plan = plan_of(count, jobs);
    role = as;
    cr_assert_eq(workers_launch(&workers, &plan), 0);
}

Test(workers, the_next_generation_takes_the_place_of_the_one_before)
{
    launch_with_jobs("serve", 2, 1);
    hear_until_ready();
    workers_accept(&workers, 0);
    hear_until(2, WORKER_READY);
    launch_next("serve", 1, 1);
    cr_assert_eq(workers_running(&workers), 4);
    cr_assert_not(workers_leaves(&workers, &workers.items[0]), "it serves until the next one can");
    hear_until_ready();
    workers_accept(&workers, BP_SECOND);
    cr_assert_eq(workers.generation, 2);
    for (unsigned slot = 0; slot < 5; slot++)
        cr_expect_eq(workers_leaves(&workers, &workers.items[slot]), slot < 3, "%u", slot);
    cr_expect_eq(workers_due(&workers), 16 * BP_SECOND, "drain_timeout, and ten seconds of grace");
    for (int i = 0; i < 3; i++)
        cr_expect_eq(reap_one(0), 0);
    for (unsigned slot = 0; slot < 3; slot++)
        cr_expect_eq(workers.items[slot].state, WORKER_VACANT, "%u: it is not replaced", slot);
    cr_expect_eq(workers_running(&workers), 2);
    cr_expect_eq(workers.items[3].index, 0);
    cr_expect_eq(workers.items[4].kind, CHILD_JOBS);
    /* The slots are used again. */
    launch_next("serve", 3, 0);
    cr_expect_eq(workers.count, 5);
    cr_expect_eq(workers.items[0].generation, 3);
    end_all();
}

Test(workers, one_that_does_not_leave_in_time_is_killed)
{
    launch("stubborn", 1);
    hear_until_ready();
    workers_accept(&workers, 0);
    launch_next("serve", 1, 0);
    hear_until_ready();
    workers_accept(&workers, 0);
    workers_replace(&workers, 15 * BP_SECOND - 1);
    cr_expect_eq(kill(workers.items[0].pid, 0), 0);
    workers_replace(&workers, 15 * BP_SECOND);
    int status = reap_one(15 * BP_SECOND);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    cr_expect_eq(workers.items[0].state, WORKER_VACANT);
    end_all();
}

Test(workers, a_generation_that_cannot_start_leaves_the_other_alone)
{
    launch("serve", 1);
    hear_until_ready();
    workers_accept(&workers, 0);
    launch_next("refuse", 2, 1);
    (void)reap_one(0);
    cr_expect(workers.failed);
    cr_expect_str_eq(workers.problem, workers.items[1].state == WORKER_VACANT
                                          ? "worker 1 could not start: the database is away"
                                          : "worker 2 could not start: the database is away");
    workers_abandon(&workers);
    (void)reap_one(0);
    cr_expect_eq(workers_running(&workers), 1);
    cr_expect_eq(workers.items[0].state, WORKER_READY);
    cr_expect_eq(workers.generation, 1);
    for (unsigned slot = 1; slot < 4; slot++)
        cr_expect_eq(workers.items[slot].state, WORKER_VACANT);
    launch_next("serve", 1, 0);
    cr_expect_not(workers.failed);
    hear_until_ready();
    end_all();
}

Test(workers, one_succeeds_another)
{
    launch("serve", 1);
    hear_until_ready();
    workers_accept(&workers, 0);
    workers_succeed(&workers, 0);
    cr_expect_eq(workers.items[1].index, 0);
    cr_expect_eq(workers.items[1].restarts, 1);
    cr_expect_not(workers_leaves(&workers, &workers.items[0]), "it serves until the other can");
    hear_until(1, WORKER_READY);
    cr_expect(workers_leaves(&workers, &workers.items[0]));
    cr_expect_eq(reap_one(0), 0);
    cr_expect_eq(workers.items[0].state, WORKER_VACANT);
    cr_expect_eq(workers_running(&workers), 1);
    cr_expect_eq(workers_due(&workers), BP_FOREVER);
    end_all();
}

/* Nobody is started for one that has a successor already; and a successor that dies is tried again. */
Test(workers, one_dies_before_another_succeeds_it)
{
    launch("serve", 1);
    hear_until_ready();
    workers_accept(&workers, 0);
    workers_succeed(&workers, 0);
    kill(workers.items[0].pid, SIGKILL);
    (void)reap_one(0);
    cr_expect_eq(workers.items[0].state, WORKER_VACANT);
    kill(workers.items[1].pid, SIGKILL);
    (void)reap_one(0);
    cr_expect_eq(workers.items[1].state, WORKER_DUE);
    workers_replace(&workers, 0);
    hear_until(1, WORKER_READY);
    cr_expect_eq(workers_running(&workers), 1);
    end_all();
}

Test(workers, there_is_room_for_so_many)
{
    struct workers_plan plan = plan_of(BP_WORKER_SLOTS, 0);
    launch("serve", 1);
    cr_expect_eq(workers_launch(&workers, &plan), BP_BUSY);
    hear_until_ready();
    workers_accept(&workers, 0);
    cr_expect_eq(workers.generation, 1, "that was no launch");
    end_all();
}
