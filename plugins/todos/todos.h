/* SPDX-License-Identifier: MIT */
/* An instance of the plugin, and what its files have in common. */
#ifndef TODOS_TODOS_H
#define TODOS_TODOS_H

#include "backplane/backplane.h"
#include "backplane/iface/identity.h"
#include "todo.h"

struct todos {
    struct bp_service db, identity;
    struct bp_host *host;
};

struct list_query {
    int64_t page;
    uint32_t limit;
};

extern const struct bp_field create_body[], update_body[], list_query[], list_reply[];

bp_handler todos_create, todos_list, todos_get, todos_update, todos_delete;

/* What every handler begins with: whose todos they are (a pipeline without a stage that identifies is a mistake in the
 * configuration), and that nobody keeps the reply without asking again (RFC 9111 5.2.2). */
int todos_begin(const struct todos *todos, struct bp_request *rq, const bp_uuid **ret_user_id);

/* 404; another account's todo is none. */
int todos_missing(struct bp_request *rq);

#endif
