/* SPDX-License-Identifier: MIT */
/*
 * The loop of a jobs worker: fetches where there is something and places are free; looks at the tables once every poll, for what nobody told
 * it of, and when the next time comes of what is scheduled. A fiber that is replaced by a fresh one now and then, for rows are in its arena.
 */
#include <assert.h>
#include <signal.h>

#include "fetch.h"
#include "keep.h"
#include "lease.h"
#include "schedule.h"

#define ROUNDS 256u
#define BYTES_MAX ((size_t)1 << 20)
#define UNSETTLED_MAX 4096u
#define MOMENT (2 * BP_MILLISECOND)

static bp_time sooner(bp_time a, bp_time b)
{
    return a < b ? a : b;
}

static bp_time after(bp_time now, bp_span span)
{
    return now + (span > 0 ? span : 0);
}

/* What was told since. */
static void hear(struct queue *queue)
{
    struct wake_shared *shared = queue->wake.shared;
    static_assert(sizeof(shared->cells) >= (WAKE_SCHEDULED + 1) * sizeof(shared->cells[0]), "a cell too few");
    for (struct lane *lane = queue->lanes; lane; lane = lane->next) {
        uint32_t now = atomic_load(&shared->cells[lane->cell]);
        lane->look = lane->look || now != lane->seen;
        lane->seen = now;
    }
    uint32_t scheduled = atomic_load(&shared->cells[WAKE_SCHEDULED]);
    if (scheduled != queue->scheduled_seen)
        queue->poll_at = 0;
    queue->scheduled_seen = scheduled;
}

static int look(struct queue *queue)
{
    struct outlook outlook;
    bp_time now = bp_clock();
    int status = queue->announced ? 0 : schedule_announce(queue);
    queue->announced = status == 0;
    queue->poll_at = now + queue->poll;
    if (status == 0 && now < queue->audit_until)
        status = lease_audit(queue);
    if (status == 0)
        status = fetch_look(queue, &outlook);
    if (status < 0)
        return status;
    now = bp_clock();
    queue->promote_at = after(now, outlook.scheduled);
    queue->cron_at = after(now, outlook.cron);
    if (outlook.abandoned) {
        status = lease_rescue(queue);
        queue->promote_at = now;
    }
    return status;
}

static int work(struct queue *queue, size_t *bytes)
{
    int status = queue->lease_end == 0 ? lease_join(queue) : 0;
    if (status == 0 && bp_clock() >= queue->poll_at)
        status = look(queue);
    if (status == 0 && bp_clock() >= queue->cron_at) {
        queue->cron_at = BP_FOREVER;
        status = schedule_run(queue);
        queue->poll_at = sooner(queue->poll_at, bp_clock() + 50 * BP_MILLISECOND);
    }
    if (status == 0 && bp_clock() >= queue->promote_at) {
        queue->promote_at = BP_FOREVER;
        queue->poll_at = sooner(queue->poll_at, bp_clock() + 50 * BP_MILLISECOND);
        status = fetch_promote(queue);
    }
    for (struct lane *lane = queue->lanes; lane && status == 0; lane = lane->next)
        while (status == 0 && lane->look && fetch_places(lane) > 0 && queue->unsettled < UNSETTLED_MAX &&
               queue->lease_end != 0 && !bp_draining())
            status = fetch(queue, lane, bytes);
    return status;
}

static void show_hunger(struct queue *queue)
{
    bool hungry = queue->lease_end != 0 && !bp_draining() && !queue->stopping;
    for (const struct lane *lane = queue->lanes; lane && hungry; lane = lane->next)
        hungry = lane->running < lane->at_a_time;
    atomic_store_explicit(&queue->wake.shared->hungry[bp_worker_slot()], hungry, memory_order_relaxed);
}

static int dispatch(void *argument)
{
    struct queue *queue = argument;
    size_t bytes = 0;
    for (unsigned round = 0; round < ROUNDS && bytes < BYTES_MAX && !queue->stopping; round++) {
        bp_time until;
        queue->wakened = (bp_event){0};
        hear(queue);
        int status = !bp_serving() ? 0 : bp_draining() ? BP_CANCELED : work(queue, &bytes);
        show_hunger(queue);
        if (!bp_serving())
            until = bp_clock() + MOMENT;
        else if (status < 0) /* the database is away, and says so itself */
            until = queue->poll_at = bp_clock() + queue->poll;
        else
            until = sooner(queue->poll_at, sooner(queue->promote_at, queue->cron_at));
        if (queue->stopping)
            break;
        (void)bp_event_wait(&queue->wakened, until - bp_clock());
    }
    queue->dispatching = false;
    if (!queue->stopping)
        queue->dispatching = bp_spawn(queue->host, "queue.dispatch", dispatch, queue, BP_FOREVER) == 0;
    if (!queue->dispatching)
        bp_event_set(&queue->ended);
    return 0;
}

void dispatch_again(struct queue *queue)
{
    bp_event_set(&queue->wakened);
}

static void woken(void *argument)
{
    dispatch_again(argument);
}

/* payload: the queue's name. */
static void notified(void *argument, bp_str payload)
{
    struct queue *queue = argument;
    struct lane *lane = payload.ptr ? lanes_find(queue, payload) : NULL;
    if (lane)
        lane->look = true;
    else if (!payload.ptr)
        queue->poll_at = 0;
    dispatch_again(queue);
}

int dispatch_start(struct queue *queue)
{
    static const bp_uuid none;
    struct wake_shared *shared = queue->wake.shared;
    queue->abandoned = shared->workers[bp_worker_slot()];
    /* One that is still there, on its way out, has its jobs still. */
    queue->has_abandoned = !bp_uuid_eq(&queue->abandoned, &none) && kill(shared->pids[bp_worker_slot()], 0) != 0;
    atomic_store(&shared->hungry[bp_worker_slot()], 0);
    int status = bp_db_listen(queue->db, QUEUE_CHANNEL, notified, queue);
    if (status < 0 && status != BP_MISUSE)
        return status;
    status = wake_start(&queue->wake, woken, queue);
    if (status < 0)
        return status;
    queue->heartbeat = bp_timer_every(queue->host, queue->lease / 16, lease_beat, queue);
    queue->keeper = bp_timer_every(queue->host, KEEP_EVERY, keep_soon, queue);
    if (!queue->heartbeat || !queue->keeper)
        return BP_NOMEM;
    status = bp_spawn(queue->host, "queue.dispatch", dispatch, queue, BP_FOREVER);
    queue->dispatching = status == 0;
    return status;
}

void dispatch_stop(struct queue *queue)
{
    queue->stopping = true;
    show_hunger(queue);
    queue->heartbeat = bp_timer_free(queue->heartbeat);
    queue->keeper = bp_timer_free(queue->keeper);
    dispatch_again(queue);
    while (queue->dispatching || queue->settling || queue->beating || queue->keeping) {
        queue->ended = (bp_event){0};
        bp_event_wait_always(&queue->ended);
    }
    lease_leave(queue);
    while (queue->runs)
        run_free(queue->runs);
    wake_stop(&queue->wake);
}
