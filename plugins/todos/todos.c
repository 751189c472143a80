/* SPDX-License-Identifier: MIT */
#include "todos.h"

int todos_begin(const struct todos *todos, struct bp_request *rq, const bp_uuid **ret_user_id)
{
    const struct bp_identity *identity = bp_identity(rq);
    if (!identity) {
        bp_log(todos->host, BP_LOG_ERROR, "todos.no_identity",
               "The pipeline of this route has no stage that identifies who is asking",
               bp_log_str("route", bp_request_route(rq)));
        return BP_MISUSE;
    }
    *ret_user_id = &identity->user_id;
    return bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("private, no-cache"));
}

int todos_missing(struct bp_request *rq)
{
    return bp_fail(rq, 404, "todo.not_found", "Todo not found");
}
