/* SPDX-License-Identifier: MIT */
/* The loop's parts, for the files of this folder only. */
#ifndef CORE_WORKER_LOOP_PRIVATE_H
#define CORE_WORKER_LOOP_PRIVATE_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>

#include "core/worker/loop.h"

#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define WHEEL_TICK (100 * BP_MILLISECOND)
#define WHEEL_SLOTS 512u

struct wheel {
    struct event timer; /* pending only while there may be deadlines */
    bool ticking;       /* timer is pending */
    size_t count;
    int64_t tick; /* the last one that was looked at */
    struct loop_deadline slots[WHEEL_SLOTS];
};

/* A call to make on the loop; its memory is the poster's. */
struct posted {
    struct posted *next;
    void (*function)(struct posted *posted);
};

struct posts {
    pthread_mutex_t mutex; /* guards first and last; nothing else is locked while it is held */
    struct posted *first, *last;
    int fd; /* an eventfd, written to when the list stops being empty */
    struct event readable;
};

struct loop {
    struct event_base *base;
    struct event limit; /* ends a turn that waits no longer */
    struct loop_task *first_task, *last_task;
    size_t task_count;
    bp_time now;
    bp_date date;
    bool now_known, date_known;
    bool stopped;
    struct wheel wheel;
    struct posts posts;
    struct offload *offload;
    struct spawned *spawned;
    struct bp_timer *timers;
};

int wheel_init(struct loop *loop);
void wheel_deinit(struct loop *loop);
/* Fires what is due. */
void wheel_turn(struct loop *loop);

int posts_init(struct loop *loop);
void posts_deinit(struct loop *loop);
/* Thread-safe, never fails. */
void posts_add(struct loop *loop, struct posted *posted);

int offload_new(struct loop *loop, const struct loop_options *options, struct offload **ret_offload);
struct offload *offload_free(struct offload *offload);

struct timeval timeval_of(bp_span span);
/* now + span, or BP_FOREVER. */
bp_time time_after(bp_time now, bp_span span);

#endif
