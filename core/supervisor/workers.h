/* SPDX-License-Identifier: MIT */
/*
 * The workers as the supervisor sees them: starting, answering, replacing, watching, ending. Those of one configuration are a generation: one serves, the
 * next is launched beside it, and retires it once all of its own are ready; who retires is of no generation that counts any more.
 */
#ifndef CORE_SUPERVISOR_WORKERS_H
#define CORE_SUPERVISOR_WORKERS_H

#include <poll.h>

#include "backplane/shared.h"
#include "core/supervisor/child.h"
#include "core/supervisor/control.h"
#include "core/supervisor/supervision.h"

struct shared;

enum worker_state {
    WORKER_VACANT,   /* no process, none wanted */
    WORKER_DUE,      /* no process; one is started at .due */
    WORKER_STARTING, /* running, not ready */
    WORKER_READY     /* accepts, or drains */
};

struct worker {
    enum worker_state state;
    enum child_kind kind;
    unsigned index; /* among those of its kind and generation */
    unsigned generation;
    pid_t pid;
    int control_fd; /* -1 when it closed its end */
    bp_time due, started;
    bp_span backoff; /* before the next replacement */
    bp_time stamp;   /* as seen at the last tick */
    unsigned silent; /* punctual ticks without a new stamp */
    bool asked;      /* for its stack, at the tick before */
    unsigned restarts;
    bp_time until;        /* one that leaves: it is killed then */
    unsigned predecessor; /* the slot and 1 of who retires when this one is ready; 0: nobody */
    bool abandoned;       /* killed, as its launch has failed */
    char reason[CONTROL_TEXT + 1];
};

#define WORKERS_WITHOUT 512

static inline bool worker_runs(const struct worker *worker)
{
    return worker->state == WORKER_STARTING || worker->state == WORKER_READY;
}

/* What a generation is started from: both outlive it, or are exchanged when it has been accepted. */
struct workers_plan {
    const struct config_server *server;
    const struct listeners *listeners;
    unsigned serving, jobs;
    char without[WORKERS_WITHOUT]; /* instances that are left out: see config_load_options */
};

struct workers {
    struct worker items[BP_WORKER_SLOTS];
    unsigned count; /* slots that were ever used */
    const struct config_load_options *options;
    struct shared *shared;
    /* May be NULL: a worker has ended unasked; a worker has written its metrics. */
    void (*died)(void *argument, unsigned slot, bp_str end);
    void (*metrics)(void *argument, uint32_t number, uint64_t len);
    void *argument;
    struct supervision supervision;
    struct workers_plan plan, next_plan;
    unsigned generation; /* that which serves, and is replaced when it dies; 0: none yet */
    unsigned next;       /* that which is launched; 0: none is */
    unsigned begun;      /* so many, each with its number */
    bool draining;       /* none is replaced any more */
    bool failed;         /* one of the next could not start */
    char problem[CONTROL_TEXT + 64];
};

struct workers_plan workers_plan(const struct config_server *server, const struct listeners *listeners);
/* Begins a generation beside the one that serves: starts its workers that serve. BP_BUSY: there are not slots enough, as many of earlier ones have not ended
 * yet; BP_ERROR: errno, and the launch has failed. */
int workers_launch(struct workers *workers, const struct workers_plan *plan);
/* True when each of those runs and is ready. */
bool workers_ready(const struct workers *workers);
/* Then: it is the one that serves. Its workers accept; those before retire; those that run jobs are started, so that these keep nobody waiting. */
void workers_accept(struct workers *workers, bp_time now);
/* Or: ends all of it. */
void workers_abandon(struct workers *workers);
/* Starts another worker beside this one, which retires when that is ready. Nothing happens while there is no slot. */
void workers_succeed(struct workers *workers, unsigned slot);
unsigned workers_running(const struct workers *workers);
bool workers_leaves(const struct workers *workers, const struct worker *worker);

/* The control descriptors to poll, one entry a worker with fd -1 where there is none. */
void workers_poll(const struct workers *workers, struct pollfd *ret_polled);
/* Reads what a worker has to say. */
void workers_hear(struct workers *workers, unsigned slot);
/* A child has ended. False when it was none of them (an orphan, as PID 1). */
bool workers_reaped(struct workers *workers, pid_t pid, int wait_status, bp_time now);
/* Starts the replacements that are due, and ends who should have left by now. */
void workers_replace(struct workers *workers, bp_time now);
/* When that is due; BP_FOREVER. */
bp_time workers_due(const struct workers *workers);
/* A tick of one second that came on time: counts silent workers, and ends one that stalled. */
void workers_watch(struct workers *workers);
/* After a tick that came late: the machine was frozen, nobody is to blame. */
void workers_pardon(struct workers *workers);

/* To everyone. */
void workers_order(struct workers *workers, enum control_kind kind, uint64_t value);
void workers_kill(struct workers *workers, int signal_number);

#endif
