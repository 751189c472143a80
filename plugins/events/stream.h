/* SPDX-License-Identifier: MIT */
/* GET /api/v1/events: what happens, as it happens (Server-Sent Events). */
#ifndef PLUGINS_EVENTS_STREAM_H
#define PLUGINS_EVENTS_STREAM_H

#include "backplane/answer.h"
#include "backplane/request.h"

struct stream_query {
    uint64_t set, null;
    bp_str types;
    int64_t since;
};
extern const struct bp_field stream_query[];
extern const struct bp_answer stream_answers[];

bp_handler stream_open;

#endif
