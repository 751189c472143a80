/* SPDX-License-Identifier: MIT */
/*
 * The state of cache tags on this machine, in shared memory: a fixed array of cells chosen by a hash of the tag, so that two tags
 * may share a cell, which only invalidates too much. A cell has a generation (random 64 bits) and marks of writes on their way.
 * Nothing is locked and nothing a crash leaves behind stays: a mark carries the time until which it counts.
 *
 * A writer marks, then changes the generation, writes, changes it again, then takes the mark away. A reader that finds no mark after it
 * read the generation, and later finds that same generation, has read data that no write under the tag has changed since.
 */
#ifndef CACHE_TAGS_H
#define CACHE_TAGS_H

#include "backplane/clock.h"

#define TAGS_LAYOUT 3u /* of the region; counts up when struct tag_cell changes, or what cell a tag has */
#define TAG_CELLS 8192u

struct tag_table;
struct tag_own;

/* One process's handle. */
struct tags {
    struct tag_table *table; /* shared */
    struct tag_own *own;     /* the marks of this process */
};

size_t tags_size(void);
/* region: tags_size() zeroed bytes, or bytes that another process uses. BP_NOMEM or 0. */
int tags_init(struct tags *tags, void *region);
/* Accepts zeroes. Marks that stand stay until they expire. */
void tags_deinit(struct tags *tags);

uint32_t tags_cell(bp_str tag);
/* False while a mark stands: then neither what is cached may be used, nor may anything be cached. */
bool tags_read(const struct tags *tags, uint32_t cell, bp_time now, uint64_t *ret_generation);
/* Whether generation still is that of the cell, and no mark stands. */
bool tags_holds(const struct tags *tags, uint32_t cell, bp_time now, uint64_t generation);

/* A write is about to be sent: marks the cell until `until` at most, and gives it a new generation. Nests. */
void tags_mark(struct tags *tags, uint32_t cell, bp_time now, bp_time until);
/* Lets the marks of this process last longer. */
void tags_extend(struct tags *tags, uint32_t cell, bp_time now, bp_time until);
/* Marks the cell until then, whatever else happens. */
void tags_forbid(struct tags *tags, uint32_t cell, bp_time until);
/* One of them has ended. changed: something may have been written, so there is a new generation. */
void tags_unmark(struct tags *tags, uint32_t cell, bool changed);

/* What other machines say is not to be believed until then: for all tags, and all workers of this machine. */
void tags_distrust(struct tags *tags, bp_time until);
bool tags_distrusted(const struct tags *tags, bp_time now);

#endif
