/* SPDX-License-Identifier: MIT */
/* Jobs that were fetched, until their lane has a place for them. */
#include "queue.h"

/* The one that was fetched first; NULL. */
static struct run *take(struct lane *lane)
{
    struct run *run = lane->ready_first;
    if (!run)
        return NULL;
    lane->ready_first = run->settle_next;
    if (!lane->ready_first)
        lane->ready_last = &lane->ready_first;
    lane->ready--;
    return run;
}

void ready_add(struct run *run)
{
    struct queue *queue = run->queue;
    struct lane *lane = run->kind->lane;
    run->next = queue->runs;
    if (queue->runs)
        queue->runs->prev = run;
    queue->runs = run;
    bp_hold();
    if (!bp_serving()) { /* the plugin that would run it may have been stopped */
        run->outcome = OUTCOME_GIVEN_BACK;
        settle_add(run);
        return;
    }
    if (lane->running < lane->at_a_time) {
        run_start(run);
        return;
    }
    run->settle_next = NULL;
    *lane->ready_last = run;
    lane->ready_last = &run->settle_next;
    lane->ready++;
}

void ready_next(struct lane *lane)
{
    lane->running--;
    if (bp_draining())
        ready_let_go(lane);
    struct run *run = take(lane);
    if (run)
        run_start(run);
}

void ready_let_go(struct lane *lane)
{
    for (struct run *run; (run = take(lane));) {
        run->outcome = OUTCOME_GIVEN_BACK;
        settle_add(run);
    }
}
