/* SPDX-License-Identifier: MIT */
/*
 * A request head, its path and its chunked body. The first byte of the input says in how large steps the rest arrives. Whatever the steps,
 * the outcome is that of all bytes at once, and every slice lies in the buffer.
 */
#include "core/http/parser.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition) \
    do {                   \
        if (!(condition))  \
            abort();       \
    } while (0)

/* Small, so that short inputs reach them. */
static const struct parser_limits limits = {.target = 64, .field = 96, .head = 400, .fields = 8, .trailer = 48};

static void require_inside(bp_str slice, const char *buffer, size_t len)
{
    REQUIRE(slice.len == 0 || (slice.ptr >= buffer && slice.ptr + slice.len <= buffer + len));
}

static void require_path(bp_str path)
{
    char *out = malloc(path.len + 1), *again = malloc(path.len + 1);
    size_t len = 0, again_len = 0;
    REQUIRE(out && again);
    if (parser_normalize_path(path, out, &len)) {
        REQUIRE(len > 0 && len <= path.len && out[0] == '/');
        REQUIRE(memchr(path.ptr, '\0', path.len) || !memchr(out, '\0', len));
        REQUIRE(!memmem(out, len, "//", 2) && !memmem(out, len, "/./", 3) && !memmem(out, len, "/../", 4));
        if (!memchr(out, '%', len))
            REQUIRE(parser_normalize_path(bp_str_n(out, len), again, &again_len) && again_len == len &&
                    memcmp(out, again, len) == 0);
    }
    if (parser_percent_decode(path, true, out, &len))
        REQUIRE(len <= path.len);
    free(out);
    free(again);
}

static void require_head(const struct parser_head *head, const char *buffer, size_t len)
{
    require_inside(head->method_text, buffer, len);
    require_inside(head->target, buffer, len);
    require_inside(head->authority, buffer, len);
    require_inside(head->query, buffer, len);
    if (!bp_str_is(head->path, "/"))
        require_inside(head->path, buffer, len);
    REQUIRE(head->method_text.len > 0 && head->target.len > 0 && head->target.len <= limits.target);
    REQUIRE(head->field_count <= limits.fields && head->minor <= 1 && (head->minor == 0 || head->authority.len > 0));
    for (uint32_t i = 0; i < head->field_count; i++) {
        require_inside(head->fields[i].name, buffer, len);
        require_inside(head->fields[i].value, buffer, len);
        REQUIRE(head->fields[i].name.len > 0);
        REQUIRE(!memchr(head->fields[i].value.ptr, '\n', head->fields[i].value.len));
        REQUIRE(!memchr(head->fields[i].value.ptr, '\r', head->fields[i].value.len));
    }
    require_path(head->path);
}

static void require_same(const struct parser_head *a, const struct parser_head *b)
{
    REQUIRE(a->method == b->method && a->minor == b->minor && a->body == b->body &&
            a->content_length == b->content_length);
    REQUIRE(a->keep_alive == b->keep_alive && a->expect_continue == b->expect_continue &&
            a->expect_unknown == b->expect_unknown);
    REQUIRE(bp_str_eq(a->target, b->target) && bp_str_eq(a->path, b->path) && bp_str_eq(a->query, b->query));
    REQUIRE(bp_str_eq(a->authority, b->authority) && a->field_count == b->field_count);
    for (uint32_t i = 0; i < a->field_count; i++)
        REQUIRE(bp_str_eq(a->fields[i].name, b->fields[i].name) && bp_str_eq(a->fields[i].value, b->fields[i].value));
}

struct body {
    char *data;
    size_t len, used;
    int status;
};

/* Each step has a copy of its own, so that reading beyond it is seen. */
static struct body decode(const char *in, size_t len, size_t step)
{
    struct parser_chunked chunked = {0};
    struct body body = {.data = malloc(len + 1)};
    REQUIRE(body.data);
    for (size_t from = 0; from < len && (body.status == 0 || body.status == 1); from += step) {
        size_t size = len - from < step ? len - from : step;
        char *copy = malloc(size);
        bp_str rest = {copy, size};
        REQUIRE(copy);
        memcpy(copy, in + from, size);
        do {
            const char *reason = NULL;
            size_t used = 0;
            bp_str data = {0};
            body.status = parser_chunked(&chunked, rest, &limits, &used, &data, &reason);
            if (body.status < 0) {
                REQUIRE(reason);
                break;
            }
            REQUIRE(used <= rest.len && (body.status != 0 || used == rest.len) && (body.status != 1 || used > 0));
            require_inside(data, rest.ptr, used);
            if (data.len > 0)
                memcpy(body.data + body.len, data.ptr, data.len);
            body.len += data.len;
            body.used += used;
            rest = bp_str_n(rest.ptr + used, rest.len - used);
        } while (body.status == 1);
        free(copy);
    }
    return body;
}

static void require_body(const char *in, size_t len, size_t step)
{
    struct body whole = decode(in, len, len + 1), parts = decode(in, len, step);
    REQUIRE(whole.status == parts.status && whole.len == parts.len && memcmp(whole.data, parts.data, whole.len) == 0);
    REQUIRE(whole.status != 2 || whole.used == parts.used);
    free(whole.data);
    free(parts.data);
}

/* The result of the bytes arriving step by step, in a buffer that moves. */
static long parse_in_steps(const char *bytes, size_t len, size_t step, struct parser_head *head, char **ret_buffer)
{
    struct parser_state state = {0};
    const char *reason = NULL;
    long result = 0;
    *ret_buffer = NULL;
    for (size_t end = step; result == 0; end += step) {
        size_t size = end < len ? end : len;
        free(*ret_buffer);
        *ret_buffer = malloc(size + 1);
        REQUIRE(*ret_buffer);
        memcpy(*ret_buffer, bytes, size);
        result = parser_head(&state, *ret_buffer, size, &limits, head, &reason);
        REQUIRE(result >= 0 || reason);
        if (size == len)
            break;
    }
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct parser_head once, stepped;
    struct parser_state state = {0};
    const char *reason = NULL;
    char *buffer = NULL;
    if (size < 2)
        return 0;
    size_t step = (size_t)(data[0] & 31) + 1, len = size - 1;
    char *bytes = malloc(len);
    REQUIRE(bytes);
    memcpy(bytes, data + 1, len);

    long whole = parser_head(&state, bytes, len, &limits, &once, &reason);
    long parts = parse_in_steps(bytes, len, step, &stepped, &buffer);
    REQUIRE(whole == -400 || whole == -414 || whole == -431 || whole == -501 || whole == -505 || whole >= 0);
    /* What is wrong may be said only when the head ends or has doubled. */
    REQUIRE(whole == parts || (whole < 0 && parts == 0));
    if (whole > 0) {
        REQUIRE((size_t)whole <= len && (size_t)whole <= limits.head);
        require_head(&once, bytes, (size_t)whole);
        require_head(&stepped, buffer, (size_t)whole);
        require_same(&once, &stepped);
        require_body(bytes + whole, len - (size_t)whole, step);
    } else {
        require_body(bytes, len, step);
        require_path(bp_str_n(bytes, len));
    }
    free(buffer);
    free(bytes);
    return 0;
}
