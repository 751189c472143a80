/* SPDX-License-Identifier: MIT */
/* An instance of the plugin, and what its files have in common. */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include "backplane/backplane.h"
#include "backplane/iface/cache_tags.h"
#include "flight.h"
#include "replicas.h"
#include "tags.h"

enum store { STORE_AUTO, STORE_MEMORY, STORE_REDIS };

/* What became of a request. */
enum result { RESULT_HIT, RESULT_MISS, RESULT_STALE, RESULT_BYPASS, RESULT_COUNT };

/* Options of a stage. */
struct cache_stage {
    bp_span ttl, stale_while_revalidate;
    bp_str query, vary;
    uint64_t max_entry;
};

struct cache {
    /* Options. */
    uint32_t store;
    uint64_t size;
    bp_str prefix;
    bp_span timeout, write_time;

    struct bp_service key_value; /* without a vtable: none */
    struct bp_host *host;
    struct bp_metric *requests_metric, *bytes_metric, *entries_metric, *evictions_metric, *failures_metric;

    /* In a worker. */
    bool started;
    struct tags tags;
    struct memory *memory;    /* NULL: replies are in Redis */
    struct replicas replicas; /* used then */
    struct flights flights;
    uint8_t secret[16]; /* of the digests of keys */
    struct bp_series *results[RESULT_COUNT], *bytes, *entries, *evictions;
    struct memory_stats said; /* what the metrics have been told */
};

/* The middleware. */
bp_handler cache_serve;

extern const struct bp_cache_tags_vtable cache_tags_vtable;

#endif
