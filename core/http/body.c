/* SPDX-License-Identifier: MIT */
/* The request's body: read when it is asked for, within the route's limit. */
#include <string.h>

#include "backplane/status.h"
#include "core/http/connection.h"
#include "core/http/request.h"
#include "core/http/server_internal.h"

static uint64_t limit_of(const struct bp_request *rq)
{
    if (rq->body_limit)
        return rq->body_limit;
    uint64_t limit = rq->endpoint ? rq->endpoint->route.body_limit : 0;
    return limit ? limit : rq->connection->server->options->body_limit;
}

static int refuse(struct bp_request *rq, unsigned status, const char *code, const char *message)
{
    rq->body_state = BODY_FAILED;
    int failed = bp_fail(rq, status, code, message);
    return failed < 0 ? failed : BP_REFUSED;
}

static int refuse_size(struct bp_request *rq)
{
    bp_str message =
        bp_arena_printf(rq->arena, "Request body is larger than %llu bytes", (unsigned long long)limit_of(rq));
    return message.ptr ? refuse(rq, 413, "http.body_too_large", message.ptr) : BP_NOMEM;
}

void bp_set_body_limit(struct bp_request *rq, uint64_t bytes)
{
    rq->body_limit = bytes;
}

/* Grows with what has really arrived, so that a large Content-Length alone costs nothing. */
static bool append(struct bp_request *rq, char **data, size_t *len, size_t *cap, bp_str piece)
{
    if (*len + piece.len + 1 > *cap) {
        size_t larger = *cap ? *cap * 2 : 4096;
        while (*len + piece.len + 1 > larger)
            larger *= 2;
        char *moved = bp_arena_alloc(rq->arena, larger);
        if (!moved)
            return false;
        if (*len > 0)
            memcpy(moved, *data, *len);
        *data = moved;
        *cap = larger;
    }
    if (piece.len > 0)
        memcpy(*data + *len, piece.ptr, piece.len);
    *len += piece.len;
    return true;
}

static int read_body(struct bp_request *rq)
{
    struct connection *c = rq->connection;
    char *data = NULL;
    size_t len = 0, cap = 0;
    if (rq->head.body == PARSER_LENGTH && rq->head.content_length > limit_of(rq))
        return refuse_size(rq);
    if (rq->head.body == PARSER_LENGTH && c->end - c->start >= c->discard && c->in == rq->inbuf) {
        rq->body = bp_str_n(c->in->data + c->start, (size_t)c->discard); /* all here: no copy */
        c->start += (uint32_t)c->discard;
        c->discard = 0;
        rq->body_state = BODY_DONE;
        return 0;
    }
    if (rq->head.expect_continue && c->start == c->end && !connection_write(c, BP_STR("HTTP/1.1 100 Continue\r\n\r\n")))
        return BP_NOMEM;
    while (c->discard > 0 || c->discard_chunked) {
        int status = connection_await_input(c);
        if (status < 0)
            return status;
        if (status > 0)
            return refuse(rq, 408, "http.request_timeout", "The request body did not arrive in time");
        if (c->start == c->end)
            return BP_CANCELED; /* the client ended in mid-body */
        bp_str piece = bp_str_n(c->in->data + c->start, c->end - c->start);
        size_t used = piece.len;
        if (c->discard_chunked) {
            const char *reason;
            int result = parser_chunked(&c->chunked, piece, &c->server->limits, &used, &piece, &reason);
            if (result < 0) {
                c->discard_chunked = false;
                rq->close_after = true;
                return refuse(rq, (unsigned)-result, "http.malformed", reason);
            }
            if (result == 2)
                c->discard_chunked = false;
        } else {
            if (used > c->discard)
                used = (size_t)c->discard;
            piece.len = used;
            c->discard -= used;
        }
        c->start += (uint32_t)used;
        if (len + piece.len > limit_of(rq))
            return refuse_size(rq);
        if (!append(rq, &data, &len, &cap, piece))
            return BP_NOMEM;
    }
    rq->body = bp_str_n(data ? data : "", len);
    rq->body_state = BODY_DONE;
    return 0;
}

int bp_body(struct bp_request *rq, bp_str *ret_body)
{
    if (rq->body_state == BODY_FAILED)
        return BP_REFUSED;
    if (rq->body_state == BODY_UNREAD) {
        int status = read_body(rq);
        if (status < 0) {
            rq->body_state = BODY_FAILED;
            return status;
        }
    }
    *ret_body = rq->body.ptr ? rq->body : BP_STR("");
    return 0;
}

/* JSON has no charset but UTF-8 (RFC 8259 8.1). */
bool request_body_is(struct bp_request *rq, bp_str media_type)
{
    bp_str type = bp_request_header(rq, BP_STR("content-type")), media = type;
    const char *semicolon = type.ptr ? memchr(type.ptr, ';', type.len) : NULL;
    if (semicolon)
        media.len = (size_t)(semicolon - type.ptr);
    if (!bp_str_eq_nocase(bp_str_trim(media), media_type))
        return false;
    while (semicolon) {
        bp_str rest = bp_str_n(semicolon + 1, (size_t)(type.ptr + type.len - semicolon - 1));
        semicolon = memchr(rest.ptr, ';', rest.len);
        bp_str parameter = bp_str_trim(bp_str_n(rest.ptr, semicolon ? (size_t)(semicolon - rest.ptr) : rest.len));
        if (parameter.len >= 8 && bp_str_eq_nocase(bp_str_n(parameter.ptr, 8), BP_STR("charset="))) {
            bp_str value = bp_str_n(parameter.ptr + 8, parameter.len - 8);
            if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
                value = bp_str_n(value.ptr + 1, value.len - 2);
            if (!bp_str_eq_nocase(value, BP_STR("utf-8")) && !bp_str_eq_nocase(value, BP_STR("utf8")))
                return false;
        }
    }
    return true;
}

/* What is merged into a row of a resource may say so (RFC 7396). */
static bool is_json(struct bp_request *rq)
{
    return request_body_is(rq, BP_STR("application/json")) ||
           (rq->endpoint && rq->endpoint->route.resource && rq->head.method == BP_PATCH &&
            request_body_is(rq, BP_STR("application/merge-patch+json")));
}

int request_demand_json(struct bp_request *rq)
{
    bp_str type = bp_request_header(rq, BP_STR("content-type"));
    if ((!type.ptr && rq->head.body == PARSER_NO_BODY) || is_json(rq))
        return 0;
    int failed = bp_fail(rq, 415, "http.unsupported_media_type", "Content-Type must be application/json");
    return failed < 0 ? failed : BP_REFUSED;
}

int bp_body_object(struct bp_request *rq, const struct bp_field *rows, void *ret_object)
{
    return bp_body_object_check(rq, rows, ret_object, NULL, NULL);
}

int bp_body_object_check(struct bp_request *rq, const struct bp_field *rows, void *ret_object,
                         void (*check)(const void *object, struct bp_problems *problems, void *argument),
                         void *argument)
{
    struct bp_problems problems;
    bp_str body;
    int status = request_demand_json(rq);
    if (status == 0)
        status = bp_body(rq, &body);
    if (status < 0)
        return status;
    problems_init(&problems, rq->arena);
    if (body.len == 0) /* every required member is missing, as it was said before */
        body = BP_STR("{}");
    status = schema_decode_json(rows, body, rq->arena, ret_object, &problems);
    if (check && (status == 0 || status == SCHEMA_INVALID)) {
        check(ret_object, &problems, argument);
        status = problems.failed ? BP_NOMEM : problems.len > 0 ? SCHEMA_INVALID : 0;
    }
    if (status <= 0)
        return status;
    int failed = request_fail_problems(rq, &problems, status == SCHEMA_SYNTAX);
    return failed < 0 ? failed : BP_REFUSED;
}
