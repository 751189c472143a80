/* SPDX-License-Identifier: MIT */
#include "sse.h"

#include <stdio.h>

#define FIXED_ROOM 160u /* of an event, beside type and data */

size_t sse_event_room(const struct bp_events_item *item)
{
    return FIXED_ROOM + 2 * item->type.len + item->data.len;
}

static char *put(char *at, bp_str text)
{
    memcpy(at, text.ptr, text.len);
    return at + text.len;
}

/* Line breaks of JSON stand between its tokens, where a space says the same. */
static char *put_line(char *at, bp_str text)
{
    for (size_t i = 0; i < text.len; i++)
        *at++ = text.ptr[i] == '\n' || text.ptr[i] == '\r' ? ' ' : text.ptr[i];
    return at;
}

char *sse_event(char *at, const struct bp_events_item *item)
{
    char date[BP_DATE_LEN];
    bp_date_format(item->at, date);
    at += snprintf(at, FIXED_ROOM / 2, "id: %lld\nevent: ", (long long)item->position);
    at = put(at, item->type);
    at += snprintf(at, FIXED_ROOM / 2, "\ndata: {\"id\":%lld,\"type\":\"", (long long)item->position);
    at = put(at, item->type);
    at = put(at, BP_STR("\",\"at\":\""));
    at = put(at, bp_str_n(date, sizeof(date)));
    at = put(at, BP_STR("\",\"data\":"));
    at = put_line(at, item->data);
    return put(at, BP_STR("}\n\n"));
}

size_t sse_resync(char text[SSE_TEXT_ROOM], int64_t position, bp_date at)
{
    const struct bp_events_item item = {.position = position, .type = BP_STR("resync"), .data = BP_STR("{}"), .at = at};
    return (size_t)(sse_event(text, &item) - text);
}

size_t sse_retry(char text[SSE_TEXT_ROOM], bp_span span)
{
    return (size_t)snprintf(text, SSE_TEXT_ROOM, "retry: %lld\n\n", (long long)(span / BP_MILLISECOND));
}

size_t sse_keep_alive(char text[SSE_TEXT_ROOM], int64_t position)
{
    if (position < 0)
        return (size_t)snprintf(text, SSE_TEXT_ROOM, ":\n\n");
    return (size_t)snprintf(text, SSE_TEXT_ROOM, ":\nid: %lld\n\n", (long long)position);
}

bool sse_is_wanted(bp_str types, bp_str type)
{
    bp_str name;
    if (types.len == 0)
        return true;
    while (bp_str_next(&types, ',', &name))
        if (bp_str_eq(name, type))
            return true;
    return false;
}

bool sse_are_types(bp_str types)
{
    bp_str name;
    while (bp_str_next(&types, ',', &name)) {
        if (name.len == 0)
            return false;
        for (size_t i = 0; i < name.len; i++) {
            char c = name.ptr[i];
            if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
                return false;
        }
    }
    return true;
}
