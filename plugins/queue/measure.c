/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include "job.h"

/* To count takes time where a million are scheduled: so many times as long passes until it is done again. */
#define PAUSE 20

static void show(const struct queue *queue, const struct depth *depth)
{
    const struct {
        const char *state;
        int64_t jobs;
    } states[] = {{"waiting", depth->waiting},
                  {"scheduled", depth->scheduled},
                  {"running", depth->running},
                  {"dead", depth->dead}};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        bp_str labels[] = {depth->name, bp_str_of(states[i].state)};
        bp_metric_set(bp_series(queue->depth_metric, labels), states[i].jobs);
    }
    bp_metric_set(bp_series(queue->oldest_metric, &depth->name), (int64_t)(depth->oldest * 1000));
}

static int measure(void *argument)
{
    struct queue *queue = argument;
    struct depth *depths;
    size_t count;
    bp_time begun = bp_clock();
    int status = depth_list(queue, BP_STR(""), bp_fiber_arena(), &depths, &count);
    queue->measure_at = bp_clock() + (bp_clock() - begun) * PAUSE;
    for (size_t i = 0; status == 0 && i < count; i++)
        show(queue, &depths[i]);
    queue->measuring = false;
    return status == BP_BUSY || status == BP_TIMEOUT ? 0 : status; /* the next time will do it */
}

static void measure_soon(void *argument)
{
    struct queue *queue = argument;
    /* A worker that has not taken it again for so long is gone, and its gauges with it. */
    bool mine = bp_serving() && bp_duty_take(&queue->wake.shared->measuring, 3 * queue->measure + BP_SECOND);
    if (mine && !queue->measuring && bp_clock() >= queue->measure_at)
        queue->measuring = bp_spawn(queue->host, "queue.measure", measure, queue, BP_MINUTE) == 0;
}

int measure_start(struct queue *queue)
{
    queue->measurer = bp_timer_every(queue->host, queue->measure, measure_soon, queue);
    return queue->measurer ? 0 : BP_NOMEM;
}

void measure_stop(struct queue *queue)
{
    queue->measurer = bp_timer_free(queue->measurer);
    if (queue->wake.shared)
        bp_duty_leave(&queue->wake.shared->measuring);
}
