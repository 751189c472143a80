/* SPDX-License-Identifier: MIT */
/* The middleware. */
#include "ask.h"
#include "directives.h"
#include "reply_of.h"

/* One request on its way through the cache. */
struct visit {
    struct bp_request *rq;
    struct cache *cache;
    const struct cache_stage *stage;
    bp_str tag;
    uint32_t cell;
    struct ask ask;
    struct generation generation; /* taken before anything is read */
};

static const bp_str result_lines[RESULT_COUNT] = {
    [RESULT_HIT] = BP_STR_INIT("X-Cache: HIT\r\n"),
    [RESULT_MISS] = BP_STR_INIT("X-Cache: MISS\r\n"),
    [RESULT_STALE] = BP_STR_INIT("X-Cache: STALE\r\n"),
    [RESULT_BYPASS] = BP_STR_INIT("X-Cache: BYPASS\r\n"),
};

static void count(const struct cache *cache, enum result result)
{
    bp_metric_add(cache->results[result], 1);
}

static void tell_metrics(struct cache *cache)
{
    struct memory_stats stats = memory_stats(cache->memory);
    bp_metric_set(cache->bytes, (int64_t)stats.bytes);
    bp_metric_set(cache->entries, (int64_t)stats.entries);
    if (stats.evictions != cache->said.evictions)
        bp_metric_add(cache->evictions, (int64_t)(stats.evictions - cache->said.evictions));
    cache->said = stats;
}

static void give_back(struct bp_request *rq, const struct bp_done *done, void *argument)
{
    (void)rq, (void)done;
    entry_unref(argument);
}

/* "X-Cache: HIT\r\nAge: 12\r\n", without printf: it is on the way of every hit. */
static int add_lines(struct bp_request *rq, enum result result, bp_span age)
{
    uint64_t seconds = age > 0 ? (uint64_t)(age / BP_SECOND) : 0;
    bp_str first = result_lines[result];
    char *text = bp_arena_alloc(bp_arena(rq), first.len + 32), space[20];
    bp_str digits = bp_str_u64(seconds, space);
    size_t len = first.len;
    if (!text)
        return BP_NOMEM;
    memcpy(text, first.ptr, first.len);
    memcpy(text + len, "Age: ", 5);
    memcpy(text + len + 5, digits.ptr, digits.len);
    len += 5 + digits.len;
    memcpy(text + len, "\r\n", 2);
    return bp_header_block(rq, bp_str_n(text, len + 2));
}

static bool client_has(struct bp_request *rq, bp_str etag)
{
    bp_str known = bp_request_header(rq, BP_STR("if-none-match"));
    return known.ptr && etag_matches(known, etag);
}

/* Answers with a kept reply, which lives until the request is done. */
static int answer(const struct visit *visit, enum result result, const struct reply *reply, bp_span age)
{
    struct bp_request *rq = visit->rq;
    count(visit->cache, result);
    int status = add_lines(rq, result, age);
    if (status == 0)
        status = bp_header_block(rq, reply->lines);
    if (status < 0)
        return bp_trace(status);
    if (client_has(rq, reply->etag))
        return bp_reply_body(rq, 304, BP_STR(""), BP_STR(""));
    return bp_reply_body(rq, 200, reply->content_type, reply->body);
}

/* Takes over a reference. */
static int answer_entry(const struct visit *visit, enum result result, struct entry *entry, bp_time now)
{
    int status = bp_on_done(visit->rq, give_back, entry);
    if (status < 0) {
        entry_unref(entry);
        return bp_trace(status);
    }
    return answer(visit, result, &entry->reply, now - entry->stored);
}

static struct entry *make_entry(const struct visit *visit, struct reply *reply, bp_time now)
{
    const struct cache_stage *stage = visit->stage;
    if (!visit->ask.fill || reply->body.len > stage->max_entry)
        return NULL;
    reply->life = (stage->ttl + stage->stale_while_revalidate) / BP_MILLISECOND;
    struct entry *entry = entry_new(&visit->ask.digest, reply);
    if (!entry)
        return NULL;
    entry->generation = visit->generation.local;
    entry->stored = now;
    entry->fresh_until = now + stage->ttl;
    entry->stale_until = entry->fresh_until + stage->stale_while_revalidate;
    return entry;
}

/* In Redis this suspends. */
static void keep(const struct visit *visit, struct entry *entry)
{
    struct cache *cache = visit->cache;
    if (!tags_holds(&cache->tags, visit->cell, entry->stored, visit->generation.local))
        return;
    if (!cache->memory) {
        replicas_keep(&cache->replicas, visit->tag, &visit->generation, entry, bp_arena(visit->rq));
        return;
    }
    (void)memory_put(cache->memory, entry, entry->stored);
    tell_metrics(cache);
}

/* After the handler. *ret_entry: what may be kept, and given to those who wait; NULL when it is nobody else's. */
static int finish(const struct visit *visit, struct entry **ret_entry)
{
    struct bp_request *rq = visit->rq;
    struct reply reply;
    if (!reply_of(rq, visit->stage, &reply))
        return 0;
    *ret_entry = make_entry(visit, &reply, bp_now(rq));
    return client_has(rq, reply.etag) ? bp_reply_body(rq, 304, BP_STR(""), BP_STR("")) : 0;
}

/* Asks the handler. flight: of those who wait for what comes of it; NULL: none. */
static int fetch(const struct visit *visit, enum result result, struct flight *flight)
{
    struct entry *entry = NULL;
    count(visit->cache, result);
    int status = bp_next(visit->rq), added = 0;
    bool failed = status < 0 || bp_reply_status(visit->rq) >= 500;
    if (!bp_reply_streams(visit->rq))
        added = bp_header_block(visit->rq, result_lines[result]);
    if (status == 0 && added == 0)
        status = finish(visit, &entry);
    if (flight)
        flight_land(&visit->cache->flights, flight, entry, failed);
    if (entry)
        keep(visit, entry);
    entry_unref(entry);
    return status < 0 ? status : bp_trace(added);
}

/* On a miss: one asks, the others wait for it. */
static int fetch_together(const struct visit *visit)
{
    struct flight *flight = NULL;
    struct entry *entry = NULL;
    int turn = flight_join(&visit->cache->flights, &visit->ask.digest, &visit->generation, &flight, &entry);
    if (turn < 0)
        return bp_trace(turn);
    if (turn == FLIGHT_SHARES)
        return answer_entry(visit, RESULT_HIT, entry, bp_now(visit->rq));
    return fetch(visit, RESULT_MISS, flight);
}

static int serve_from_memory(const struct visit *visit, bp_time now)
{
    struct cache *cache = visit->cache;
    struct entry *entry = memory_find(cache->memory, &visit->ask.digest, visit->generation.local, now);
    if (entry && entry->fresh_until > now)
        return answer_entry(visit, RESULT_HIT, entry_ref(entry), now);
    /* Past its time but not past its use: whoever comes first refreshes it, the others are not kept waiting. */
    if (entry && flight_exists(&cache->flights, &visit->ask.digest, &visit->generation))
        return answer_entry(visit, RESULT_STALE, entry_ref(entry), now);
    return fetch_together(visit);
}

static int serve_from_redis(struct visit *visit)
{
    struct cache *cache = visit->cache;
    struct found found;
    int status = replicas_look(&cache->replicas, visit->tag, &visit->ask.digest, bp_arena(visit->rq),
                               &visit->generation, &found);
    if (status == BP_CANCELED)
        return status;
    if (status != 0) {
        visit->ask.fill = false;
        return fetch(visit, status == REPLICAS_MARKED ? RESULT_BYPASS : RESULT_MISS, NULL);
    }
    if (!visit->ask.read)
        return fetch(visit, RESULT_BYPASS, NULL);
    if (found.there && found.age < visit->stage->ttl)
        return answer(visit, RESULT_HIT, &found.reply, found.age);
    if (found.there && flight_exists(&cache->flights, &visit->ask.digest, &visit->generation))
        return answer(visit, RESULT_STALE, &found.reply, found.age);
    return fetch_together(visit);
}

int cache_serve(struct bp_request *rq, void *self, const void *stage)
{
    struct cache *cache = self;
    unsigned method = bp_request_method(rq);
    bp_str tag = method == BP_GET || method == BP_HEAD ? bp_request_cache_tag(rq) : BP_STR("");
    if (tag.len == 0)
        return bp_next(rq);
    struct visit visit = {.rq = rq, .cache = cache, .stage = stage, .tag = tag, .cell = tags_cell(tag)};
    bp_time now = bp_now(rq);
    ask_of(rq, cache, stage, &visit.ask);
    if (!tags_read(&cache->tags, visit.cell, now, &visit.generation.local))
        visit.ask.read = visit.ask.fill = false;
    if (!visit.ask.fill || (!visit.ask.read && cache->memory))
        return fetch(&visit, RESULT_BYPASS, NULL);
    if (!cache->memory)
        return serve_from_redis(&visit);
    return serve_from_memory(&visit, now);
}
