/* SPDX-License-Identifier: MIT */
#include "core/resource/body.h"

#include "backplane/status.h"
#include "core/http/request.h"
#include "core/schema/read_json.h"

static int refuse(struct bp_request *rq, const struct bp_problems *problems, bool syntax)
{
    int status = request_fail_problems(rq, problems, syntax);
    return status < 0 ? status : BP_REFUSED;
}

/* Members that no row describes, where they are refused. */
static void check_unknown(const struct bp_field *rows, json_t *value, struct bp_problems *problems)
{
    const char *key;
    json_t *item;
    json_object_foreach(value, key, item)
    {
        const struct bp_field *row = rows + 1;
        while (row->type != BP_TYPE_END && !bp_str_is(schema_json_name(row), key))
            row++;
        if (row->type == BP_TYPE_END)
            problems_add(problems, bp_str_of(key), "unknown",
                         bp_arena_printf(problems->arena, "Unknown member \"%.100s\"", key));
    }
}

int body_value(struct bp_request *rq, const struct resource *resource, const struct bp_field *rows, json_t *value,
               void *ret_object)
{
    struct bp_problems problems;
    problems_init(&problems, rq->arena);
    int status = schema_decode_value(rows, value, rq->arena, ret_object, &problems);
    if (status < 0)
        return status;
    if (resource->definition->refuse_unknown)
        check_unknown(rows, value, &problems);
    return problems.failed ? BP_NOMEM : problems.len > 0 ? refuse(rq, &problems, false) : 0;
}

int body_json(struct bp_request *rq, json_t **ret_value)
{
    struct bp_problems problems;
    struct syntax_error error;
    bool overflow;
    bp_str text;
    int status = bp_body(rq, &text);
    if (status < 0)
        return status;
    status = read_json(text, ret_value, &overflow, &error);
    if (status <= 0)
        return status;
    problems_init(&problems, rq->arena);
    problems_add(
        &problems, bp_str_n(NULL, 0), "syntax",
        bp_arena_printf(rq->arena, "Invalid JSON at line %u, column %u: %s", error.line, error.column, error.what));
    return refuse(rq, &problems, true);
}

int body_object(struct bp_request *rq, const struct resource *resource, const struct bp_field *rows, void *ret_object)
{
    json_t *value;
    int status;
    if (bp_request_method(rq) == BP_PATCH) {
        status = bp_header_set(rq, BP_STR("Accept-Patch"),
                               BP_STR("application/merge-patch+json, application/json-patch+json, application/json"));
        if (status < 0)
            return status;
    }
    status = bp_body_object(rq, rows, ret_object);
    if (status < 0 || !resource->definition->refuse_unknown)
        return status;
    status = body_json(rq, &value);
    if (status < 0)
        return status;
    struct bp_problems problems;
    problems_init(&problems, rq->arena);
    check_unknown(rows, value, &problems);
    json_decref(value);
    return problems.failed ? BP_NOMEM : problems.len > 0 ? refuse(rq, &problems, false) : 0;
}
