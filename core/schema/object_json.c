/* SPDX-License-Identifier: MIT */
/* Objects as JSON that is kept somewhere, for plugins. */
#include "backplane/status.h"
#include "core/schema/schema.h"

bp_str bp_object_encode(const struct bp_field *rows, const void *object, struct bp_arena *arena)
{
    struct buffer json = {0};
    bp_str text = {NULL, 0};
    schema_encode_json(rows, object, &json);
    if (!json.failed)
        text = bp_arena_copy(arena, buffer_str(&json));
    buffer_deinit(&json);
    return text;
}

int bp_object_decode(const struct bp_field *rows, bp_str json, struct bp_arena *arena, void *object,
                     bp_str *ret_problem)
{
    struct bp_problems problems;
    problems_init(&problems, arena);
    int status = schema_decode_json(rows, json, arena, object, &problems);
    if (status <= 0)
        return status;
    if (ret_problem) {
        const struct problem *first = problems.items;
        *ret_problem = first->field.len > 0 ? bp_arena_printf(arena, "%" BP_STR_FMT ": %" BP_STR_FMT,
                                                              BP_STR_ARG(first->field), BP_STR_ARG(first->message))
                                            : first->message;
        if (!ret_problem->ptr)
            return BP_NOMEM;
    }
    return BP_ERROR;
}
