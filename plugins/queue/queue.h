/* SPDX-License-Identifier: MIT */
/* What the parts of the plugin share. All of it belongs to the loop's thread, but for what wake.h says. */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "backplane/iface/queue.h"
#include "cron.h"
#include "wake.h"

#define QUEUE_NAME_MAX 64
#define QUEUE_UNIQUE_MAX 200
#define QUEUE_REASON_MAX 1000
#define QUEUE_PRIORITY_MAX 100
#define QUEUE_DEFAULT "default"
#define QUEUE_CHANNEL "backplane_jobs"

struct queue;

/* A named queue, as one jobs worker serves it. */
struct lane {
    struct lane *next;
    struct queue *queue;
    bp_str name;
    uint32_t at_a_time; /* jobs that this worker runs */
    uint32_t limit;     /* jobs that run anywhere; 0: any number */
    uint32_t running;
    /* Where jobs are over at once, more than can run are fetched: else most of the time would go into fetching. */
    struct run *ready_first, **ready_last; /* fetched, and not begun */
    uint32_t ready, ahead;                 /* how many those are, and may be */
    bp_time fetched_at;                    /* when there was more than was asked for; 0: the last time there was not */
    unsigned cell;                         /* of the shared counters */
    uint32_t seen;                         /* what that counter was when it was looked at last */
    bool look;                             /* something may wait */
    struct bp_series *delay;
};

struct kind {
    struct kind *next;
    struct bp_job_kind def; /* of full size, defaults filled in */
    struct bp_host *host;   /* of the plugin that runs it: its fibers are that plugin's */
    void *argument;
    bp_str name;
    struct lane *lane;
    struct cron cron;
    struct bp_series *duration;
};

enum outcome { OUTCOME_DONE, OUTCOME_RETRY, OUTCOME_DEAD, OUTCOME_GIVEN_BACK };

/* A job that this worker has fetched, until what became of it is in the database. On the heap. */
struct run {
    struct run *prev, *next; /* of queue.runs */
    struct run *settle_next; /* of lane.ready_first, and then of queue.settle_first */
    struct queue *queue;
    struct kind *kind;
    struct bp_job job; /* what its function sees */
    bp_uuid worker;
    bp_str payload; /* JSON; ptr NULL: none */
    bp_str traceparent, tracestate;
    char reason[QUEUE_REASON_MAX + 1];
    size_t reason_len;
    bp_date retry_at;
    uint32_t attempts;
    bp_date expires_at;
    bool lost; /* its lease was not renewed in time: somebody else runs it */
    struct bp_fiber *fiber;
    enum outcome outcome;
    bp_span retry_after;
    char texts[]; /* what the texts above are in */
};

/* An option: what differs from the default for one queue. */
struct lane_option {
    bp_str name;
    uint32_t at_a_time, limit;
};

struct queue {
    struct bp_host *host;
    struct bp_service db;
    uint32_t at_a_time;
    struct bp_array queues; /* of struct lane_option */
    bp_span poll, lease, measure;
    bp_span keep_done, keep_dead, keep_cancelled;
    bool started;

    struct lane *lanes;
    struct kind *kinds;
    bool postgres;
    bp_str kinds_list; /* the names, as the database takes a list */
    bp_str lanes_list;

    struct wake wake;
    bp_event wakened;
    bool stopping, dispatching, settling, beating, keeping, measuring;
    bool announced;    /* the schedules are in the database */
    bp_event ended;    /* set by the last of those fibers once it stops */
    bp_uuid worker;    /* who has the leases */
    bp_time lease_end; /* until then nobody else runs what is ours; 0: no lease */
    bp_uuid abandoned; /* of the process that had this slot before, and is dead */
    bool has_abandoned;
    bp_time audit_until; /* a fetch was lost: what is ours and unknown here is given back */
    bp_time poll_at, promote_at, cron_at, measure_at;
    uint32_t scheduled_seen; /* what WAKE_SCHEDULED was when it was looked at last */
    struct run *runs;        /* fetched, running or not settled yet */
    uint32_t unsettled;
    struct run *settle_first, **settle_last;
    struct bp_timer *heartbeat, *keeper, *measurer;

    struct bp_metric *jobs_metric, *depth_metric, *oldest_metric, *duration_metric, *delay_metric;
};

/* The vtable's functions. */
int kinds_add(void *self, struct bp_host *host, const struct bp_job_kind *kinds, void *argument);
int enqueue(void *self, struct bp_tx *tx, const struct bp_job_new *job, bp_uuid *ret_id);
int enqueue_cancel(void *self, struct bp_tx *tx, const char *kind, bp_str unique, bool *ret_found);
void run_reason(struct bp_job *job, bp_str text);
void run_retry_at(struct bp_job *job, bp_date at);

/* The kind, or the lane, of this name; NULL. */
struct kind *kinds_find(const struct queue *queue, bp_str name);
struct lane *lanes_find(const struct queue *queue, bp_str name);
/* The lane of this name, made when there is none. NULL when out of memory. In init. */
struct lane *lanes_get(struct queue *queue, bp_str name);
/* The lists of names for statements. BP_NOMEM or 0. */
int kinds_lists(struct queue *queue);
void kinds_deinit(struct queue *queue);

/* The loop of a jobs worker: begins it; makes it look again; waits until all has ended (suspends). */
int dispatch_start(struct queue *queue);
void dispatch_again(struct queue *queue);
void dispatch_stop(struct queue *queue);

/* A job that was fetched: starts it, now or when its lane has a place. */
void ready_add(struct run *run);
/* A job of the lane has ended: starts the next one that was fetched. */
void ready_next(struct lane *lane);
/* Gives those back that were fetched and not begun. */
void ready_let_go(struct lane *lane);
/* Starts the job on a fiber of its own. It ends in settle_add(). */
void run_start(struct run *run);
/* The job's function is through with it, or never ran: what became of it goes into the database soon. */
void settle_add(struct run *run);
/* Forgets it. */
void run_free(struct run *run);

/* Makes the series of kinds and lanes. In start. */
void count_start(struct queue *queue);
/* Counts what became of a job. */
void count_outcome(const struct queue *queue, const struct kind *kind, const char *outcome);

#endif
