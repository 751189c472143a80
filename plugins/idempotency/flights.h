/* SPDX-License-Identifier: MIT */
/*
 * Which keys are being worked on by this server's workers, in memory that they share: a second request is told so at once, without
 * waiting for a database connection or for the one writer of SQLite. It only saves time: what decides is the table of the database.
 */
#ifndef PLUGINS_IDEMPOTENCY_FLIGHTS_H
#define PLUGINS_IDEMPOTENCY_FLIGHTS_H

#include <stdint.h>

#include "backplane/shared.h"

#define FLIGHTS_CELLS 256u
#define FLIGHTS_LAYOUT 1u

struct flights {
    struct bp_mutex mutex;
    struct {
        uint64_t key; /* 0: free */
        uint32_t worker;
        uint32_t spare;
    } cells[FLIGHTS_CELLS];
};

enum { FLIGHTS_E_TAKEN = 1 };

/* Takes a cell for the key. *ret_cell is FLIGHTS_CELLS when all are in use: the request goes on without one. FLIGHTS_E_TAKEN when another has
 * the key. Does not suspend. */
int flights_take(struct flights *flights, uint64_t key, unsigned worker, uint32_t *ret_cell);
/* Accepts FLIGHTS_CELLS. */
void flights_give_back(struct flights *flights, uint32_t cell);
/* In start: what a worker of this number left when it died. */
void flights_forget(struct flights *flights, unsigned worker);

#endif
