/* SPDX-License-Identifier: MIT */
/* cache: keeps replies until what they were made of is written. */
#include "cache.h"

static const char *const stores[] = {[STORE_AUTO] = "auto", [STORE_MEMORY] = "memory", [STORE_REDIS] = "redis", NULL};

static const struct bp_field options[] = {
    BP_CHOICE(struct cache, store, .def = "auto", .choices = stores,
              .doc =
                  "Where replies are kept. memory: in each worker, for one machine. redis: in the key_value service, "
                  "for several replicas. auto: redis where there is such a service."),
    BP_SIZE(struct cache, size, .def = "16MiB", .min = 65536, .max = INT64_C(1) << 36,
            .doc =
                "Bytes per worker for replies kept in memory, all that an entry costs included. What was not used for "
                "longest makes room."),
    BP_TEXT(struct cache, prefix, .def = "cache:", .max = REPLICAS_PREFIX_MAX,
            .doc = "Put before every key in Redis, behind the prefix of the redis plugin."),
    BP_SPAN(struct cache, timeout, .def = "100ms", .min = BP_MILLISECOND, .max = BP_MINUTE,
            .doc = "How long Redis may take to answer; then it counts as away."),
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
            .doc = "Query parameters that a reply depends on, separated by commas; others are ignored. Empty: all."),
    BP_TEXT(struct cache_stage, vary, .flags = BP_STAGE, .def = "", .max = 1000,
            .doc = "Request header fields that a reply depends on, besides Accept, separated by commas."),
    BP_SIZE(struct cache_stage, max_entry, .flags = BP_STAGE, .def = "256KiB", .min = 0, .max = INT64_C(1) << 30,
            .doc = "A larger body is not kept."),
    BP_END};

static const struct bp_need needs[] = {
    BP_NEED(BP_KEY_VALUE, BP_KEY_VALUE_VERSION, struct cache, key_value, .optional = 1), BP_NEED_END};

static const struct bp_provide provides[] = {BP_PROVIDE(BP_CACHE_TAGS, BP_CACHE_TAGS_VERSION, &cache_tags_vtable),
                                             BP_PROVIDE_END};

static const struct bp_metric_row metrics[] = {
    BP_METRIC(struct cache, requests_metric, .type = BP_COUNTER, .name = "backplane_cache_requests_total",
              .help = "Requests of routes that can be cached, by what became of them: hit, miss, stale, bypass.",
              .labels = {"result"}),
    BP_METRIC(struct cache, bytes_metric, .type = BP_GAUGE, .name = "backplane_cache_bytes",
              .help = "Bytes taken by the cache in the workers' memory."),
    BP_METRIC(struct cache, entries_metric, .type = BP_GAUGE, .name = "backplane_cache_entries",
              .help = "Replies kept in the workers' memory."),
    BP_METRIC(struct cache, evictions_metric, .type = BP_COUNTER, .name = "backplane_cache_evictions_total",
              .help = "Replies dropped from memory to make room for others, while they could still have been used."),
    BP_METRIC(struct cache, failures_metric, .type = BP_COUNTER, .name = "backplane_cache_store_failures_total",
              .help = "Times that Redis did not answer the cache."),
    BP_METRIC_END};

static int init(struct bp_host *host, void *self)
{
    struct cache *cache = self;
    if (cache->store == STORE_REDIS && !cache->key_value.vtable)
        return bp_config_error(host, "store", "\"redis\" needs an instance that provides key_value, such as redis");
    cache->host = host;
    return 0;
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

static void find_longest(struct bp_host *host, bp_str name, const void *stage, void *argument)
{
    const struct cache_stage *wanted = stage;
    bp_span *longest = argument;
    (void)host, (void)name;
    if (wanted->ttl + wanted->stale_while_revalidate > *longest)
        *longest = wanted->ttl + wanted->stale_while_revalidate;
}

static int start_replicas(struct bp_host *host, struct cache *cache)
{
    bp_span longest = 0;
    bp_stages_each(host, find_longest, &longest);
    cache->replicas = (struct replicas){
        .store = cache->key_value,
        .host = host,
        .tags = &cache->tags,
        .prefix = cache->prefix,
        .timeout = cache->timeout,
        .write_time = cache->write_time,
        .keep = longest + cache->write_time, /* a reply may be stored as long after it was read as a request may take */
        .failures = bp_series(cache->failures_metric, NULL)};
    return replicas_start(&cache->replicas);
}

static int start(struct bp_host *host, void *self)
{
    struct cache *cache = self;
    /* One region for all instances, whatever their names become on a reload: writers and readers must agree. */
    void *region = bp_shared(host, "cache:tags", TAGS_LAYOUT, tags_size());
    if (!region)
        return bp_start_error(host, "no shared memory for the cache's tags (server.shared_memory)");
    find_series(cache);
    bp_random(cache->secret, sizeof(cache->secret));
    int status = tags_init(&cache->tags, region);
    if (status == 0 && cache->store != STORE_MEMORY && cache->key_value.vtable)
        status = start_replicas(host, cache);
    else if (status == 0)
        status = memory_new(cache->size, &cache->memory);
    if (status < 0)
        return status;
    cache->started = true;
    return 0;
}

static void stop(struct bp_host *host, void *self)
{
    struct cache *cache = self;
    (void)host;
    if (!cache->memory)
        replicas_stop(&cache->replicas);
}

static void deinit(struct bp_host *host, void *self)
{
    struct cache *cache = self;
    (void)host;
    cache->started = false;
    cache->memory = memory_free(cache->memory);
    replicas_deinit(&cache->replicas);
    tags_deinit(&cache->tags);
}

static const struct bp_field headers[] = {
    BP_HEADER_FIELD("X-Cache", BP_TYPE_TEXT, .doc = "HIT, MISS, STALE or BYPASS."),
    BP_HEADER_FIELD("Age", BP_TYPE_U32, .doc = "Seconds since it was made (RFC 9111)."),
    BP_HEADER_FIELD("ETag", BP_TYPE_TEXT, .doc = "Of this version; for If-Match and If-None-Match.",
                    .example = "\"3\""),
    BP_END};
static const struct bp_field condition[] = {
    BP_HEADER_FIELD("If-None-Match", BP_TYPE_TEXT, .doc = "The ETag that the client has: 304 when it is current."),
    BP_END};

static const struct bp_answer answers[] = {
    BP_ANSWER(.status = 200, .methods = 1u << BP_GET, .cached_only = 1, .headers = headers, .request = condition),
    BP_ANSWER(.status = 304, .methods = 1u << BP_GET, .cached_only = 1, .doc = "The client has this version already.",
              .headers = headers),
    BP_ANSWER_END};

BP_PLUGIN(.name = "cache", .version = "1.0.0", .doc = "Keeps replies until what they were made of is written.",
          .self_size = sizeof(struct cache), .stage_size = sizeof(struct cache_stage), .options = options,
          .phase = BP_PHASE_REUSE, .needs = needs, .provides = provides, .metrics = metrics, .init = init,
          .start = start, .stop = stop, .deinit = deinit, .middleware = cache_serve, .answers = answers);
