/* SPDX-License-Identifier: MIT */
/*
 * The "queue" interface, version 1: work that must happen after what asked for it, at least once, whatever dies. A job is a row in the database
 * of its provider: enqueued in a transaction it exists when that is committed, and never when it is not. Provided by queue.
 *
 * Who runs jobs needs "queue" and says in init which kinds it knows. They run on fibers of the jobs workers (server.job_workers, of any
 * replica), each with a deadline. A job of a worker that dies is run again by another, so a function must bear to run twice: the id of
 * the job is the same each time.
 *
 *     static const struct bp_job_kind kinds[] = {
 *         BP_JOB_KIND(.name = "mail.send", .doc = "Sends a message.", .payload = message_rows, .payload_size = sizeof(struct message), .run = send),
 *         BP_JOB_KIND(.name = "mail.prune", .doc = "Forgets old messages.", .cron = "15 3 * * *", .run = prune), BP_JOB_KIND_END};
 *     …
 *     return bp_jobs_add(host, mail->queue, kinds, mail);                                                        in init
 *     …
 *     status = bp_enqueue(mail->queue, tx, &BP_JOB(.kind = "mail.send", .payload = &message), &id);              in a handler
 */
#ifndef BACKPLANE_IFACE_QUEUE_H
#define BACKPLANE_IFACE_QUEUE_H

#include <stdarg.h>

#include "backplane/clock.h"
#include "backplane/field.h"
#include "backplane/plugin.h"
#include "backplane/uuid.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BP_QUEUE "queue"
#define BP_QUEUE_VERSION 1u

struct bp_tx;

/* What a job's function returns beside 0, done, and the negative statuses, after which it is tried again until its attempts are used up. */
enum bp_job_outcome {
    BP_JOB_DEAD = 1 /* it cannot succeed: among the dead at once, with what bp_job_reason() said */
};

/* A run of a job, for its function. Lives until that returns. */
struct bp_job {
    uint32_t size;
    uint32_t attempt; /* 1, 2, 3 … */
    bp_uuid id;
    bp_str kind, unique;
    const void *payload; /* the struct that the kind's rows describe, in the fiber's arena; NULL when it has none */
    bp_date enqueued_at, run_at;
};

/* Runs a job, on a fiber of its own with the kind's timeout as its deadline, in a jobs worker. Suspends. */
typedef int bp_job_function(struct bp_job *job, void *argument);

/* What a plugin can run. Begins with its size; static const. */
struct bp_job_kind {
    uint32_t size;
    uint32_t attempts;              /* before it is dead; 0: 20 */
    const char *name;               /* "mail.send" */
    const char *doc;                /* one line, for those who run the server */
    const char *queue;              /* whose limit of jobs at a time it counts to; NULL: "default" */
    const struct bp_field *payload; /* stored as JSON: what is enqueued now is run by later versions, too. NULL: none */
    uint32_t payload_size;          /* of the struct that these rows describe */
    uint32_t
        skip_missed; /* of cron: 1: times at which no jobs worker ran are left out; 0: the last of them is made up for, once */
    bp_job_function *run;
    bp_span timeout; /* of a run; 0: 60 s */
    bp_span max_age; /* since run_at: dead when it has not succeeded by then; 0: none */
    bp_span retry_after,
        retry_at_most; /* the wait before the second attempt, doubled before each further one up to the other, and then a
                                         * random one between half and all of it; 0: 5 s, 1 h */
    const char *
        cron; /* "15 3 * * *" or "@every 30s", in UTC: enqueued by the queue itself, once for all replicas; NULL: only by bp_enqueue() */
};

/* A job to be. All of it is borrowed until the call returns. Begins with its size. */
struct bp_job_new {
    uint32_t size;
    int32_t priority; /* -100 … 100: those of a higher one are run first */
    const char *kind;
    const void *payload; /* as the kind's rows describe it; NULL: none */
    bp_str unique; /* at most one of its kind with this key (200 bytes at most) waits or runs; empty: any number */
    uint32_t
        replace; /* 1: one with that key that waits becomes this one, under a new id, and one that runs is followed by this one; 0: it stays as
                    it is, and is the one */
    uint32_t spare;
    bp_date run_at; /* not before; 0: now */
};

#ifndef __cplusplus
/* A row of kinds, and the end of the rows; and a job to be, for bp_enqueue(): BP_JOB(.kind = "mail.send", .payload = &message) */
#define BP_JOB_KIND(...)                                \
    {                                                   \
        .size = sizeof(struct bp_job_kind), __VA_ARGS__ \
    }
#define BP_JOB_KIND_END \
    {                   \
        .size = 0       \
    }
#define BP_JOB(...)                                    \
    (struct bp_job_new)                                \
    {                                                  \
        .size = sizeof(struct bp_job_new), __VA_ARGS__ \
    }
#endif

/* Call it through the functions below. */
struct bp_queue_vtable {
    uint32_t size;
    uint32_t spare;
    int (*add)(void *self, struct bp_host *host, const struct bp_job_kind *kinds, void *argument);
    int (*enqueue)(void *self, struct bp_tx *tx, const struct bp_job_new *job, bp_uuid *ret_id);
    int (*cancel)(void *self, struct bp_tx *tx, const char *kind, bp_str unique, bool *ret_found);
    void (*reason)(struct bp_job *job, bp_str text);
    void (*retry_at)(struct bp_job *job, bp_date at);
};

/* In init: the kinds that this instance runs, each run given argument. 0; BP_INVALID (reported) for a kind that somebody else runs, or a row that is
 * wrong; BP_NOMEM; BP_MISUSE outside of init. */
static inline int bp_jobs_add(struct bp_host *host, struct bp_service queue, const struct bp_job_kind *kinds,
                              void *argument)
{
    return ((const struct bp_queue_vtable *)queue.vtable)->add(queue.self, host, kinds, argument);
}

/* Adds a job: in tx, or in a transaction of its own when that is NULL (or in the one that bp_db_enlist() says). tx belongs to the database that the queue
 * uses. Suspends for one round trip. ret_id, which may be NULL: of the job, or of the one with its key that there is. What it
 * needs is in the fiber's arena until the fiber ends. 0; BP_MISUSE (a kind that nobody has added, a key or priority out of bounds); the negative statuses
 * of bp_db_query(). */
static inline int bp_enqueue(struct bp_service queue, struct bp_tx *tx, const struct bp_job_new *job, bp_uuid *ret_id)
{
    return ((const struct bp_queue_vtable *)queue.vtable)->enqueue(queue.self, tx, job, ret_id);
}

/* Takes back the job of this kind and key: one that waits is gone, one that runs goes on and is not tried again. ret_found, which may be NULL: whether one
 * waited. Suspends for one round trip. Returns as bp_enqueue(). */
static inline int bp_job_cancel(struct bp_service queue, struct bp_tx *tx, const char *kind, bp_str unique,
                                bool *ret_found)
{
    return ((const struct bp_queue_vtable *)queue.vtable)->cancel(queue.self, tx, kind, unique, ret_found);
}

/* In a job's function: why it is about to fail, for those who look at dead jobs; cut after 1,000 bytes. Copied. */
static inline void bp_job_reason(struct bp_service queue, struct bp_job *job, bp_str text)
{
    ((const struct bp_queue_vtable *)queue.vtable)->reason(job, text);
}

/* In a job's function that is about to fail: the next attempt is not before then (Retry-After), in place of the kind's own wait. */
static inline void bp_job_retry_at(struct bp_service queue, struct bp_job *job, bp_date at)
{
    ((const struct bp_queue_vtable *)queue.vtable)->retry_at(job, at);
}

#ifdef __cplusplus
}
#endif
#endif
