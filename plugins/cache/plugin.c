/* SPDX-License-Identifier: MIT */
/* cache: keeps replies until what they were made of is written. */
#include "cache.h"

static const struct bp_field options[] = {
    BP_SIZE(struct cache, size, .def = "16MiB", .min = 65536, .max = INT64_C(1) << 36,
            .doc =
                "Bytes per worker for replies kept in memory, all that an entry costs included. What was not used for "
                "longest makes room."),
    BP_SPAN(struct cache, write_time, .def = "30s", .min = BP_SECOND, .max = BP_HOUR,
            .doc =
                "How long a write may take at most. Nothing is cached under its tag for that long when the worker that "
                "wrote has died."),
    BP_SPAN(struct cache_stage, ttl, .flags = BP_STAGE, .def = "30s", .min = BP_MILLISECOND, .max = BP_DAY,
            .doc = "How long a reply may be used when nothing is written."),
    BP_SPAN(
        struct cache_stage, stale_while_revalidate, .flags = BP_STAGE, .def = "0", .min = 0, .max = BP_DAY,
        .doc =
            "How long after ttl a reply still serves others while one request asks the handler. Never used for what a "
            "write has made stale. 0: off."),
    BP_TEXT(struct cache_stage, query, .flags = BP_STAGE, .def = "", .max = 1000,
            .doc =
                "Query parameters that a reply depends on, separated by commas; others are ignored. Empty: those that "
                "the route declares."),
    BP_TEXT(struct cache_stage, vary, .flags = BP_STAGE, .def = "", .max = 1000,
            .doc = "Request header fields that a reply depends on, besides Accept, separated by commas."),
    BP_SIZE(struct cache_stage, max_entry, .flags = BP_STAGE, .def = "256KiB", .min = 0, .max = INT64_C(1) << 30,
            .doc = "A larger body is not kept."),
    BP_END};

static const struct bp_provide provides[] = {BP_PROVIDE(BP_CACHE_TAGS, BP_CACHE_TAGS_VERSION, &cache_tags_vtable),
                                             BP_PROVIDE_END};

static const struct bp_metric_def requests = {
    .size = sizeof(requests),
    .type = BP_COUNTER,
    .name = "backplane_cache_requests_total",
    .help = "Requests of routes that can be cached, by what became of them: hit, miss, stale, bypass.",
    .labels = {"result"}};
static const struct bp_metric_def bytes = {.size = sizeof(bytes),
                                           .type = BP_GAUGE,
                                           .name = "backplane_cache_bytes",
                                           .help = "Bytes taken by the cache in the workers' memory."};
static const struct bp_metric_def entries = {.size = sizeof(entries),
                                             .type = BP_GAUGE,
                                             .name = "backplane_cache_entries",
                                             .help = "Replies kept in the workers' memory."};
static const struct bp_metric_def evictions = {
    .size = sizeof(evictions),
    .type = BP_COUNTER,
    .name = "backplane_cache_evictions_total",
    .help = "Replies dropped from memory to make room for others, while they could still have been used."};

static int init(struct bp_host *host, void *self)
{
    struct cache *cache = self;
    cache->host = host;
    cache->requests_metric = bp_metric_new(host, &requests);
    cache->bytes_metric = bp_metric_new(host, &bytes);
    cache->entries_metric = bp_metric_new(host, &entries);
    cache->evictions_metric = bp_metric_new(host, &evictions);
    return cache->requests_metric && cache->bytes_metric && cache->entries_metric && cache->evictions_metric
               ? 0
               : BP_INVALID;
}

static void find_series(struct cache *cache)
{
    static const char *const names[RESULT_COUNT] = {"hit", "miss", "stale", "bypass"};
    for (size_t i = 0; i < RESULT_COUNT; i++) {
        bp_str label = bp_str_of(names[i]);
        cache->results[i] = bp_series(cache->requests_metric, &label);
    }
    cache->bytes = bp_series(cache->bytes_metric, NULL);
    cache->entries = bp_series(cache->entries_metric, NULL);
    cache->evictions = bp_series(cache->evictions_metric, NULL);
}

static int start(struct bp_host *host, void *self)
{
    struct cache *cache = self;
    /* One region for all instances, whatever their names become on a reload: writers and readers must agree. */
    void *region = bp_shared(host, "cache:tags", TAGS_LAYOUT, tags_size());
    if (!region)
        return bp_start_error(host, "no shared memory for the cache's tags (server.shared_memory)");
    int status = tags_init(&cache->tags, region);
    if (status == 0)
        status = memory_new(cache->size, &cache->memory);
    if (status < 0)
        return status;
    bp_random(cache->secret, sizeof(cache->secret));
    find_series(cache);
    cache->started = true;
    return 0;
}

static void deinit(struct bp_host *host, void *self)
{
    struct cache *cache = self;
    (void)host;
    cache->started = false;
    cache->memory = memory_free(cache->memory);
    tags_deinit(&cache->tags);
}

BP_PLUGIN(.name = "cache", .version = "1.0.0", .doc = "Keeps replies until what they were made of is written.",
          .self_size = sizeof(struct cache), .stage_size = sizeof(struct cache_stage), .options = options,
          .phase = BP_PHASE_REUSE, .provides = provides, .init = init, .start = start, .deinit = deinit,
          .middleware = cache_serve);
