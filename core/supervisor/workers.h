/* SPDX-License-Identifier: MIT */
/* The workers as the supervisor sees them: starting, answering, replacing, watching, ending. */
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
    unsigned index; /* among those of its kind */
    pid_t pid;
    int control_fd; /* -1 when it closed its end */
    bp_time due, started;
    bp_span backoff; /* before the next replacement */
    bp_time stamp;   /* as seen at the last tick */
    unsigned silent; /* punctual ticks without a new stamp */
    bool asked;      /* for its stack, at the tick before */
    unsigned restarts;
    char reason[CONTROL_TEXT + 1];
};

struct workers {
    struct worker items[BP_WORKER_SLOTS];
    unsigned count; /* of all: first those that serve, then those that run jobs */
    const struct config_load_options *options;
    const struct config_server *server;
    const struct listeners *listeners;
    struct shared *shared;
    /* May be NULL: a worker has ended unasked; a worker has written its metrics. */
    void (*died)(void *argument, unsigned slot, bp_str end);
    void (*metrics)(void *argument, uint32_t number, uint64_t len);
    void *argument;
    struct supervision supervision;
    bool launched; /* all were ready once: from then on a worker that dies is replaced */
    bool draining; /* none is replaced any more */
    bool failed;   /* one could not start before that */
};

/* So many of each kind; before the launch. */
void workers_plan(struct workers *workers, unsigned serving, unsigned jobs);
/* Starts those that serve. BP_ERROR: the first could not be forked. */
int workers_launch(struct workers *workers);
/* True when each of those runs and is ready. */
bool workers_ready(const struct workers *workers);
/* Then: .launched, they accept, and those that run jobs are started, so that these keep nobody waiting. */
void workers_accept(struct workers *workers);
unsigned workers_running(const struct workers *workers);

/* The control descriptors to poll, one entry a worker with fd -1 where there is none. */
void workers_poll(const struct workers *workers, struct pollfd *ret_polled);
/* Reads what a worker has to say. */
void workers_hear(struct workers *workers, unsigned slot);
/* A child has ended. False when it was none of them (an orphan, as PID 1). */
bool workers_reaped(struct workers *workers, pid_t pid, int wait_status, bp_time now);
/* Starts the replacements that are due. */
void workers_replace(struct workers *workers, bp_time now);
/* When the next replacement is due; BP_FOREVER. */
bp_time workers_due(const struct workers *workers);
/* A tick of one second that came on time: counts silent workers, and ends one that stalled. */
void workers_watch(struct workers *workers);
/* After a tick that came late: the machine was frozen, nobody is to blame. */
void workers_pardon(struct workers *workers);

/* To everyone. */
void workers_order(struct workers *workers, enum control_kind kind, uint64_t value);
void workers_kill(struct workers *workers, int signal_number);

#endif
