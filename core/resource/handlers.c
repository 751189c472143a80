/* SPDX-License-Identifier: MIT */
/* The handlers of one row, and what all handlers of resources share. */
#include "core/resource/handlers.h"
#include "backplane/iface/identity.h"
#include "backplane/log.h"
#include "backplane/status.h"
#include "core/http/request.h"
#include "core/resource/body.h"
#include "core/resource/etag.h"
#include "core/resource/patch.h"

bp_str resource_message(struct bp_request *rq, const char *noun, const char *rest)
{
    return bp_arena_printf(rq->arena, "%s %s", noun, rest);
}

int resource_begin(struct bp_request *rq, const struct resource *resource, const bp_uuid **ret_owner)
{
    const struct bp_identity *identity = bp_identity(rq);
    *ret_owner = NULL;
    if (resource->owner >= 0 && !identity) {
        bp_log(resource->host, BP_LOG_ERROR, "resource.no_identity",
               "The pipeline of this route has no stage that identifies who is asking",
               bp_log_str("route", bp_request_route(rq)));
        return BP_MISUSE;
    }
    if (resource->owner >= 0)
        *ret_owner = &identity->user_id;
    return bp_header_set(rq, BP_STR("Cache-Control"), identity ? BP_STR("private, no-cache") : BP_STR("no-cache"));
}

static int fail(struct bp_request *rq, const struct resource *resource, unsigned status, const char *code,
                const char *rest)
{
    bp_str full_code = bp_arena_printf(rq->arena, "%s.%s", resource->definition->name, code);
    bp_str message = resource_message(rq, resource->noun, rest);
    return full_code.ptr && message.ptr ? bp_fail(rq, status, full_code.ptr, message.ptr) : BP_NOMEM;
}

int resource_missing(struct bp_request *rq, const struct resource *resource)
{
    return fail(rq, resource, 404, "not_found", "not found");
}

/* 400 about a query parameter: what is said before and after the text that is quoted. */
static int refuse_query(struct bp_request *rq, bp_str parameter, const char *code, const char *before, bp_str text,
                        const char *after)
{
    struct bp_problems problems;
    problems_init(&problems, rq->arena);
    problems_add(
        &problems, parameter, code,
        bp_arena_printf(rq->arena, "%s \"%.*s\"%s", before, text.len < 100 ? (int)text.len : 100, text.ptr, after));
    int status = request_fail_problems(rq, &problems, false);
    return status < 0 ? status : BP_REFUSED;
}

int resource_select(struct bp_request *rq, const struct resource *resource, bp_str fields, uint64_t *ret_set)
{
    uint64_t set = 0;
    bp_str name;
    if (!fields.ptr || fields.len == 0) {
        *ret_set = resource->all;
        return 0;
    }
    while (bp_str_next(&fields, ',', &name)) {
        name = bp_str_trim(name);
        int member = resource_member_json(resource, name);
        if (member < 0) {
            return refuse_query(rq, BP_STR("fields"), "invalid", "Query parameter \"fields\" names", name,
                                ", which is no member");
        }
        set |= UINT64_C(1) << member;
    }
    *ret_set = set;
    return 0;
}

/* The query of a route for one row: `fields`, once, and nothing else. */
static int select_one(struct bp_request *rq, const struct resource *resource, uint64_t *ret_set)
{
    bp_str rest = bp_request_query(rq), name, value;
    bool selected = false;
    *ret_set = resource->all;
    while (bp_query_next(rq, &rest, &name, &value)) {
        if (name.len == 0 && value.len == 0)
            continue;
        bool known = bp_str_is(name, "fields");
        if (!known || selected)
            return known ? refuse_query(rq, name, "repeated", "Query parameter", name, " is repeated")
                         : refuse_query(rq, name, "unknown", "Unknown query parameter", name, "");
        int status = resource_select(rq, resource, value, ret_set);
        if (status < 0)
            return status;
        selected = true;
    }
    return 0;
}

static int64_t version_of(const struct resource *resource, void *object)
{
    int64_t version;
    memcpy(&version, object_member(resource, object, resource->version), sizeof(version));
    return version;
}

static int set_etag(struct bp_request *rq, const struct resource *resource, void *object)
{
    char text[ETAG_MAX];
    if (resource->version < 0)
        return 0;
    return bp_header_set(rq, BP_STR("ETag"), bp_str_n(text, etag_format(version_of(resource, object), text)));
}

static int reply_object(struct bp_request *rq, unsigned status, const char *verb, void *object)
{
    const struct resource *resource = resource_of(rq);
    bp_str message = bp_arena_printf(rq->arena, "%s %s successfully", resource->noun, verb);
    return message.ptr ? bp_reply_object(rq, status, message.ptr, resource->definition->fields, object) : BP_NOMEM;
}

int handlers_reply_row(struct bp_request *rq, unsigned status, const char *verb, void *object)
{
    int failed = set_etag(rq, resource_of(rq), object);
    return failed < 0 ? failed : reply_object(rq, status, verb, object);
}

static int find_one(struct bp_request *rq, struct resource *resource, void **ret_object)
{
    const bp_uuid *owner;
    int status = resource_begin(rq, resource, &owner);
    if (status == 0)
        status = write_find(rq, resource, NULL, bp_param_uuid(rq, "id"), owner, ret_object);
    if (status != WRITE_E_MISSING)
        return status;
    status = resource_missing(rq, resource);
    return status < 0 ? status : BP_REFUSED;
}

int bp_resource_get(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    struct resource *resource = resource_of(rq);
    uint64_t wanted;
    void *object;
    int status = select_one(rq, resource, &wanted);
    if (status == 0)
        status = find_one(rq, resource, &object);
    if (status < 0)
        return bp_trace(status);
    bp_str none_match = bp_request_header(rq, BP_STR("if-none-match"));
    if (none_match.ptr && resource->version >= 0 && etag_none_match(none_match, version_of(resource, object))) {
        status = set_etag(rq, resource, object);
        return status < 0 ? status : bp_reply_body(rq, 304, BP_STR(""), BP_STR(""));
    }
    *object_set(resource, object) = wanted;
    return handlers_reply_row(rq, 200, "retrieved", object);
}

static const char *const verbs[] = {"", "created", "updated", "updated", "deleted"};

int handlers_reply_write(struct bp_request *rq, struct resource *resource, struct write *write, int status,
                         bool with_etag)
{
    const struct bp_resource *definition = resource->definition;
    struct bp_service identity = {0};
    switch (status) {
    case WRITE_E_MISSING:
        return resource_missing(rq, resource);
    case WRITE_E_VERSION:
        return fail(rq, resource, 412, "version", "has been changed meanwhile");
    case WRITE_E_CONDITION:
        return fail(rq, resource, 428, "condition_required", "cannot be changed without If-Match");
    case WRITE_E_NO_OWNER:
        if (definition->identity)
            memcpy(&identity, (const char *)resource->host->self + definition->identity, sizeof(identity));
        return identity.vtable ? bp_identity_gone(identity, rq) : fail(rq, resource, 409, "no_owner", "has no owner");
    case WRITE_E_FULL:
        return fail(rq, resource, 409, "limit", "cannot be added: there are as many as there may be");
    case WRITE_E_CONFLICT:
        return definition->refused ? definition->refused(rq, resource->host->self, write->kind, write->condition)
                                   : fail(rq, resource, 409, "conflict", "conflicts with another");
    case 0:
        break;
    default:
        return bp_trace(status);
    }
    unsigned success = write->kind == BP_WRITE_CREATE ? 201 : 200;
    if (write->result)
        return with_etag ? handlers_reply_row(rq, success, verbs[write->kind], write->result)
                         : reply_object(rq, success, verbs[write->kind], write->result);
    bp_str message = resource_message(rq, resource->noun, "deleted successfully");
    return message.ptr ? bp_reply_message(rq, 200, message.ptr) : BP_NOMEM;
}

const char *handlers_if_match(struct bp_request *rq)
{
    bp_str field = bp_request_header(rq, BP_STR("if-match"));
    return field.ptr ? bp_arena_copy(rq->arena, field).ptr : NULL;
}

static int write_body(struct bp_request *rq, struct write *write, const struct bp_field *rows)
{
    struct resource *resource = resource_of(rq);
    int status = write_demand_condition(resource, write);
    if (status != 0)
        return handlers_reply_write(rq, resource, write, status, true);
    write->object = bp_arena_alloc(rq->arena, resource->definition->object_size);
    status = write->object ? resource_begin(rq, resource, &write->owner) : BP_NOMEM;
    if (status == 0)
        status = body_object(rq, resource, rows, write->object);
    if (status == 0)
        status = write_run(rq, resource, NULL, write);
    return handlers_reply_write(rq, resource, write, status, true);
}

/* Where it is now: the collection's path and the identifier. */
static int set_location(struct bp_request *rq, const bp_uuid *id)
{
    bp_str path = bp_request_path(rq);
    char *target = bp_arena_alloc(rq->arena, path.len + 1 + BP_UUID_LEN + 1);
    if (!target)
        return BP_NOMEM;
    memcpy(target, path.ptr, path.len);
    target[path.len] = '/';
    bp_uuid_format(id, target + path.len + 1);
    return bp_header_set(rq, BP_STR("Location"), bp_str_n(target, path.len + 1 + BP_UUID_LEN));
}

int bp_resource_create(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    bp_uuid id = bp_uuid_new();
    struct write write = {.kind = BP_WRITE_CREATE, .id = &id};
    int status = write_body(rq, &write, resource_of(rq)->create_rows);
    return status == 0 && bp_reply_status(rq) == 201 ? set_location(rq, &id) : status;
}

int bp_resource_replace(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    struct write write = {.kind = BP_WRITE_REPLACE, .id = bp_param_uuid(rq, "id"), .if_match = handlers_if_match(rq)};
    return write_body(rq, &write, resource_of(rq)->create_rows);
}

int bp_resource_update(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    struct resource *resource = resource_of(rq);
    struct write write = {.kind = BP_WRITE_UPDATE, .id = bp_param_uuid(rq, "id"), .if_match = handlers_if_match(rq)};
    if (!patch_is_asked(rq))
        return write_body(rq, &write, resource->update_rows);
    int status = write_demand_condition(resource, &write);
    if (status == 0)
        status = resource_begin(rq, resource, &write.owner);
    if (status == 0)
        status = patch_run(rq, resource, &write);
    return handlers_reply_write(rq, resource, &write, status, true);
}

int bp_resource_delete(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    struct resource *resource = resource_of(rq);
    struct write write = {.kind = BP_WRITE_DELETE, .id = bp_param_uuid(rq, "id"), .if_match = handlers_if_match(rq)};
    int status = write_demand_condition(resource, &write);
    if (status == 0)
        status = resource_begin(rq, resource, &write.owner);
    if (status == 0)
        status = write_run(rq, resource, NULL, &write);
    return handlers_reply_write(rq, resource, &write, status, true);
}
