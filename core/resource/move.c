/* SPDX-License-Identifier: MIT */
/* POST of a row's new place. */
#include "core/resource/move.h"
#include "backplane/status.h"
#include "core/http/request.h"
#include "core/resource/body.h"
#include "core/resource/handlers.h"

struct move {
    struct bp_request *rq;
    struct resource *resource;
    struct bp_tx *tx;
    const struct move_body *body;
    void *object; /* the row's new members, as far as given */
    bool writes;  /* something was written in tx */
    struct write write;
};

/* A number between low and high, each NULL where there is none; now: in milliseconds. False when there is none left. */
static bool move_between(const double *low, const double *high, double now, double *ret_position)
{
    double position = now;
    if (low && high)
        position = *low + (*high - *low) / 2;
    else if (low)
        position = now > *low ? now : *low + 1;
    else if (high)
        position = *high - MOVE_GAP;
    if ((low && position <= *low) || (high && position >= *high))
        return false;
    *ret_position = position;
    return true;
}

static int refuse(struct move *move, unsigned status, const char *code, const char *rest)
{
    bp_str full_code = bp_arena_printf(move->rq->arena, "%s.%s", move->resource->definition->name, code);
    bp_str message = resource_message(move->rq, move->resource->noun, rest);
    int failed = full_code.ptr && message.ptr ? bp_fail(move->rq, status, full_code.ptr, message.ptr) : BP_NOMEM;
    return failed < 0 ? failed : BP_REFUSED;
}

static double position_of(const struct resource *resource, void *object)
{
    double position;
    memcpy(&position, object_member(resource, object, resource->position), sizeof(position));
    return position;
}

/* The row that the other is to stand beside. */
static int find_anchor(struct move *move, const bp_uuid *id, void **ret_object)
{
    if (memcmp(id, move->write.id, sizeof(*id)) == 0)
        return refuse(move, 400, "beside_itself", "cannot be moved beside itself");
    int status = write_find(move->rq, move->resource, move->tx, id, move->write.owner, ret_object);
    if (status != WRITE_E_MISSING)
        return status;
    status = resource_missing(move->rq, move->resource);
    return status < 0 ? status : BP_REFUSED;
}

/* *ret: the position of the neighbour, in the arena; NULL: there is none. */
static int find_edge(struct move *move, enum move_edge edge, void *anchor, double **ret)
{
    struct resource *resource = move->resource;
    struct binding binding = {.id = move->write.id, .owner = move->write.owner};
    struct bp_db_value keys[2] = {{0}};
    struct bp_result result;
    if (anchor) {
        keys[0] = bp_db_f64(position_of(resource, anchor));
        keys[1] = bp_db_uuid(object_member(resource, anchor, 0));
    }
    binding.keys = keys;
    int status = statement_run(resource, move->tx, &resource->move->edges[edge], &binding, move->rq->arena, &result);
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    struct move_edge_row *row = result.rows;
    *ret = result.len == 0 || row->null & 1 ? NULL : &row->position;
    return 0;
}

static int compare(const struct resource *resource, void *a, void *b)
{
    double left = position_of(resource, a), right = position_of(resource, b);
    return left < right   ? -1
           : left > right ? 1
                          : memcmp(object_member(resource, a, 0), object_member(resource, b, 0), sizeof(bp_uuid));
}

static int find_gap(struct move *move, double **ret_low, double **ret_high)
{
    const struct move_body *body = move->body;
    uint64_t given = body->set & ~body->null;
    void *after = NULL, *before = NULL;
    int status = given & MOVE_AFTER ? find_anchor(move, &body->after, &after) : 0;
    if (status == 0 && given & MOVE_BEFORE_ROW)
        status = find_anchor(move, &body->before, &before);
    *ret_low = *ret_high = NULL;
    if (status != 0)
        return status;
    if (after && before && compare(move->resource, after, before) >= 0)
        return refuse(move, 409, "order", "cannot be moved there: the two are not in this order");
    void *anchor = after ? after : before;
    if (anchor) {
        double *own = object_member(move->resource, anchor, move->resource->position);
        *(after ? ret_low : ret_high) = own;
        return find_edge(move, after ? MOVE_BEHIND : MOVE_BEFORE, anchor, after ? ret_high : ret_low);
    }
    bool first = body->set & MOVE_AFTER && !(body->set & MOVE_BEFORE_ROW);
    return find_edge(move, first ? MOVE_FIRST : MOVE_LAST, NULL, first ? ret_high : ret_low);
}

static int renumber(struct move *move)
{
    struct binding binding = {.owner = move->write.owner, .now = bp_date_now()};
    move->writes = true;
    return statement_run(move->resource, move->tx, &move->resource->move->renumber, &binding, move->rq->arena, NULL);
}

static int find_position(struct move *move, double *ret_position)
{
    double *low, *high;
    int status = find_gap(move, &low, &high);
    if (status != 0 || move_between(low, high, (double)bp_date_now(), ret_position))
        return status;
    status = renumber(move);
    if (status == 0)
        status = find_gap(move, &low, &high);
    return status != 0 || move_between(low, high, (double)bp_date_now(), ret_position) ? status : BP_ERROR;
}

static int place(struct move *move, double position, const int64_t *version)
{
    struct resource *resource = move->resource;
    struct bp_db_value key = bp_db_f64(position);
    struct binding binding = {.id = move->write.id,
                              .owner = move->write.owner,
                              .now = bp_date_now(),
                              .if_version = version,
                              .object = move->object,
                              .given = *object_set(resource, move->object),
                              .null = *object_null(resource, move->object),
                              .keys = &key};
    struct bp_result result;
    move->writes = true;
    int status = statement_run(resource, move->tx, &resource->move->place, &binding, move->rq->arena, &result);
    if (status > 0) {
        move->write.condition = status;
        return WRITE_E_CONFLICT;
    }
    if (status == 0 && result.len == 0)
        return WRITE_E_MISSING;
    if (status == 0)
        move->write.result = result.rows;
    return status;
}

static int run(struct move *move)
{
    struct resource *resource = move->resource;
    struct binding binding = {.owner = move->write.owner};
    struct bp_result result;
    void *found = NULL;
    int64_t version = 0;
    bool bound = false;
    double position;
    int status = statement_run(resource, move->tx, &resource->move->lock, &binding, move->rq->arena, &result);
    if (status == 0)
        status = write_find(move->rq, resource, move->tx, move->write.id, move->write.owner, &found);
    if (status == 0)
        status = write_find_condition(move->rq, resource, move->tx, &move->write, &version, &bound);
    if (status == 0 && bound &&
        memcmp(&version, object_member(resource, found, resource->version), sizeof(version)) != 0)
        status = WRITE_E_VERSION;
    if (status == 0)
        status = find_position(move, &position);
    version += move->writes; /* numbering all anew changed this one, too */
    return status == 0 ? place(move, position, bound ? &version : NULL) : status;
}

static int run_in_transaction(struct move *move)
{
    struct bp_service db = resource_db(move->resource);
    int status = bp_db_begin(db, &move->tx);
    if (status < 0)
        return status;
    status = run(move);
    if (status == 0 ||
        !move->writes) { /* what only read may end either way, and rolling back undoes what it is a part of */
        int ended = bp_db_commit(db, move->tx);
        return status == 0 ? ended : status;
    }
    bp_db_rollback(db, move->tx);
    return status;
}

/* The body, and what the resource's own hook says of the members that it brings. */
static int prepare(struct move *move)
{
    struct resource *resource = move->resource;
    char *body = bp_arena_alloc(move->rq->arena, MOVE_OBJECT + resource->definition->object_size);
    if (!body)
        return BP_NOMEM;
    move->object = body + MOVE_OBJECT;
    int status = body_object(move->rq, resource, resource->move_rows, body);
    if (status < 0)
        return status;
    move->body = (const void *)body;
    *object_set(resource, move->object) = *object_null(resource, move->object) = 0;
    if (!(move->body->set & MOVE_INTO))
        return 0;
    *object_set(resource, move->object) = UINT64_C(1) << resource->move_into;
    if (move->body->null & MOVE_INTO)
        *object_null(resource, move->object) = UINT64_C(1) << resource->move_into;
    move->write.object = move->object;
    return write_ask_hook(move->rq, resource, &move->write);
}

int bp_resource_move(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    struct move move = {
        .rq = rq,
        .resource = resource_of(rq),
        .write = {.kind = BP_WRITE_UPDATE, .id = bp_param_uuid(rq, "id"), .if_match = handlers_if_match(rq)}};
    int status = write_demand_condition(move.resource, &move.write);
    if (status == 0)
        status = resource_begin(rq, move.resource, &move.write.owner);
    if (status == 0)
        status = prepare(&move);
    if (status == 0)
        status = run_in_transaction(&move);
    if (status == 0)
        return handlers_reply_row(rq, 200, "moved", move.write.result);
    return handlers_reply_write(rq, move.resource, &move.write, status, true);
}
