/* SPDX-License-Identifier: MIT */
#include "event_source.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "events_site.h"

unsigned open_on(int port, struct source *source, const char *who, const char *query, const char *fields,
                 const char *version)
{
    char request[4096], head[4096];
    size_t len = 0;
    *source = (struct source){.fd = http_connect(port), .retry = -1};
    snprintf(request, sizeof(request), "GET " EVENTS "%s HTTP/%s\r\nHost: t\r\n%s%s\r\n", query, version, who, fields);
    cr_assert(source->fd >= 0 && http_send_text(source->fd, request));
    while (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0) {
        cr_assert(len + 1 < sizeof(head) && recv(source->fd, head + len, 1, 0) == 1, "%.*s", (int)len, head);
        len++;
    }
    head[len] = '\0';
    source->chunked = strstr(head, "\r\nTransfer-Encoding: chunked\r\n") != NULL;
    unsigned status = (unsigned)strtoul(head + 9, NULL, 10);
    if (status == 200)
        cr_expect(strstr(head, "\r\nContent-Type: text/event-stream\r\n") &&
                      strstr(head, "\r\nCache-Control: no-store\r\n"),
                  "%s", head);
    if (status == 429 || status == 503)
        cr_expect(strstr(head, "\r\nRetry-After: 10\r\n"), "%s", head);
    return status;
}

void open_source(struct source *source, const char *who, const char *query)
{
    cr_assert_eq(open_on(site.port, source, who, query, "", "1.1"), 200);
}

void close_source(struct source *source)
{
    close(source->fd);
    source->fd = -1;
}

/* Something is there that was not looked at. */
static bool fill(struct source *source)
{
    if (source->begin < source->end)
        return true;
    ssize_t got = recv(source->fd, source->read, sizeof(source->read), 0);
    source->whole = source->whole || (got == 0 && !source->chunked);
    source->begin = 0;
    source->end = got > 0 ? (size_t)got : 0;
    return got > 0;
}

static bool take_byte(struct source *source, char *ret_byte)
{
    if (!fill(source))
        return false;
    *ret_byte = source->read[source->begin++];
    return true;
}

/* The beginning of the next chunk: its size. False: there is none. */
static bool begin_chunk(struct source *source)
{
    char size[20];
    size_t len = 0;
    while (len < sizeof(size) - 1 && take_byte(source, &size[len]))
        if (size[len++] == '\n' && len > 2)
            break;
    size[len] = '\0';
    source->left = strtoul(size, NULL, 16);
    if (source->left == 0)
        source->whole = len > 2 && size[0] == '0';
    return source->left > 0;
}

/* Its end, when it was read. False: it was cut there. */
static bool end_chunk(struct source *source)
{
    char end[2];
    if (source->left > 0)
        return true;
    if (!take_byte(source, &end[0]) || !take_byte(source, &end[1]))
        return false;
    cr_assert(memcmp(end, "\r\n", 2) == 0);
    return true;
}

static bool read_line(struct source *source)
{
    size_t len = 0;
    for (bool ended = false; !ended;) {
        if ((source->chunked && source->left == 0 && !begin_chunk(source)) || !fill(source))
            return false;
        const char *from = source->read + source->begin;
        size_t amount = source->end - source->begin;
        if (source->chunked && amount > source->left)
            amount = source->left;
        const char *end = memchr(from, '\n', amount);
        if (end)
            amount = (size_t)(end - from) + 1;
        ended = end != NULL;
        cr_assert(len + amount < sizeof(source->line));
        memcpy(source->line + len, from, amount);
        len += amount;
        source->begin += amount;
        if (source->chunked) {
            source->left -= amount;
            if (!end_chunk(source))
                return false;
        }
    }
    source->line[len - 1] = '\0';
    return true;
}

struct event next_event(struct source *source, bool until_comment)
{
    struct event event = {.type = ""};
    char *data = NULL;
    while (read_line(source)) {
        const char *line = source->line;
        if (line[0] == ':') {
            source->comments++;
        } else if (strncmp(line, "id: ", 4) == 0) {
            snprintf(event.id, sizeof(event.id), "%s", line + 4);
        } else if (strncmp(line, "event: ", 7) == 0) {
            snprintf(event.type, sizeof(event.type), "%s", line + 7);
        } else if (strncmp(line, "data: ", 6) == 0) {
            cr_assert_null(data);
            data = strdup(line + 6);
        } else if (strncmp(line, "retry: ", 7) == 0) {
            source->retry = strtoll(line + 7, NULL, 10);
        } else {
            cr_assert_str_eq(line, "");
            if (event.id[0])
                memcpy(source->last_id, event.id, sizeof(event.id));
            if (data)
                break;
            if (until_comment && source->comments > 0)
                return event;
        }
    }
    if (data) {
        event.root = json_loads(data, JSON_REJECT_DUPLICATES, NULL);
        cr_assert(event.root, "%s", data);
        cr_expect_str_eq(http_json_text(event.root, "type"), event.type);
        cr_expect_eq(http_json_integer(event.root, "id"), strtoll(event.id, NULL, 10));
        cr_expect_eq(strlen(http_json_text(event.root, "at")), 24);
        cr_expect(json_is_object(json_object_get(event.root, "data")));
        cr_expect_eq(json_object_size(event.root), 4);
    }
    free(data);
    return event;
}

void expect_event(struct source *source, const char *type, const char *id)
{
    struct event event = next_event(source, false);
    cr_assert(event.root, "no %s", type);
    cr_expect_str_eq(event.type, type);
    if (id)
        cr_expect_str_eq(http_json_text(event.root, "data.id"), id, "%s", type);
    json_decref(event.root);
}

void expect_end(struct source *source)
{
    struct event event = next_event(source, false);
    cr_expect_null(event.root, "%s", event.type);
    cr_expect(source->whole, "it was cut, or nothing came any more");
    close_source(source);
}

void expect_greeting(struct source *source)
{
    struct event event = next_event(source, true);
    cr_assert_null(event.root);
    cr_assert(source->retry >= 0 && source->comments == 1);
    source->retry = -1;
    source->comments = 0;
}
