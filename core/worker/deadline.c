/* SPDX-License-Identifier: MIT */
/*
 * A wheel of 512 ticks of 100 ms (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", scheme 6): a deadline lies in the
 * slot of its tick, those of later rounds too; they are passed over until their time has come.
 */
#include "backplane/status.h"
#include "core/worker/loop_private.h"

static void ticked(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct loop *loop = argument;
    loop->wheel.ticking = false;
    wheel_turn(loop);
}

int wheel_init(struct loop *loop)
{
    for (unsigned i = 0; i < WHEEL_SLOTS; i++)
        loop->wheel.slots[i].prev = loop->wheel.slots[i].next = &loop->wheel.slots[i];
    return evtimer_assign(&loop->wheel.timer, loop->base, ticked, loop) == 0 ? 0 : BP_ERROR;
}

void wheel_deinit(struct loop *loop)
{
    event_del(&loop->wheel.timer);
}

/* Timers are on the system's clock even in a test that replaced ours, so the wait is never longer than a tick. */
static void wait_for_tick(struct loop *loop, bp_time now)
{
    struct timeval delay = timeval_of(WHEEL_TICK - now % WHEEL_TICK);
    loop->wheel.ticking = evtimer_add(&loop->wheel.timer, &delay) == 0;
}

static void link_before(struct loop_deadline *head, struct loop_deadline *deadline)
{
    deadline->prev = head->prev;
    deadline->next = head;
    head->prev->next = deadline;
    head->prev = deadline;
}

static void unlink_deadline(struct loop_deadline *deadline)
{
    deadline->prev->next = deadline->next;
    deadline->next->prev = deadline->prev;
}

void loop_deadline_set(struct loop *loop, struct loop_deadline *deadline, bp_time at)
{
    struct wheel *wheel = &loop->wheel;
    int64_t tick;
    loop_deadline_clear(loop, deadline);
    if (at == BP_FOREVER)
        return;
    if (!wheel->ticking) {
        bp_time now = bp_clock();
        wheel->tick = now / WHEEL_TICK;
        wait_for_tick(loop, now);
    }
    tick = at <= 0 ? 0 : (at - 1) / WHEEL_TICK + 1;
    if (tick <= wheel->tick)
        tick = wheel->tick + 1;
    deadline->at = at;
    deadline->armed = true;
    wheel->count++;
    link_before(&wheel->slots[(uint64_t)tick % WHEEL_SLOTS], deadline);
}

void loop_deadline_clear(struct loop *loop, struct loop_deadline *deadline)
{
    if (!deadline->armed)
        return;
    unlink_deadline(deadline);
    deadline->armed = false;
    loop->wheel.count--;
}

static void collect_due(struct loop_deadline *slot, bp_time now, struct loop_deadline *due)
{
    struct loop_deadline *next;
    for (struct loop_deadline *deadline = slot->next; deadline != slot; deadline = next) {
        next = deadline->next;
        if (deadline->at <= now) {
            unlink_deadline(deadline);
            link_before(due, deadline);
        }
    }
}

void wheel_turn(struct loop *loop)
{
    struct wheel *wheel = &loop->wheel;
    struct loop_deadline due = {.prev = &due, .next = &due};
    bp_time now;
    int64_t tick;
    if (wheel->count == 0)
        return; /* the timer ends by itself: the next deadline starts it again */
    now = loop_now(loop);
    tick = now / WHEEL_TICK;
    if (tick > wheel->tick) {
        int64_t first = tick - wheel->tick > WHEEL_SLOTS ? tick - WHEEL_SLOTS + 1 : wheel->tick + 1;
        for (int64_t t = first; t <= tick; t++)
            collect_due(&wheel->slots[(uint64_t)t % WHEEL_SLOTS], now, &due);
        wheel->tick = tick;
    }
    /* They stay linked and armed until their own turn, so that one may clear or move another. */
    while (due.next != &due) {
        struct loop_deadline *deadline = due.next;
        loop_deadline_clear(loop, deadline);
        deadline->function(deadline);
    }
    if (wheel->count > 0 && !wheel->ticking)
        wait_for_tick(loop, now);
}
