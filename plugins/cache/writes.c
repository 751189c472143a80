/* SPDX-License-Identifier: MIT */
/* The service cache_tags: what happens around a write. */
#include "cache.h"

static uint64_t write_begin(void *self, bp_str tag)
{
    struct cache *cache = self;
    if (!cache->started) /* a plugin that writes in its own start: nothing is cached yet */
        return 0;
    bp_time now = bp_clock();
    uint32_t cell = tags_cell(tag);
    uint64_t mark = 0;
    tags_mark(&cache->tags, cell, now, now + cache->write_time);
    if (cache->memory)
        return 1;
    bp_random(&mark, sizeof(mark));
    mark |= 1; /* 0 stands for none */
    replicas_write_begin(&cache->replicas, tag, mark);
    return mark;
}

static void write_end(void *self, bp_str tag, uint64_t mark, bool took_place)
{
    struct cache *cache = self;
    if (!mark || !cache->started)
        return;
    if (cache->memory || replicas_write_end(&cache->replicas, tag, mark))
        tags_unmark(&cache->tags, tags_cell(tag), took_place);
}

const struct bp_cache_tags_vtable cache_tags_vtable = {
    .size = sizeof(struct bp_cache_tags_vtable), .write_begin = write_begin, .write_end = write_end};
