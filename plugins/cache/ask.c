/* SPDX-License-Identifier: MIT */
#include "ask.h"

#include "directives.h"

#define PARAMETERS_MAX 32u /* allow-listed ones; a route with more is not cached where they are used */

/* A place for each allow-listed parameter, in the order of the list, so that the order in the query does not matter. */
struct parameters {
    size_t count;
    bool repeated;
    bp_str names[PARAMETERS_MAX], values[PARAMETERS_MAX]; /* a value whose ptr is NULL was not given */
};

static bool add_name(struct parameters *list, bp_str name)
{
    if (list->count == PARAMETERS_MAX)
        return false;
    list->names[list->count] = name;
    list->values[list->count++] = bp_str_n(NULL, 0);
    return true;
}

static bool allowed_parameters(const struct bp_field *rows, bp_str names, struct parameters *list)
{
    bp_str name;
    list->count = 0;
    list->repeated = false;
    if (names.len > 0) {
        while (key_next_name(&names, &name))
            if (!add_name(list, name))
                return false;
        return true;
    }
    for (; rows->type != BP_TYPE_END; rows++)
        if (rows->type != BP_TYPE_PRESENCE && !add_name(list, bp_field_name(rows)))
            return false;
    return true;
}

static void note(struct parameters *list, bp_str name, bp_str value)
{
    for (size_t i = 0; i < list->count; i++)
        if (bp_str_eq(list->names[i], name)) {
            list->repeated |= list->values[i].ptr != NULL;
            list->values[i] = bp_str_n(value.ptr ? value.ptr : "", value.len);
        }
}

/* False: the query is none that a reply is kept for. */
static bool add_query(struct bp_request *rq, const struct cache_stage *stage, struct key *key)
{
    const struct bp_field *rows = bp_request_endpoint(rq)->query;
    bp_str rest = bp_request_query(rq), name, value;
    struct parameters list;
    if (rest.len == 0)
        return true;
    if (!rows && stage->query.len == 0) { /* the handler may look at it by itself */
        key_add(key, 'q', BP_STR(""), rest);
        return true;
    }
    if (!allowed_parameters(rows, stage->query, &list))
        return false;
    while (bp_query_next(rq, &rest, &name, &value))
        note(&list, name, value);
    for (size_t i = 0; i < list.count; i++)
        if (list.values[i].ptr)
            key_add(key, 'p', list.names[i], list.values[i]);
    return !list.repeated;
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
