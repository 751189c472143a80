/* SPDX-License-Identifier: MIT */
#include "core/worker/loop.h"

#include <stdlib.h>

#include "backplane/log.h"
#include "backplane/status.h"
#include "core/worker/loop_private.h"

/* How often the queue of end-of-turn functions may grow again from within before sockets get their turn. */
#define ROUNDS 16u

struct timeval timeval_of(bp_span span)
{
    /* Rounded up: a timer is never early. */
    bp_span microseconds = span <= 0 ? 0 : (span - 1) / BP_MICROSECOND + 1;
    return (struct timeval){.tv_sec = microseconds / 1000000, .tv_usec = microseconds % 1000000};
}

bp_time time_after(bp_time now, bp_span span)
{
    bp_time at;
    return __builtin_add_overflow(now, span, &at) ? BP_FOREVER : at;
}

static void log_libevent(int severity, const char *message)
{
    if (severity >= EVENT_LOG_WARN)
        bp_log(NULL, severity == EVENT_LOG_WARN ? BP_LOG_WARN : BP_LOG_ERROR, "loop.libevent", "libevent reports",
               bp_log_cstr("detail", message));
}

static void limit_reached(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what, (void)argument;
}

static struct event_base *base_new(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;
    if (!config)
        return NULL;
    /* One thread owns the base; others come in through posts. */
    if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

int loop_new(const struct loop_options *options, struct loop **ret_loop)
{
    static const struct loop_options defaults;
    struct loop *loop = calloc(1, sizeof(*loop));
    int status;
    if (!loop)
        return BP_NOMEM;
    event_set_log_callback(log_libevent);
    loop->posts.fd = -1;
    loop->base = base_new();
    if (!loop->base) {
        free(loop);
        return BP_NOMEM;
    }
    evtimer_assign(&loop->limit, loop->base, limit_reached, NULL);
    status = wheel_init(loop);
    if (status == 0)
        status = posts_init(loop);
    if (status == 0)
        status = offload_new(loop, options ? options : &defaults, &loop->offload);
    if (status < 0) {
        loop_free(loop);
        return status;
    }
    *ret_loop = loop;
    return 0;
}

struct loop *loop_free(struct loop *loop)
{
    if (!loop)
        return NULL;
    loop->offload = offload_free(loop->offload);
    loop_free_timers(loop, NULL);
    posts_deinit(loop);
    wheel_deinit(loop);
    event_del(&loop->limit);
    event_base_free(loop->base);
    free(loop);
    return NULL;
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

bp_time loop_now(struct loop *loop)
{
    if (!loop->now_known) {
        loop->now = bp_clock();
        loop->now_known = true;
    }
    return loop->now;
}

bp_date loop_date(struct loop *loop)
{
    if (!loop->date_known) {
        loop->date = bp_date_now();
        loop->date_known = true;
    }
    return loop->date;
}

void loop_at_turn_end(struct loop *loop, struct loop_task *task)
{
    if (task->queued)
        return;
    task->queued = true;
    task->next = NULL;
    if (loop->last_task)
        loop->last_task->next = task;
    else
        loop->first_task = task;
    loop->last_task = task;
    loop->task_count++;
}

void loop_task_clear(struct loop *loop, struct loop_task *task)
{
    struct loop_task *before = NULL;
    if (!task->queued)
        return;
    for (struct loop_task *t = loop->first_task; t != task; t = t->next)
        before = t;
    if (before)
        before->next = task->next;
    else
        loop->first_task = task->next;
    if (loop->last_task == task)
        loop->last_task = before;
    loop->task_count--;
    task->queued = false;
}

static void run_tasks(struct loop *loop)
{
    for (unsigned round = 0; round < ROUNDS && loop->first_task; round++)
        for (size_t left = loop->task_count; left > 0 && loop->first_task; left--) {
            struct loop_task *task = loop->first_task;
            loop_task_clear(loop, task);
            task->function(task);
        }
}

static int turn(struct loop *loop, bp_span wait)
{
    bool poll = wait <= 0 || loop->first_task;
    int result;
    loop->now_known = loop->date_known = false;
    if (!poll && wait != BP_FOREVER) {
        struct timeval limit = timeval_of(wait);
        event_add(&loop->limit, &limit);
    }
    result = event_base_loop(loop->base, poll ? EVLOOP_ONCE | EVLOOP_NONBLOCK : EVLOOP_ONCE);
    if (!poll && wait != BP_FOREVER)
        event_del(&loop->limit);
    wheel_turn(loop);
    run_tasks(loop);
    return result < 0 ? BP_ERROR : 0;
}

void loop_turn(struct loop *loop, bp_span wait)
{
    turn(loop, wait);
}

int loop_run(struct loop *loop)
{
    int status = 0;
    while (!loop->stopped && status == 0)
        status = turn(loop, BP_FOREVER);
    loop->stopped = false;
    return status;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}
