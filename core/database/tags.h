/* SPDX-License-Identifier: MIT */
/* The cache tags that writes touch: marked before a write is sent, given a new generation after it. */
#ifndef CORE_DATABASE_TAGS_H
#define CORE_DATABASE_TAGS_H

#include "backplane/iface/cache_tags.h"
#include "backplane/iface/database.h"
#include "core/plugin/assembly.h"

/* Providers of cache_tags beyond these are a configuration error. */
#define TAG_PROVIDERS 4

/* A tag under which a write is on its way. */
struct tag_mark {
    struct tag_mark *next; /* of a transaction */
    size_t len;
    uint64_t marks[TAG_PROVIDERS];
    char text[BP_CACHE_TAG_MAX];
};

void tags_use(const struct assembly *assembly);
void tags_forget(void);
/* Fills in "$2" with the text of the second value. False when it is too long, or names no value. */
bool tags_expand(const char *tag, const struct bp_db_value *values, size_t count, struct tag_mark *ret_mark);
/* True when some provider wants to know of writes. */
bool tags_wanted(void);
/* May suspend; not cancelled. */
void tags_write_begin(struct tag_mark *mark);
void tags_write_end(const struct tag_mark *mark, bool took_place);

#endif
