/* SPDX-License-Identifier: MIT */
/* POST of several operations: each has the status and the body that it would have had alone. */
#include "backplane/log.h"
#include "backplane/status.h"
#include "core/http/request.h"
#include "core/resource/body.h"
#include "core/resource/handlers.h"

#define OPERATIONS_MAX 100

struct bulk {
    struct bp_request *rq;
    struct resource *resource;
    const bp_uuid *owner;
    struct bp_tx *tx; /* NULL: each for itself */
    struct buffer results;
    size_t failed;
};

static int fail(struct bp_request *rq, unsigned status, const char *code, bp_str message)
{
    int failed = message.ptr ? bp_fail(rq, status, code, message.ptr) : BP_NOMEM;
    return failed < 0 ? failed : BP_REFUSED;
}

static uint32_t kind_of(const char *op)
{
    static const char *const names[] = {"", "create", "update", "replace", "delete"};
    for (uint32_t kind = BP_WRITE_CREATE; op && kind <= BP_WRITE_DELETE; kind++)
        if (strcmp(op, names[kind]) == 0)
            return kind;
    return 0;
}

/* What is wrong with an operation is recorded as the reply that it alone would have had. */
static int prepare(struct bulk *bulk, json_t *operation, struct write *write, bp_uuid *id)
{
    struct bp_request *rq = bulk->rq;
    const char *text = json_string_value(json_object_get(operation, "id"));
    write->kind = kind_of(json_string_value(json_object_get(operation, "op")));
    json_t *condition = json_object_get(operation, "ifMatch");
    write->if_match = json_string_value(condition);
    if (write->kind == 0)
        return fail(rq, 400, "bulk.malformed", BP_STR("\"op\" is one of create, update, replace, delete"));
    if (condition && !write->if_match) /* never unconditional instead */
        return fail(rq, 400, "bulk.malformed", BP_STR("\"ifMatch\" must be a text"));
    if (write->kind == BP_WRITE_CREATE)
        *id = bp_uuid_new();
    else if (!text || !bp_uuid_parse(bp_str_of(text), id))
        return fail(rq, 400, "bulk.malformed", bp_str_of(bulk->resource->param_rows[0].invalid));
    write->id = id;
    write->owner = bulk->owner;
    if (write->kind == BP_WRITE_DELETE)
        return 0;
    json_t *data = json_object_get(operation, "data");
    write->object = bp_arena_alloc(rq->arena, bulk->resource->definition->object_size);
    if (!write->object)
        return BP_NOMEM;
    if (!json_is_object(data))
        return fail(rq, 400, "bulk.malformed", BP_STR("\"data\" must be an object"));
    return body_value(rq, bulk->resource,
                      write->kind == BP_WRITE_UPDATE ? bulk->resource->update_rows : bulk->resource->create_rows, data,
                      write->object);
}

/* Runs one and records its reply. Negative: the whole request ends. */
static int run_one(struct bulk *bulk, json_t *operation)
{
    struct write write = {0};
    bp_uuid id;
    int status = prepare(bulk, operation, &write, &id);
    if (status == 0)
        status = write_demand_condition(bulk->resource, &write);
    if (status == 0)
        status = write_run(bulk->rq, bulk->resource, bulk->tx, &write);
    if (status == BP_BUSY && !bulk->tx)
        return fail(bulk->rq, 503, "http.busy", BP_STR("Service unavailable")) == BP_REFUSED ? 0 : BP_NOMEM;
    if (status >= 0)
        status = handlers_reply_write(bulk->rq, bulk->resource, &write, status, false);
    return status == BP_REFUSED ? 0 : status;
}

static void add_result(struct bulk *bulk, bool first)
{
    unsigned status = bp_reply_status(bulk->rq);
    buffer_printf(&bulk->results, "%s{\"status\":%u,\"body\":", first ? "" : ",", status);
    buffer_add(&bulk->results, bp_reply_content(bulk->rq));
    buffer_add_char(&bulk->results, '}');
    bulk->failed += status >= 400;
}

static int run_all(struct bulk *bulk, json_t *operations)
{
    for (size_t i = 0; i < json_array_size(operations); i++) {
        int status = run_one(bulk, json_array_get(operations, i));
        if (status < 0)
            return status;
        add_result(bulk, i == 0);
        if (bulk->tx && bulk->failed > 0)
            return 0; /* and that one's reply is recorded */
    }
    return 0;
}

static int run_atomic(struct bulk *bulk, json_t *operations)
{
    int status = bp_db_begin(resource_db(bulk->resource), &bulk->tx);
    if (status < 0)
        return status;
    struct bp_tx *before = bp_db_enlist(bulk->tx); /* what before_write asks is asked there, too */
    status = run_all(bulk, operations);
    (void)bp_db_enlist(before);
    if (status == 0 && bulk->failed == 0)
        return bp_db_commit(resource_db(bulk->resource), bulk->tx);
    bp_db_rollback(resource_db(bulk->resource), bulk->tx);
    return status;
}

static int reply(struct bulk *bulk, bool atomic, size_t count)
{
    struct bp_request *rq = bulk->rq;
    struct buffer body = {0};
    bool undone = atomic && bulk->failed > 0;
    if (undone) {
        bp_str id = bp_request_id(rq);
        buffer_add(&body,
                   BP_STR("{\"success\":false,\"status\":\"fail\",\"message\":\"Nothing was changed: an operation "
                          "failed\",\"code\":\"bulk.undone\""));
        if (id.len > 0) {
            buffer_add(&body, BP_STR(",\"requestId\":"));
            schema_encode_text(id, &body);
        }
    } else {
        buffer_add(&body, BP_STR("{\"success\":true,\"message\":\"Operations were run\""));
    }
    buffer_printf(&body, ",\"data\":{\"succeeded\":%zu,\"failed\":%zu,\"results\":[", undone ? 0 : count - bulk->failed,
                  bulk->failed);
    buffer_add(&body, buffer_str(&bulk->results));
    buffer_add(&body, BP_STR("]}}"));
    bp_str text = body.failed || bulk->results.failed ? bp_str_n(NULL, 0) : bp_arena_copy(rq->arena, buffer_str(&body));
    buffer_deinit(&body);
    return text.ptr ? bp_reply_body(rq, undone ? 422 : 200, BP_STR("application/json; charset=utf-8"), text) : BP_NOMEM;
}

int bp_resource_bulk(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    struct bulk bulk = {.rq = rq, .resource = resource_of(rq)};
    json_t *body;
    int status = resource_begin(rq, bulk.resource, &bulk.owner);
    if (status == 0)
        status = request_demand_json(rq);
    if (status == 0)
        status = body_json(rq, &body);
    if (status < 0)
        return bp_trace(status);
    json_t *operations = json_object_get(body, "operations"), *given = json_object_get(body, "atomic");
    bool atomic = json_is_true(given);
    size_t count = json_array_size(operations);
    if (count == 0 || count > OPERATIONS_MAX)
        status = fail(rq, 400, "bulk.malformed", BP_STR("\"operations\" must be an array of 1 to 100 operations"));
    else if (given && !json_is_boolean(given))
        status = fail(rq, 400, "bulk.malformed", BP_STR("\"atomic\" must be a boolean"));
    else
        status = atomic ? run_atomic(&bulk, operations) : run_all(&bulk, operations);
    if (status == 0)
        status = reply(&bulk, atomic, count);
    buffer_deinit(&bulk.results);
    json_decref(body);
    return bp_trace(status);
}
