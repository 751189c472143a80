/* SPDX-License-Identifier: MIT */
#include "ask.h"

#include "directives.h"

#define PARAMETERS_MAX 32u /* that a request gives; with more it is not cached */

/* Parameters as they are given, in the order of the list of those that count, so that their order in the query does not matter. */
struct parameters {
    size_t count;
    bool odd; /* one is repeated, or there are too many */
    struct parameter {
        size_t rank; /* in the list */
        bp_str name, value;
    } items[PARAMETERS_MAX];
};

#define NOT_LISTED SIZE_MAX

static size_t rank_in_names(bp_str names, bp_str wanted)
{
    bp_str name;
    for (size_t rank = 0; key_next_name(&names, &name); rank++)
        if (bp_str_eq(name, wanted))
            return rank;
    return NOT_LISTED;
}

static size_t rank_in_rows(const struct bp_field *rows, bp_str wanted)
{
    for (size_t rank = 0; rows[rank].type != BP_TYPE_END; rank++)
        if (rows[rank].type != BP_TYPE_PRESENCE && bp_str_eq(bp_field_name(&rows[rank]), wanted))
            return rank;
    return NOT_LISTED;
}

static void note(struct parameters *list, size_t rank, bp_str name, bp_str value)
{
    size_t at = list->count;
    if (at == PARAMETERS_MAX) {
        list->odd = true;
        return;
    }
    for (; at > 0 && list->items[at - 1].rank >= rank && rank != NOT_LISTED; at--) {
        list->odd |= list->items[at - 1].rank == rank;
        list->items[at] = list->items[at - 1];
    }
    list->items[at] = (struct parameter){rank, name, value};
    list->count++;
}

/* False: the query is none that a reply is kept for. */
static bool add_query(struct bp_request *rq, const struct cache_stage *stage, struct key *key)
{
    const struct bp_field *rows = bp_request_endpoint(rq)->query;
    bp_str rest = bp_request_query(rq), name, value;
    struct parameters list;
    list.count = 0;
    list.odd = false;
    if (!rows && stage->query.len == 0) { /* the handler may look at it by itself */
        key_add(key, 'q', BP_STR(""), rest);
        return true;
    }
    while (bp_query_next(rq, &rest, &name, &value)) {
        size_t rank = stage->query.len > 0 ? rank_in_names(stage->query, name) : rank_in_rows(rows, name);
        /* What the route does not know its handler may refuse; what the configuration leaves out does not count. */
        if (rank != NOT_LISTED || stage->query.len == 0)
            note(&list, rank, name, value);
    }
    for (size_t i = 0; i < list.count; i++)
        key_add(key, 'p', list.items[i].name, list.items[i].value);
    return !list.odd;
}

static void add_fields(struct bp_request *rq, const struct cache_stage *stage, struct key *key)
{
    bp_str names = stage->vary, name;
    bp_str accept = bp_request_header(rq, BP_STR("accept"));
    if (accept.ptr && !bp_str_is(accept, "*/*"))
        key_add_normalized(key, 'a', BP_STR(""), accept);
    while (key_next_name(&names, &name)) {
        bp_str value = bp_request_header(rq, name);
        if (value.ptr)
            key_add(key, 'f', name, bp_str_trim(value));
    }
}

static bool build_key(struct bp_request *rq, const struct cache *cache, const struct cache_stage *stage,
                      struct key *key)
{
    const struct bp_identity *identity = bp_identity(rq);
    key_begin(key);
    if (!cache->memory) /* while replicas are being updated, two versions share Redis */
        key_add(key, 'v', BP_STR(""), bp_str_of(bp_version()));
    if (identity)
        key_add(key, 'i', bp_str_n((const char *)identity->user_id.bytes, sizeof(identity->user_id.bytes)),
                identity->role);
    key_add(key, '/', BP_STR(""), bp_request_path(rq));
    bool known = bp_request_query(rq).len == 0 || add_query(rq, stage, key);
    add_fields(rq, stage, key);
    return known && !key->overflowed;
}

void ask_of(struct bp_request *rq, const struct cache *cache, const struct cache_stage *stage, struct ask *ret_ask)
{
    bp_str cache_control = bp_request_header(rq, BP_STR("cache-control"));
    struct ask ask = {.read = true, .fill = true};
    struct key key;
    if (cache_control.ptr) {
        struct request_directives directives = directives_of_request(cache_control);
        ask.read = !directives.no_read;
        ask.fill = !directives.no_fill;
    }
    /* What nobody has looked at may still decide the reply (RFC 9111 3.5); conditions other than If-None-Match are the handler's. */
    if ((!bp_identity(rq) && bp_request_header(rq, BP_STR("authorization")).ptr) ||
        bp_request_header(rq, BP_STR("if-match")).ptr || bp_request_header(rq, BP_STR("if-unmodified-since")).ptr ||
        bp_request_header(rq, BP_STR("range")).ptr || !build_key(rq, cache, stage, &key))
        ask.read = ask.fill = false;
    if ((ask.read || ask.fill) && !cache->memory)
        key_digest_shared(&key, &ask.digest);
    else if (ask.read || ask.fill)
        key_digest(&key, cache->secret, &ask.digest);
    *ret_ask = ask;
}

bool ask_covers_vary(const struct bp_request *rq, const struct cache_stage *stage, bp_str vary)
{
    bp_str name;
    while (key_next_name(&vary, &name))
        if (!bp_str_eq_nocase(name, BP_STR("accept")) && !key_listed(stage->vary, name) &&
            !(bp_identity(rq) && bp_str_eq_nocase(name, BP_STR("authorization"))))
            return false;
    return true;
}
