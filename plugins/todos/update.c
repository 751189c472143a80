/* SPDX-License-Identifier: MIT */
/* PATCH /api/v1/todos/{id} */
#include "todos.h"

struct updated {
    uint64_t set, null;
    bp_str title;
    bool completed;
};

const struct bp_field update_body[] = {
    BP_PRESENCE(struct updated, set, null),
    BP_TEXT(struct updated, title, .flags = BP_TRIM, .min = 1, .max = 500, .doc = "What to do.", .example = "Buy milk"),
    BP_BOOL(struct updated, completed, .doc = "Whether it is done."),
    BP_END,
};

int todos_update(struct bp_request *rq, void *self, const void *stage)
{
    const struct todos *todos = self;
    (void)stage;
    struct updated body;
    struct todo todo;
    const bp_uuid *user_id;
    int status = todos_begin(todos, rq, &user_id);
    if (status == 0)
        status = bp_body_object(rq, update_body, &body);
    if (status < 0)
        return bp_trace(status);

    struct todo_change change = {.title = bp_is_set(update_body, &body, "title") ? &body.title : NULL,
                                 .completed = bp_is_set(update_body, &body, "completed") ? &body.completed : NULL};
    const bp_uuid *id = bp_param_uuid(rq, "id");
    /* Nothing to change is no change: updatedAt stays. */
    if (change.title || change.completed)
        status = todo_update(todos->db, user_id, id, &change, bp_date_now(), bp_arena(rq), &todo);
    else
        status = todo_find(todos->db, user_id, id, bp_arena(rq), &todo);
    if (status == TODO_E_MISSING)
        return todos_missing(rq);
    if (status < 0)
        return bp_trace(status);
    return bp_reply_object(rq, 200, "Todo updated successfully", todo_fields, &todo);
}
