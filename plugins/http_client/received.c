/* SPDX-License-Identifier: MIT */
#include "received.h"

#include <stdlib.h>

#include "backplane/status.h"

static bool append(struct received_part *part, const char *bytes, size_t len)
{
    if (len > part->size - part->len) {
        size_t size = part->size > 0 ? part->size : 4096;
        while (size - part->len < len)
            size *= 2;
        char *grown = realloc(part->bytes, size);
        if (!grown)
            return false;
        part->bytes = grown;
        part->size = size;
    }
    memcpy(part->bytes + part->len, bytes, len);
    part->len += len;
    return true;
}

static size_t take(struct received *received, struct received_part *part, uint64_t max, const char *bytes, size_t len)
{
    if (len > max - part->len)
        received->too_large = true;
    else if (len == 0 || append(part, bytes, len))
        return len;
    else
        received->no_memory = true;
    return 0;
}

size_t received_field(struct received *received, const char *line, size_t len)
{
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* the first, or that of what comes after 100 or a redirect */
        received->head.len = received->body.len = 0;
        received->head_ended = false;
        return len;
    }
    if (received->head_ended)
        return len;
    received->head_ended = len <= 2;
    return take(received, &received->head, RECEIVED_HEAD_MAX, line, len);
}

size_t received_body(struct received *received, const char *bytes, size_t len)
{
    uint64_t space = received->body_max - received->body.len;
    if (received->cuts && len > space) {
        received->cut = take(received, &received->body, received->body_max, bytes, (size_t)space) == space;
        return 0;
    }
    return take(received, &received->body, received->body_max, bytes, len);
}

static void lower(const char *bytes, size_t len)
{
    for (char *at = (char *)(uintptr_t)bytes; len > 0; at++, len--)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + ('a' - 'A'));
}

static size_t count_lines(bp_str head)
{
    size_t count = 0;
    for (size_t i = 0; i < head.len; i++)
        count += head.ptr[i] == '\n';
    return count;
}

/* Lines of the head, in the arena. What is no field is left out. */
static size_t read_fields(bp_str head, struct bp_http_header *fields)
{
    size_t count = 0;
    for (size_t at = 0; at < head.len;) {
        const char *end = memchr(head.ptr + at, '\n', head.len - at);
        bp_str line = bp_str_n(head.ptr + at, (end ? (size_t)(end - head.ptr) : head.len) - at);
        const char *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;
        at += line.len + 1;
        if (!colon || colon == line.ptr || line.ptr[0] == ' ' || line.ptr[0] == '\t')
            continue;
        size_t name = (size_t)(colon - line.ptr), value = line.len - name - 1;
        value -= value > 0 && colon[value] == '\r';
        lower(line.ptr, name);
        fields[count++] = (struct bp_http_header){bp_str_n(line.ptr, name), bp_str_trim(bp_str_n(colon + 1, value))};
    }
    return count;
}

int received_response(const struct received *received, struct bp_arena *arena, struct bp_http_response *response)
{
    bp_str head = bp_arena_copy(arena, bp_str_n(received->head.bytes, received->head.len));
    bp_str body = bp_arena_copy(arena, bp_str_n(received->body.bytes, received->body.len));
    struct bp_http_header *fields = head.ptr ? bp_arena_array(arena, count_lines(head) + 1, sizeof(*fields)) : NULL;
    if (!body.ptr || !fields)
        return BP_NOMEM;
    response->header_count = read_fields(head, fields);
    response->headers = fields;
    response->body = body;
    return 0;
}

void received_deinit(struct received *received)
{
    free(received->head.bytes);
    free(received->body.bytes);
}
