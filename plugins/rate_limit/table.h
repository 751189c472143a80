/* SPDX-License-Identifier: MIT */
/*
 * The clients of one limit, in a region of shared memory: sets of WAYS cells, chosen by a keyed hash of the client, so that nobody can
 * aim at a set. A cell whose state has expired is free. A living cell is never given away: when all of a set live, newcomers of that set share one
 * further cell, and so one quota, until one of them expires. Nothing here knows what a cell counts.
 */
#ifndef TABLE_H
#define TABLE_H

#include "gcra.h"
#include "sliding_window.h"

#define TABLE_WAYS 16u
#define TABLE_LAYOUT 2u /* of the region; counts up when a struct below changes, or the hash */

struct table;

union table_state {
    struct sliding_window window;
    struct gcra gcra;
};
struct table_cell {
    union table_state state;
    bp_time expires; /* set by the caller before table_unlock(); 0: free */
};

/* Bytes for at least this many clients. */
size_t table_size(uint32_t clients);
/* In zeroed memory, or memory that another process has prepared. */
void table_prepare(struct table *table, uint32_t clients);

struct table_place {
    struct table *table;
    uint32_t set;
    struct table_cell *cell;
    bool crowded; /* the cell that a full set's newcomers share */
};
/* The client's cell, new ones zeroed, with its set locked until table_unlock(): a few instructions later, as other workers wait. */
void table_lock(struct table *table, bp_str client, bp_time now, struct table_place *ret_place);
void table_unlock(const struct table_place *place);

#endif
