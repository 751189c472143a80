/* SPDX-License-Identifier: MIT */
/* The cache tags that writes touch: marked before a write is sent, given a new generation after it. */
#ifndef CORE_DATABASE_TAGS_H
#define CORE_DATABASE_TAGS_H

#include "backplane/iface/cache_tags.h"
#include "backplane/iface/database.h"
#include "core/plugin/assembly.h"

/* Providers of cache_tags beyond these are a configuration error. */
#define TAG_PROVIDERS 4
/* Tags of one statement at most. */
#define TAGS_MAX 4

/* A tag under which a write is on its way. */
struct tag_mark {
    struct tag_mark *next; /* of a transaction */
    size_t len;
    uint64_t marks[TAG_PROVIDERS];
    char text[BP_CACHE_TAG_MAX];
};

void tags_use(const struct assembly *assembly);
void tags_forget(void);
/* The tags of a statement, separated by spaces, with "$2" filled in with the text of the second value. How many there are; 0 when one is too long, or
 * names no value, or there are too many. */
size_t tags_expand(const char *tags, const struct bp_db_value *values, size_t count,
                   struct tag_mark ret_marks[TAGS_MAX]);
/* True when some provider wants to know of writes. */
bool tags_wanted(void);
/* May suspend; not cancelled. */
void tags_write_begin(struct tag_mark *mark);
void tags_write_end(const struct tag_mark *mark, bool took_place);

#endif
