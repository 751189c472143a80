/* SPDX-License-Identifier: MIT */
/*
 * A queue of statements and the shared connections that take from it: one for reads, one for writes, one for reads that a replica
 * may answer.
 */
#ifndef POSTGRES_LANE_H
#define POSTGRES_LANE_H

#include "backplane/backplane.h"
#include "job.h"

struct database;

enum lane_kind { LANE_READ, LANE_WRITE, LANE_REPLICA, LANES };

struct lane {
    struct database *database;
    enum lane_kind kind;
    const char *name;
    struct job_list queue;
    struct job_list urgent; /* of the plugin itself: taken also while the schema is behind, and never refused */
    struct connection **connections;
    unsigned connection_count;
    unsigned ready; /* connections that work */
    bool away;      /* none works, and the last try to connect failed: refuse at once */
    bool was_ready; /* so that it can be "back" */
    struct bp_series *waiting;
};

int lane_start(struct database *database, enum lane_kind kind, unsigned connections);
/* After the connections' fibers have ended, or before they began. Accepts zeroes. */
void lane_free(struct lane *lane);

/* Runs the job and suspends until it is done or given up. 0: see job->result; else a status. timeout: of waiting for its turn. */
int lane_run(struct lane *lane, struct job *job, bp_span timeout);
/* The same, but all of it within the timeout: BP_TIMEOUT. */
int lane_run_within(struct lane *lane, struct job *job, bp_span timeout);
/* The plugin's own: the schema's. */
int lane_run_urgent(struct lane *lane, struct job *job);
/* A connection has nothing to do: the head of what it may take now, NULL when nothing. */
struct job_list *lane_next(struct lane *lane);
/* Wakes those that could take something. */
void lane_wake(struct lane *lane);
/* Jobs of a connection that died, to be run by another one, before the others. */
void lane_put_back(struct lane *lane, struct job *job);

/* A connection works; does not any more; could not be made. */
void lane_connected(struct lane *lane);
void lane_lost(struct lane *lane, const char *why);
void lane_unreachable(struct lane *lane, const char *why);

#endif
