/* SPDX-License-Identifier: MIT */
/* From events to deliveries, in the transaction that moves the place in the outbox. */
#include "delivery.h"
#include "endpoint.h"
#include "types.h"

static bool is_known(const struct bp_events_item *items, size_t count, const bp_uuid *user_id)
{
    for (size_t i = 0; i < count; i++)
        if (bp_uuid_eq(&items[i].user_id, user_id))
            return true;
    return false;
}

/* The users whom the events are of, each once, as a JSON array. */
static bp_str users_of(const struct bp_events_item *items, size_t count, struct bp_arena *arena)
{
    char *text = bp_arena_alloc(arena, count * (BP_UUID_LEN + 3) + 3), *at = text;
    if (!text)
        return bp_str_n(NULL, 0);
    *at++ = '[';
    for (size_t i = 0; i < count; i++) {
        if (is_known(items, i, &items[i].user_id))
            continue;
        if (at > text + 1)
            *at++ = ',';
        *at++ = '"';
        bp_uuid_format(&items[i].user_id, at);
        at += BP_UUID_LEN;
        *at++ = '"';
    }
    *at++ = ']';
    return bp_str_n(text, (size_t)(at - text));
}

static bp_str body_of(const struct bp_events_item *item, struct bp_arena *arena)
{
    char date[BP_DATE_LEN];
    bp_date_format(item->at, date);
    return bp_arena_printf(arena, "{\"type\":\"%" BP_STR_FMT "\",\"timestamp\":\"%.*s\",\"data\":%" BP_STR_FMT "}",
                           BP_STR_ARG(item->type), BP_DATE_LEN, date, BP_STR_ARG(item->data));
}

static int deliver_to(const struct webhooks *self, struct bp_tx *tx, const struct bp_events_item *item,
                      const struct endpoint_wish *wish, bp_str body)
{
    const bp_uuid id = bp_uuid_new();
    int status = delivery_create(self, tx, &id, &wish->id, item->position, item->type, body, bp_date_now());
    return status == 0 ? webhooks_enqueue(self, tx, &(struct delivery_job){.delivery_id = id}, 0) : status;
}

static int deliver_one(const struct webhooks *self, struct bp_tx *tx, const struct bp_events_item *item,
                       struct bp_array wishes, struct bp_arena *arena)
{
    bp_str body = bp_str_n(NULL, 0);
    int status = 0;
    for (size_t i = 0; i < wishes.len && status == 0; i++) {
        const struct endpoint_wish *wish = &((const struct endpoint_wish *)wishes.ptr)[i];
        if (!bp_uuid_eq(&wish->user_id, &item->user_id) || !types_match(wish->types, item->type))
            continue;
        if (!body.ptr)
            body = body_of(item, arena);
        status = body.ptr ? deliver_to(self, tx, item, wish, body) : BP_NOMEM;
    }
    return status;
}

int webhooks_consume(struct bp_tx *tx, const struct bp_events_item *items, size_t count, void *argument)
{
    const struct webhooks *self = argument;
    struct bp_arena *arena = bp_fiber_arena();
    struct bp_array wishes;
    bp_str users = users_of(items, count, arena);
    int status = users.ptr ? endpoint_wishes(self, tx, users, arena, &wishes) : BP_NOMEM;
    for (size_t i = 0; i < count && status == 0; i++)
        status = deliver_one(self, tx, &items[i], wishes, arena);
    return bp_trace(status);
}
