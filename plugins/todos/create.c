/* SPDX-License-Identifier: MIT */
/* POST /api/v1/todos */
#include "todos.h"

struct created {
    bp_str title;
    bool completed;
};

const struct bp_field create_body[] = {
    BP_TEXT(struct created, title, .flags = BP_REQUIRED | BP_TRIM, .min = 1, .max = 500, .doc = "What to do.",
            .example = "Buy milk"),
    BP_BOOL(struct created, completed, .def = "false", .doc = "Whether it is done."),
    BP_END,
};

int todos_create(struct bp_request *rq, void *self, const void *stage)
{
    const struct todos *todos = self;
    (void)stage;
    struct created body;
    const bp_uuid *user_id;
    int status = todos_begin(todos, rq, &user_id);
    if (status == 0)
        status = bp_body_object(rq, create_body, &body);
    if (status < 0)
        return bp_trace(status);

    bp_date now = bp_date_now();
    struct todo todo = {.id = bp_uuid_new(),
                        .title = body.title,
                        .completed = body.completed,
                        .user_id = *user_id,
                        .created_at = now,
                        .updated_at = now};
    status = todo_create(todos->db, &todo);
    if (status == TODO_E_NO_ACCOUNT)
        return bp_identity_gone(todos->identity, rq);
    if (status < 0)
        return bp_trace(status);
    return bp_reply_object(rq, 201, "Todo created successfully", todo_fields, &todo);
}
