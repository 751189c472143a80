/* SPDX-License-Identifier: MIT */
/* GET /api/v1/todos/changes: for clients that keep a copy of the todos. */
#ifndef PLUGINS_EVENTS_CHANGES_H
#define PLUGINS_EVENTS_CHANGES_H

#include "backplane/answer.h"
#include "backplane/request.h"

struct changes_query {
    uint64_t set, null;
    int64_t since;
    uint32_t limit;
};
extern const struct bp_field changes_query[], changes_reply[];
extern const struct bp_answer changes_answers[];

bp_handler changes_get;

#endif
