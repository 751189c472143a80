/* SPDX-License-Identifier: MIT */
/* What the admin socket can be asked: the one table of its commands. */
#ifndef CORE_SUPERVISOR_INSPECT_H
#define CORE_SUPERVISOR_INSPECT_H

#include "core/supervisor/admin.h"
#include "core/supervisor/workers.h"

struct errors;

struct inspect {
    struct admin admin;
    struct workers *workers;
    struct errors *errors, *own_errors; /* of the workers, and of this process */
    char *exchange;                     /* where workers leave their metrics; NULL: there is no room */
    const char *state;                  /* "starting", "running", "draining" */
    bp_time started;
    bp_date started_at;
    uint32_t asked;     /* number of the last request to a worker */
    bp_time asked_at;   /* 0: none is out */
    unsigned next_slot; /* the next worker to ask */
    /* Begins a reload; false: not now. */
    bool (*reload)(void *argument);
    void *argument;
    unsigned reloads;      /* that took place */
    bp_date refused_at;    /* the last one, when it did not; 0: it did */
    struct buffer refused; /* and why */
};

/* workers.shared is there, and no worker yet. A server that cannot have the socket runs without: that is a warning in the log. */
void inspect_open(struct inspect *inspect, struct workers *workers, bp_str folder);
void inspect_close(struct inspect *inspect);
/* A worker has left its metrics. */
void inspect_metrics(struct inspect *inspect, uint32_t number, uint64_t len);
/* A reload has ended; problem: why it did not take place; ptr NULL: it did. */
void inspect_reloaded(struct inspect *inspect, bp_str problem);

#endif
