/* SPDX-License-Identifier: MIT */
/* DELETE /api/v1/todos/{id} */
#include "todos.h"

int todos_delete(struct bp_request *rq, void *self, const void *stage)
{
    const struct todos *todos = self;
    (void)stage;
    const bp_uuid *user_id;
    int status = todos_begin(todos, rq, &user_id);
    if (status == 0)
        status = todo_delete(todos->db, user_id, bp_param_uuid(rq, "id"));
    if (status == TODO_E_MISSING)
        return todos_missing(rq);
    if (status < 0)
        return bp_trace(status);
    return bp_reply_message(rq, 200, "Todo deleted successfully");
}
