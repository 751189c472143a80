/* SPDX-License-Identifier: MIT */
/* A client of GET /api/v1/events, as HTML's standard describes one. */
#ifndef HTTP_EVENT_SOURCE_H
#define HTTP_EVENT_SOURCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define EVENTS "/api/v1/events"

struct source {
    int fd;
    bool chunked;
    bool whole;  /* it has ended as a reply does: not cut, nor silent for too long */
    size_t left; /* of the chunk */
    char last_id[32];
    long long retry;
    unsigned comments;
    size_t begin, end; /* of what was read and not yet looked at */
    char read[65536], line[65536];
};

struct event {
    char id[32], type[64];
    json_t *root; /* its data; NULL: the stream has ended */
};

/* The status of the reply; 200: the stream is open. version: "1.1" or "1.0". */
unsigned open_on(int port, struct source *source, const char *who, const char *query, const char *fields,
                 const char *version);
/* One of the site's server, which must open. */
void open_source(struct source *source, const char *who, const char *query);
void close_source(struct source *source);
/* The next event; root NULL when the stream has ended. until_comment: also when there was a comment. */
struct event next_event(struct source *source, bool until_comment);
/* Which must be of this type and, unless id is NULL, about that; which must not be, as the stream is whole, and closes it. */
void expect_event(struct source *source, const char *type, const char *id);
void expect_end(struct source *source);
/* Reads the greeting of a stream that begins now: its retry and a comment. */
void expect_greeting(struct source *source);

#endif
