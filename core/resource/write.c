/* SPDX-License-Identifier: MIT */
#include "core/resource/write.h"

#include "backplane/status.h"
#include "core/http/request.h"
#include "core/resource/etag.h"

/* From the bits of a body table to those of the members. */
static void map_presence(const struct resource *resource, void *object)
{
    uint64_t set = *object_set(resource, object), null = *object_null(resource, object);
    *object_set(resource, object) = *object_null(resource, object) = 0;
    for (unsigned i = 0; i < resource->count; i++) {
        if (resource->members[i].body_index < 0)
            continue;
        *object_set(resource, object) |= (set >> resource->members[i].body_index & 1) << i;
        *object_null(resource, object) |= (null >> resource->members[i].body_index & 1) << i;
    }
}

/* What was not given and cannot be NULL has its default. */
static void take_presence(const struct resource *resource, const struct write *write, struct binding *binding)
{
    uint64_t set = *object_set(resource, write->object), null = *object_null(resource, write->object);
    bool whole = write->kind != BP_WRITE_UPDATE;
    for (unsigned i = 0; i < resource->count; i++) {
        const struct member *member = &resource->members[i];
        uint64_t bit = UINT64_C(1) << i;
        bool nullable = member->row->flags & BP_NULLABLE;
        if (!member->writable) {
            binding->null |= nullable ? bit : 0;
            continue;
        }
        bool given = set & bit;
        if (given || whole)
            binding->given |= bit;
        if (null & bit || (!given && nullable && !member->row->def))
            binding->null |= bit;
    }
}

int write_find(struct bp_request *rq, const struct resource *resource, struct bp_tx *tx, const bp_uuid *id,
               const bp_uuid *owner, void **ret_object)
{
    struct binding binding = {.id = id, .owner = owner};
    struct bp_result result;
    int status = statement_run(resource, tx, &resource->find, &binding, rq->arena, &result);
    if (status != 0)
        return status > 0 ? BP_ERROR : status;
    if (result.len == 0)
        return WRITE_E_MISSING;
    *ret_object = result.rows;
    return 0;
}

int write_ask_hook(struct bp_request *rq, struct resource *resource, const struct write *write)
{
    const struct bp_resource *definition = resource->definition;
    return definition->before_write
               ? definition->before_write(rq, resource->host->self, write->kind, write->id, write->object)
               : 0;
}

/* What a foreign key refused was perhaps there when the hook looked for it. */
static int refused(struct bp_request *rq, struct resource *resource, struct write *write, int condition)
{
    write->condition = condition;
    if (condition == BP_DB_FOREIGN && write_ask_hook(rq, resource, write) == BP_REFUSED)
        return BP_REFUSED;
    return WRITE_E_CONFLICT;
}

/* Members that are the moment of the insert, where another one is true. */
static void take_moments(const struct resource *resource, const struct write *write, struct binding *binding)
{
    for (unsigned i = 0; i < resource->count; i++) {
        bool moment;
        if (resource->members[i].insert_when < 0)
            continue;
        memcpy(&moment, object_member(resource, write->object, resource->members[i].insert_when), sizeof(moment));
        if (!moment)
            continue;
        memcpy(object_member(resource, write->object, (int)i), &binding->now, sizeof(binding->now));
        binding->null &= ~(UINT64_C(1) << i);
    }
}

/* What was inserted, where the database did not have to compute anything. */
static void fill_inserted(const struct resource *resource, const struct write *write, const struct binding *binding)
{
    void *object = write->object;
    *object_set(resource, object) = resource->all;
    *object_null(resource, object) = binding->null;
    double position = (double)binding->now;
    memcpy(object_member(resource, object, 0), write->id, sizeof(*write->id));
    if (resource->position >= 0)
        memcpy(object_member(resource, object, resource->position), &position, sizeof(position));
    if (resource->owner >= 0)
        memcpy(object_member(resource, object, resource->owner), write->owner, sizeof(*write->owner));
    if (resource->created >= 0)
        memcpy(object_member(resource, object, resource->created), &binding->now, sizeof(binding->now));
    if (resource->updated >= 0)
        memcpy(object_member(resource, object, resource->updated), &binding->now, sizeof(binding->now));
    if (resource->version >= 0)
        memcpy(object_member(resource, object, resource->version), &(int64_t){1}, sizeof(int64_t));
}

static int create(struct bp_request *rq, struct resource *resource, struct bp_tx *tx, struct write *write)
{
    struct binding binding = {.id = write->id, .owner = write->owner, .now = bp_date_now(), .object = write->object};
    struct bp_result result;
    take_presence(resource, write, &binding);
    take_moments(resource, write, &binding);
    int status = statement_run(resource, tx, &resource->insert, &binding, rq->arena, &result);
    if (status > 0) {
        int why = refused(rq, resource, write, status);
        return why > 0 && status == BP_DB_FOREIGN && resource->owner >= 0 ? WRITE_E_NO_OWNER : why;
    }
    if (status < 0)
        return status;
    bool counted = resource->definition->row_max > 0;
    if (!resource->reads_back && (!counted || result.changes > 0)) {
        fill_inserted(resource, write, &binding);
        write->result = write->object;
        return 0;
    }
    if (result.len > 0) {
        write->result = result.rows;
        return 0;
    }
    /* Inserted by an earlier attempt, whose answer was lost: then this is no refusal of it. */
    status = write_find(rq, resource, tx, write->id, write->owner, &write->result);
    if (counted && status == WRITE_E_MISSING)
        return WRITE_E_FULL;
    return !tx && (status == BP_BUSY || status == BP_TIMEOUT) ? BP_UNKNOWN : status;
}

static int64_t version_of(const struct resource *resource, void *object)
{
    int64_t version = 0;
    if (resource->version >= 0)
        memcpy(&version, object_member(resource, object, resource->version), sizeof(version));
    return version;
}

/* Nothing was changed: is there no such row, or is it of another version? */
static int why_not(struct bp_request *rq, const struct resource *resource, struct bp_tx *tx, const struct write *write)
{
    void *found;
    int status = write_find(rq, resource, tx, write->id, write->owner, &found);
    return status == 0 ? WRITE_E_VERSION : status;
}

int write_find_condition(struct bp_request *rq, const struct resource *resource, struct bp_tx *tx,
                         const struct write *write, int64_t *ret_version, bool *ret_bound)
{
    bp_str field = write->if_match ? bp_str_of(write->if_match) : bp_str_n(NULL, 0);
    void *found;
    int status;
    *ret_bound = false;
    switch (etag_match(field, ret_version)) {
    case ETAG_NO_CONDITION:
    case ETAG_ANY:
        return 0;
    case ETAG_ONE:
        *ret_bound = resource->version >= 0;
        return *ret_bound ? 0 : why_not(rq, resource, tx, write);
    case ETAG_NEVER:
        return why_not(rq, resource, tx, write);
    case ETAG_SEVERAL:
        break;
    }
    status = write_find(rq, resource, tx, write->id, write->owner, &found);
    if (status != 0)
        return status;
    *ret_version = version_of(resource, found);
    *ret_bound = true;
    return resource->version >= 0 && etag_match_lists(field, *ret_version) ? 0 : WRITE_E_VERSION;
}

static int change(struct bp_request *rq, struct resource *resource, struct bp_tx *tx, struct write *write)
{
    struct binding binding = {.id = write->id, .owner = write->owner, .now = bp_date_now(), .object = write->object};
    struct bp_result result;
    int64_t version;
    bool bound;
    int status = write_find_condition(rq, resource, tx, write, &version, &bound);
    if (status != 0)
        return status;
    binding.if_version = bound ? &version : NULL;
    if (write->object)
        take_presence(resource, write, &binding);
    if (write->kind == BP_WRITE_UPDATE && binding.given == 0) { /* nothing to change is no change */
        status = write_find(rq, resource, tx, write->id, write->owner, &write->result);
        return status == 0 && bound && version_of(resource, write->result) != version ? WRITE_E_VERSION : status;
    }
    bool removes = write->kind == BP_WRITE_DELETE;
    status = statement_run(resource, tx, removes ? &resource->remove : &resource->update, &binding, rq->arena, &result);
    if (status != 0)
        return status > 0 ? refused(rq, resource, write, status) : status;
    if (removes ? result.changes == 0 : result.len == 0)
        return bound ? why_not(rq, resource, tx, write) : WRITE_E_MISSING;
    write->result = removes ? NULL : result.rows;
    return 0;
}

int write_demand_condition(const struct resource *resource, const struct write *write)
{
    bool demanded = resource->definition->require_match && resource->version >= 0 && write->kind != BP_WRITE_CREATE;
    return demanded && !write->if_match ? WRITE_E_CONDITION : 0;
}

int write_run(struct bp_request *rq, struct resource *resource, struct bp_tx *tx, struct write *write)
{
    if (write->object)
        map_presence(resource, write->object);
    int status = write_ask_hook(rq, resource, write);
    if (status < 0)
        return status;
    return write->kind == BP_WRITE_CREATE ? create(rq, resource, tx, write) : change(rq, resource, tx, write);
}
