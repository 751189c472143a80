/* SPDX-License-Identifier: MIT */
/* What stages and handlers may ask of a request (backplane/request.h, slot.h). */
#include "core/http/request.h"

#include <string.h>

#include "backplane/slot.h"
#include "backplane/status.h"
#include "core/http/connection.h"
#include "core/http/server_internal.h"
#include "core/worker/fiber.h"

void request_reset(struct bp_request *rq, size_t slot_bytes)
{
    struct bp_arena *arena = rq->arena;
    memset(rq, 0, offsetof(struct bp_request, lean));
    rq->arena = arena;
    /* The field slots of the head are filled as far as field_count says: the rest need not be cleared. */
    memset(&rq->head, 0, offsetof(struct parser_head, fields));
    memset(rq->slots, 0, slot_bytes);
    rq->headers = rq->own_headers;
    rq->header_cap = REPLY_HEADERS_INLINE;
    rq->on_done_end = &rq->on_done;
}

enum bp_method bp_request_method(const struct bp_request *rq)
{
    return (enum bp_method)rq->head.method;
}

bp_str bp_request_method_name(const struct bp_request *rq)
{
    return rq->head.method_text;
}

bp_str bp_request_target(const struct bp_request *rq)
{
    return rq->head.target;
}

bp_str bp_request_path(const struct bp_request *rq)
{
    return rq->path;
}

bp_str bp_request_query(const struct bp_request *rq)
{
    return rq->head.query;
}

bp_str bp_request_route(const struct bp_request *rq)
{
    return rq->endpoint ? bp_str_of(rq->endpoint->route.path) : BP_STR("");
}

const struct bp_route *bp_request_endpoint(const struct bp_request *rq)
{
    return rq->endpoint ? &rq->endpoint->route : NULL;
}

static __attribute__((noinline)) bp_str find_header(struct bp_request *rq, bp_str name)
{
    bp_str found = {NULL, 0};
    for (uint32_t i = 0; i < rq->head.field_count; i++) {
        const struct parser_field *field = &rq->head.fields[i];
        if (field->name.len != name.len || !bp_str_eq_nocase(field->name, name))
            continue;
        if (!found.ptr) {
            found = field->value;
            if (!found.ptr)
                found.ptr = "";
            continue;
        }
        bp_str joined =
            bp_arena_printf(rq->arena, "%" BP_STR_FMT ", %" BP_STR_FMT, BP_STR_ARG(found), BP_STR_ARG(field->value));
        if (joined.ptr)
            found = joined;
    }
    return found;
}

int bp_request_header_set(struct bp_request *rq, bp_str name, bp_str value)
{
    uint32_t kept = 0;
    bool found = false;
    bp_str copy = bp_arena_copy(rq->arena, value);
    if (!copy.ptr)
        return BP_NOMEM;
    for (uint32_t i = 0; i < rq->head.field_count; i++) {
        struct parser_field field = rq->head.fields[i];
        if (bp_str_eq_nocase(field.name, name)) {
            if (found)
                continue;
            found = true;
            field.value = copy;
        }
        rq->head.fields[kept++] = field;
    }
    rq->head.field_count = kept;
    return found ? 0 : BP_MISUSE;
}

bp_str bp_request_header(struct bp_request *rq, bp_str name)
{
    if (name.len == 0 || !(rq->head.names & parser_name_bit(name)))
        return bp_str_n(NULL, 0);
    return find_header(rq, name);
}

bp_str bp_request_host(const struct bp_request *rq)
{
    return rq->head.authority;
}

bp_str bp_request_http_version(const struct bp_request *rq)
{
    return rq->head.minor == 0 && !rq->reject_status ? BP_STR("1.0") : BP_STR("1.1");
}

struct bp_arena *bp_arena(struct bp_request *rq)
{
    return rq->arena;
}

bp_time bp_started(const struct bp_request *rq)
{
    return rq->started;
}

bp_time bp_now(const struct bp_request *rq)
{
    return loop_now(rq->connection->server->loop);
}

bp_date bp_request_date(const struct bp_request *rq)
{
    return loop_date(rq->connection->server->loop);
}

void bp_set_deadline(struct bp_request *rq, bp_time deadline)
{
    fiber_set_deadline(rq->fiber, deadline);
}

bp_str bp_request_id(const struct bp_request *rq)
{
    return rq->id;
}

int bp_set_request_id(struct bp_request *rq, bp_str id)
{
    bp_str copy = bp_arena_copy(rq->arena, id);
    if (!copy.ptr)
        return BP_NOMEM;
    rq->id = copy;
    return 0;
}

const struct bp_identity *bp_identity(const struct bp_request *rq)
{
    return rq->has_identity ? &rq->identity : NULL;
}

int bp_set_identity(struct bp_request *rq, const struct bp_identity *identity)
{
    bp_str role = bp_arena_copy(rq->arena, identity->role);
    bp_str scopes = bp_arena_copy(rq->arena, identity->scopes);
    if (!role.ptr || !scopes.ptr)
        return BP_NOMEM;
    rq->identity = (struct bp_identity){.user_id = identity->user_id, .role = role, .scopes = scopes};
    rq->has_identity = true;
    return 0;
}

bp_date bp_identity_expires(const struct bp_request *rq)
{
    return rq->identity_expires;
}

void bp_set_identity_expires(struct bp_request *rq, bp_date date)
{
    rq->identity_expires = date;
}

bp_str bp_param(const struct bp_request *rq, const char *name)
{
    for (uint32_t i = 0; i < rq->params.count; i++)
        if (bp_str_is(rq->params.names[i], name))
            return rq->params.values[i];
    return BP_STR("");
}

const bp_uuid *bp_param_uuid(const struct bp_request *rq, const char *name)
{
    if (!rq->endpoint || !rq->params.decoded)
        return NULL;
    for (const struct bp_field *row = rq->endpoint->route.params; row->type != BP_TYPE_END; row++)
        if (row->type == BP_TYPE_UUID && strcmp(row->name, name) == 0)
            return (const bp_uuid *)(const void *)((const char *)rq->params.decoded + row->offset);
    return NULL;
}

const void *bp_query(const struct bp_request *rq)
{
    return rq->query;
}

void *bp_slot(struct bp_request *rq, int slot)
{
    return rq->slots + slot;
}

bp_str bp_stage_name(const struct bp_request *rq)
{
    return rq->pipeline && rq->stage < rq->pipeline->count ? rq->pipeline->stages[rq->stage].name : BP_STR("");
}
