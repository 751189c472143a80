/* SPDX-License-Identifier: MIT */
/* Recording a reply (backplane/reply.h). */
#include <string.h>

#include "backplane/log.h"
#include "backplane/status.h"
#include "core/base/arena.h"
#include "core/http/connection.h"
#include "core/http/request.h"
#include "core/http/scan.h"
#include "core/http/server_internal.h"

static const bp_str json_type = BP_STR_INIT("application/json; charset=utf-8");

int reply_misuse(const struct bp_request *rq, const char *what)
{
    bp_log(NULL, BP_LOG_ERROR, "reply.misuse", what, bp_log_str("route", bp_request_route(rq)));
    return BP_MISUSE;
}

int bp_reply_body(struct bp_request *rq, unsigned status, bp_str content_type, bp_str body)
{
    if (rq->streaming)
        return reply_misuse(rq, "A reply was recorded after a streaming reply had begun");
    if (status < 200 || status > 599)
        return reply_misuse(rq, "A reply's status must be from 200 to 599");
    rq->status = status;
    rq->content_type = content_type;
    rq->content = body;
    return 0;
}

/* Encodes into the server's scratch buffer, so that only the finished text takes arena memory. */
static int record(struct bp_request *rq, unsigned status, const struct buffer *scratch)
{
    if (scratch->failed)
        return BP_NOMEM;
    bp_str body = bp_arena_copy(rq->arena, buffer_str(scratch));
    return body.ptr ? bp_reply_body(rq, status, json_type, body) : BP_NOMEM;
}

struct buffer *reply_scratch(struct bp_request *rq)
{
    struct buffer *scratch = &rq->connection->server->scratch;
    scratch->len = 0;
    scratch->failed = false;
    return scratch;
}

int bp_reply_object(struct bp_request *rq, unsigned status, const char *message, const struct bp_field *rows,
                    const void *object)
{
    struct buffer *out = reply_scratch(rq);
    buffer_add(out, BP_STR("{\"success\":true,\"message\":"));
    schema_encode_text(bp_str_of(message), out);
    buffer_add(out, BP_STR(",\"data\":"));
    schema_encode_json(rows, object, out);
    buffer_add_char(out, '}');
    return record(rq, status, out);
}

int bp_reply_message(struct bp_request *rq, unsigned status, const char *message)
{
    struct buffer *out = reply_scratch(rq);
    buffer_add(out, BP_STR("{\"success\":true,\"message\":"));
    schema_encode_text(bp_str_of(message), out);
    buffer_add_char(out, '}');
    return record(rq, status, out);
}

int bp_reply_json(struct bp_request *rq, unsigned status, const struct bp_field *rows, const void *object)
{
    struct buffer *out = reply_scratch(rq);
    schema_encode_json(rows, object, out);
    return record(rq, status, out);
}

unsigned bp_reply_status(const struct bp_request *rq)
{
    return rq->status;
}

bp_str bp_reply_content(const struct bp_request *rq)
{
    return rq->content;
}

bp_str bp_reply_content_type(const struct bp_request *rq)
{
    return rq->content_type;
}

bool bp_reply_streams(const struct bp_request *rq)
{
    return rq->streaming;
}

static bool is_token(bp_str name)
{
    return name.len > 0 && scan_class(name.ptr, name.ptr + name.len, SCAN_TOKEN) == name.ptr + name.len;
}

static bool is_value(bp_str value)
{
    if (scan_value(value.ptr, value.ptr + value.len) == value.ptr + value.len)
        return true; /* nearly always: nothing below a space at all */
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] == '\r' || value.ptr[i] == '\n' || value.ptr[i] == '\0')
            return false;
    return true;
}

static struct reply_header *header_slot(struct bp_request *rq)
{
    if (rq->header_count == rq->header_cap) {
        struct reply_header *more = bp_arena_array(rq->arena, rq->header_cap * 2u, sizeof(*more));
        if (!more)
            return NULL;
        memcpy(more, rq->headers, rq->header_count * sizeof(*more));
        rq->headers = more;
        rq->header_cap *= 2;
    }
    return &rq->headers[rq->header_count++];
}

int bp_header_add(struct bp_request *rq, bp_str name, bp_str value)
{
    if (rq->streaming)
        return reply_misuse(rq, "A header field was set after the head was sent");
    if (!is_token(name) || !is_value(value))
        return reply_misuse(rq, "A header field's name is no token, or its value holds CR, LF or NUL");
    char *line = arena_take(rq->arena, name.len + value.len + 4), *own_value = line + name.len + 2;
    struct reply_header *slot = line ? header_slot(rq) : NULL;
    if (!slot)
        return BP_NOMEM;
    memcpy(line, name.ptr, name.len);
    memcpy(line + name.len, ": ", 2);
    if (value.len > 0)
        memcpy(own_value, value.ptr, value.len);
    memcpy(own_value + value.len, "\r\n", 2);
    *slot = (struct reply_header){bp_str_n(line, name.len), bp_str_n(own_value, value.len), rq->stage};
    return 0;
}

static bool is_named(const struct reply_header *header, bp_str name)
{
    return header->name.ptr && header->name.len == name.len && bp_str_eq_nocase(header->name, name);
}

int bp_header_set(struct bp_request *rq, bp_str name, bp_str value)
{
    uint32_t kept = 0;
    if (rq->streaming)
        return reply_misuse(rq, "A header field was set after the head was sent");
    while (kept < rq->header_count && !is_named(&rq->headers[kept], name))
        kept++;
    for (uint32_t i = kept; i < rq->header_count; i++)
        if (!is_named(&rq->headers[i], name))
            rq->headers[kept++] = rq->headers[i];
    rq->header_count = kept;
    return bp_header_add(rq, name, value);
}

/* The line of that name in a block; ptr NULL when there is none. */
static bp_str line_of(bp_str block, bp_str name)
{
    while (block.len > 0) {
        const char *end = memchr(block.ptr, '\n', block.len);
        size_t len = end ? (size_t)(end - block.ptr) + 1 : block.len;
        if (len > name.len && block.ptr[name.len] == ':' && bp_str_eq_nocase(bp_str_n(block.ptr, name.len), name))
            return bp_str_n(block.ptr, len);
        block = bp_str_n(block.ptr + len, block.len - len);
    }
    return bp_str_n(NULL, 0);
}

int bp_header_remove(struct bp_request *rq, bp_str name)
{
    uint32_t kept = 0;
    if (rq->streaming)
        return reply_misuse(rq, "A header field was taken back after the head was sent");
    for (uint32_t i = 0; i < rq->header_count; i++) {
        struct reply_header header = rq->headers[i];
        if (header.name.ptr && bp_str_eq_nocase(header.name, name))
            continue;
        for (bp_str line; !header.name.ptr && (line = line_of(header.value, name)).ptr;) {
            size_t before = (size_t)(line.ptr - header.value.ptr), after = header.value.len - before - line.len;
            char *rest = bp_arena_alloc(rq->arena, header.value.len);
            if (!rest)
                return BP_NOMEM;
            memcpy(rest, header.value.ptr, before);
            memcpy(rest + before, line.ptr + line.len, after);
            header.value = bp_str_n(rest, before + after);
        }
        rq->headers[kept++] = header;
    }
    rq->header_count = kept;
    return 0;
}

int bp_header_block(struct bp_request *rq, bp_str lines)
{
    if (rq->streaming)
        return reply_misuse(rq, "A header field was set after the head was sent");
    struct reply_header *slot = header_slot(rq);
    if (!slot)
        return BP_NOMEM;
    *slot = (struct reply_header){.value = lines, .stage = rq->stage};
    return 0;
}

bp_str bp_reply_header(const struct bp_request *rq, bp_str name)
{
    for (uint32_t i = 0; i < rq->header_count; i++)
        if (is_named(&rq->headers[i], name))
            return rq->headers[i].value;
    return bp_str_n(NULL, 0);
}

bool bp_reply_header_next(const struct bp_request *rq, size_t *at, bp_str *ret_name, bp_str *ret_value)
{
    while (*at < rq->header_count) {
        const struct reply_header *header = &rq->headers[(*at)++];
        if (header->stage > rq->stage) {
            *ret_name = header->name;
            *ret_value = header->value;
            return true;
        }
    }
    return false;
}

int bp_on_head(struct bp_request *rq, void (*function)(struct bp_request *rq, void *argument), void *argument)
{
    struct request_hook *hook = arena_take(rq->arena, sizeof(*hook));
    if (!hook)
        return BP_NOMEM;
    *hook = (struct request_hook){.next = rq->on_head, .call.head = function, .argument = argument};
    rq->on_head = hook;
    return 0;
}

int bp_on_done(struct bp_request *rq,
               void (*function)(struct bp_request *rq, const struct bp_done *done, void *argument), void *argument)
{
    struct request_hook *hook = arena_take(rq->arena, sizeof(*hook));
    if (!hook)
        return BP_NOMEM;
    *hook = (struct request_hook){.call.done = function, .argument = argument};
    *rq->on_done_end = hook;
    rq->on_done_end = &hook->next;
    return 0;
}

void request_call_on_head(struct bp_request *rq)
{
    while (rq->on_head) {
        struct request_hook *hook = rq->on_head;
        rq->on_head = hook->next;
        hook->call.head(rq, hook->argument);
    }
}

void request_call_on_done(struct bp_request *rq, enum bp_outcome outcome, bp_time now)
{
    const struct bp_done done = {
        .status = rq->status,
        .outcome = outcome,
        .head_bytes = rq->head_bytes,
        .body_bytes = rq->body_bytes,
        .duration = now - rq->started,
        .date = loop_date(rq->connection->server->loop),
        .handled = rq->detached ? rq->handled : now - rq->started,
    };
    for (struct request_hook *hook = rq->on_done; hook; hook = hook->next)
        hook->call.done(rq, &done, hook->argument);
    rq->on_done = NULL;
}
