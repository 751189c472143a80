/* SPDX-License-Identifier: MIT */
/*
 * The order that clients give rows: a number each, between those of its neighbours. Two moves of one owner's rows do not run at the same time;
 * where no number is left between two, all of the owner's are numbered anew.
 */
#ifndef CORE_RESOURCE_MOVE_H
#define CORE_RESOURCE_MOVE_H

#include "core/resource/write.h"

/* Rows are numbered anew this far apart: 2^16 halves often enough, and rows that come later, numbered by their time, stay behind them. */
#define MOVE_GAP 65536.0

enum move_edge { MOVE_BEHIND, MOVE_BEFORE, MOVE_FIRST, MOVE_LAST, MOVE_EDGES };

/* What a statement of the edges finds. */
struct move_edge_row {
    uint64_t set, null;
    double position;
};

struct move_statements {
    struct statement lock;
    struct statement edges
        [MOVE_EDGES]; /* the nearest position behind or before a row (keys: its position and identifier), the first, the last */
    struct statement place; /* keys: the new position */
    struct statement renumber;
};

/* Body of a move. The struct of the resource is behind it, MOVE_OBJECT bytes from its start. */
struct move_body {
    uint64_t set, null;
    bp_uuid after, before;
};
#define MOVE_OBJECT ((sizeof(struct move_body) + 15) / 16 * 16)
enum { MOVE_AFTER = 1, MOVE_BEFORE_ROW = 2, MOVE_INTO = 4 }; /* bits of its presence */

/* NULL, or what is wrong. */
const char *move_compile(struct resource *resource);

#endif
