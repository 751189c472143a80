/* SPDX-License-Identifier: MIT */
/* Jobs and queues as those see and change them who look after them. No function knows a request; all suspend. */
#ifndef QUEUE_JOB_H
#define QUEUE_JOB_H

#include "queue.h"

extern const char *const job_states[];

struct job {
    uint64_t set, null;
    bp_uuid id;
    bp_str kind, queue;
    uint32_t state;
    int64_t priority, attempt, attempts;
    bp_str unique_key, reason;
    bp_uuid worker;
    bool cancelled;
    bp_date enqueued_at, run_at, expires_at, started_at, finished_at;
    bp_str payload; /* what follows is not of the list */
    bool known;
};
/* All of them; and those of a list. */
extern const struct bp_field job_rows[], job_list_rows[];

enum job_condition {
    JOB_E_MISSING = 1,
    JOB_E_STATE,  /* it is in no state for that */
    JOB_E_UNIQUE, /* another one with its key waits or runs */
};

/* Reads it into *ret_job. 0, JOB_E_MISSING, or a negative status. */
int job_find(const struct queue *queue, const bp_uuid *id, struct bp_arena *arena, struct job *ret_job);
/* One that is dead, cancelled or scheduled is run now, with all of its attempts. 0, a condition, or a negative status. */
int job_retry(struct queue *queue, const bp_uuid *id, struct bp_arena *arena, struct job *ret_job);
/* One that waits is not run, one that runs is not tried again. */
int job_cancel(const struct queue *queue, const bp_uuid *id, struct bp_arena *arena, struct job *ret_job);

struct depth {
    bp_str name;
    bool paused;
    int64_t waiting, scheduled, running, dead;
    double oldest; /* seconds since the first that waits could have run */
};
extern const struct bp_field depth_rows[];

/* Of each queue, by name; or of one, when name is not empty. */
int depth_list(const struct queue *queue, bp_str name, struct bp_arena *arena, struct depth **ret_depths,
               size_t *ret_count);
/* 0, JOB_E_MISSING: no such queue; or a negative status. */
int depth_pause(struct queue *queue, bp_str name, bool paused);

#endif
