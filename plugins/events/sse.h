/* SPDX-License-Identifier: MIT */
/* Texts of Server-Sent Events (HTML Living Standard 9.2). Pure. */
#ifndef PLUGINS_EVENTS_SSE_H
#define PLUGINS_EVENTS_SSE_H

#include "backplane/iface/events.h"

#define SSE_TYPES_MAX 1000 /* bytes of a list of types */

/* Bytes that an event takes at most. */
size_t sse_event_room(const struct bp_events_item *item);
/* Writes it; what is returned is behind it. */
char *sse_event(char *at, const struct bp_events_item *item);

#define SSE_TEXT_ROOM 256u
/* Clients are to begin anew: from now on they are told everything again, but not what was before position. */
size_t sse_resync(char text[SSE_TEXT_ROOM], int64_t position, bp_date at);
/* How long to wait before connecting again. */
size_t sse_retry(char text[SSE_TEXT_ROOM], bp_span span);
/* Nothing happened up to this position; negative: none is told. */
size_t sse_keep_alive(char text[SSE_TEXT_ROOM], int64_t position);

/* Whether the list ("todo.created,list.deleted"; empty: all) holds the type. */
bool sse_is_wanted(bp_str types, bp_str type);
/* Whether it is a list of types; empty is none. */
bool sse_are_types(bp_str types);

#endif
