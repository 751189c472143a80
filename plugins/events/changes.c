/* SPDX-License-Identifier: MIT */
#include "changes.h"

#include <stdio.h>

#include "outbox.h"

#define ITEM_ROOM 160u /* of what an item has beside its data */
#define REPLY_ROOM 160u

const struct bp_field changes_query[] = {
    BP_PRESENCE(struct changes_query, set, null),
    BP_I64(struct changes_query, since, .min = 0, .max = INT64_MAX,
           .doc = "The nextSince of the reply before. Without it nothing is listed: nextSince is where to begin. Take "
                  "it first, then read the todos, then ask for changes since."),
    BP_U32(struct changes_query, limit, .def = "100", .min = 1, .max = 1000, .doc = "Todos at most."), BP_END};

/* Whatever the resource has. */
static const struct bp_field todo_rows[] = {BP_END};

struct change {
    int64_t position;
    bp_uuid id;
    bool deleted;
    char todo[1];
};
static const struct bp_field change_rows[] = {
    BP_I64(struct change, position, .doc = "Of its last change; grows."), BP_UUID(struct change, id),
    BP_BOOL(struct change, deleted, .doc = "Whether it is gone."),
    BP_OBJECT(struct change, todo, todo_rows, .flags = BP_NULLABLE,
              .doc = "As GET /api/v1/todos/{id} showed it after that change; null: it is gone."),
    BP_END};

struct reply {
    struct bp_array changes;
    int64_t next_since;
    bool has_more;
};
const struct bp_field changes_reply[] = {
    BP_ARRAY(struct reply, changes, struct change, change_rows, .max = 1000,
             .doc = "What has changed, each todo once."),
    BP_I64(struct reply, next_since, .doc = "The since of the next request."),
    BP_BOOL(struct reply, has_more, .doc = "Whether to ask for more at once: 1 MiB at most is listed at a time."),
    BP_END};

#define EXPIRED "Changes since then are not known any more: begin again, without since, and read all todos"
const struct bp_answer changes_answers[] = {
    BP_ANSWER(.status = 410, .code = "sync.expired", .message = EXPIRED,
              .doc = "The position is older than events are kept, or of another database."),
    BP_ANSWER_END};

static char *put(char *at, bp_str text)
{
    memcpy(at, text.ptr, text.len);
    return at + text.len;
}

static char *put_change(char *at, const struct bp_events_item *item)
{
    char id[BP_UUID_LEN];
    bool deleted = bp_str_is(item->type, "todo.deleted");
    bp_uuid_format(&item->subject_id, id);
    at += snprintf(at, ITEM_ROOM,
                   "{\"position\":%lld,\"id\":\"%.*s\",\"deleted\":%s,\"todo\":", (long long)item->position,
                   BP_UUID_LEN, id, deleted ? "true" : "false");
    at = put(at, deleted ? BP_STR("null") : item->data);
    *at = '}';
    return at + 1;
}

static int reply(struct bp_request *rq, const struct bp_events_item *items, size_t len, int64_t next, bool more)
{
    size_t room = REPLY_ROOM;
    for (size_t i = 0; i < len; i++)
        room += ITEM_ROOM + items[i].data.len;
    char *body = bp_arena_alloc(bp_arena(rq), room), *at = body;
    if (!body)
        return BP_NOMEM;
    at = put(at, BP_STR("{\"success\":true,\"message\":\"Changes retrieved successfully\",\"data\":{\"changes\":["));
    for (size_t i = 0; i < len; i++) {
        if (i > 0)
            *at++ = ',';
        at = put_change(at, &items[i]);
    }
    at +=
        snprintf(at, REPLY_ROOM / 2, "],\"nextSince\":%lld,\"hasMore\":%s}}", (long long)next, more ? "true" : "false");
    int status = bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("private, no-cache"));
    return status != 0
               ? status
               : bp_reply_body(rq, 200, BP_STR("application/json; charset=utf-8"), bp_str_n(body, (size_t)(at - body)));
}

int changes_get(struct bp_request *rq, void *self, const void *stage)
{
    struct events *events = self;
    const struct changes_query *query = bp_query(rq);
    const struct bp_identity *identity = bp_identity(rq);
    struct outbox_head head;
    struct outbox_page page;
    (void)stage;
    if (!identity)
        return bp_fail(rq, 401, "auth.required", "Authentication required");
    int status = outbox_advance(events, &head);
    if (status != 0)
        return status;
    if (!bp_is_set(changes_query, query, "since"))
        return reply(rq, NULL, 0, head.last, false);
    /* One more, to know whether there is. */
    status = outbox_read_changes(events, &identity->user_id, query->since, query->limit + 1, bp_arena(rq), &page);
    if (status != 0)
        return status;
    if (query->since < page.forgotten || query->since > head.last)
        return bp_fail(rq, 410, "sync.expired", EXPIRED);
    bool more = page.len > query->limit;
    size_t len = more ? query->limit : page.len;
    return reply(rq, page.items, len, more ? page.items[len - 1].position : page.upto, more || page.cut);
}
