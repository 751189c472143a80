/* SPDX-License-Identifier: MIT */
/* An instance of the plugin, and what its files have in common. */
#ifndef TODOS_TODOS_H
#define TODOS_TODOS_H

#include "backplane/backplane.h"
#include "backplane/iface/identity.h"
#include "todo.h"

struct todos {
    struct bp_service db, identity;
};

struct list_query {
    int64_t page;
    uint32_t limit;
};

extern const struct bp_field create_body[], update_body[], list_query[], list_reply[];

bp_handler todos_create, todos_list, todos_update, todos_delete;

/* Users' data is kept by nobody without asking again (RFC 9111 5.2.2). */
static inline int todos_private(struct bp_request *rq)
{
    return bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("private, no-cache"));
}

static inline int todos_missing(struct bp_request *rq)
{
    return bp_fail(rq, 404, "todo.not_found", "Todo not found");
}

#endif
