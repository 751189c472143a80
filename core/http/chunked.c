/* SPDX-License-Identifier: MIT */
/* The chunked coding: one state per place in the grammar of RFC 9112 7.1, a byte at a time between runs of data. */
#include "core/http/parser.h"
#include "core/http/scan.h"

enum state {
    CHUNK_START, /* the first digit of a size */
    CHUNK_SIZE,
    CHUNK_SPACE, /* BWS before an extension's ";" */
    CHUNK_EXTENSION,
    CHUNK_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF
};

static int refuse(const char **ret_reason, int status, const char *reason)
{
    *ret_reason = reason;
    return status;
}

static int refuse_byte(const char **ret_reason, char c, const char *reason)
{
    if (c == '\n')
        reason = "bare LF";
    else if (c == '\r')
        reason = "bare CR";
    return refuse(ret_reason, -400, reason);
}

/* Fifteen significant digits: far beyond any body, and no overflow when sizes are added up. */
static bool add_digit(struct parser_chunked *chunked, char c)
{
    if (chunked->remaining >> 56)
        return false;
    chunked->remaining = chunked->remaining << 4 | scan_hex(c);
    return true;
}

static int take_size(struct parser_chunked *chunked, char c, const char **ret_reason)
{
    if (scan_is(c, SCAN_HEX)) {
        if (chunked->state == CHUNK_START)
            chunked->remaining = 0;
        chunked->state = CHUNK_SIZE;
        return add_digit(chunked, c) ? 1 : refuse(ret_reason, -400, "chunk too large");
    }
    if (chunked->state == CHUNK_START)
        return refuse_byte(ret_reason, c, "malformed chunk size");
    if (c == '\r')
        chunked->state = CHUNK_LF;
    else if (c == ';')
        chunked->state = CHUNK_EXTENSION;
    else if (c == ' ' || c == '\t')
        chunked->state = CHUNK_SPACE;
    else
        return refuse_byte(ret_reason, c, "malformed chunk size");
    return 1;
}

static int take_extension(struct parser_chunked *chunked, char c, const char **ret_reason)
{
    if (chunked->state == CHUNK_SPACE) {
        if (c == ';')
            chunked->state = CHUNK_EXTENSION;
        else if (c != ' ' && c != '\t')
            return refuse_byte(ret_reason, c, "malformed chunk extension");
    } else if (c == '\r') {
        chunked->state = CHUNK_LF;
    } else if (!scan_is(c, SCAN_VALUE)) {
        return refuse_byte(ret_reason, c, "control character");
    }
    return 1;
}

static int take_trailer(struct parser_chunked *chunked, char c, const struct parser_limits *limits,
                        const char **ret_reason)
{
    if (chunked->state == TRAILER_START) {
        chunked->line_bytes = 0;
        if (c == '\r') {
            chunked->state = LAST_LF;
            return 1;
        }
        if (!scan_is(c, SCAN_TOKEN))
            return refuse_byte(ret_reason, c, c == ' ' || c == '\t' ? "folded field line" : "malformed field name");
        chunked->state = TRAILER_NAME;
    } else if (chunked->state == TRAILER_NAME) {
        if (c == ':')
            chunked->state = TRAILER_VALUE;
        else if (!scan_is(c, SCAN_TOKEN))
            return refuse_byte(ret_reason, c, "malformed field name");
    } else if (c == '\r') {
        chunked->state = TRAILER_LF;
        return 1;
    } else if (!scan_is(c, SCAN_VALUE)) {
        return refuse_byte(ret_reason, c, "control character");
    }
    if (++chunked->line_bytes > limits->field)
        return refuse(ret_reason, -431, "field line too long");
    return 1;
}

/* A line feed that must follow a carriage return, and where it leads. 2: the body has ended. */
static int take_lf(struct parser_chunked *chunked, char c, const char **ret_reason)
{
    if (c != '\n')
        return refuse(ret_reason, -400, "bare CR");
    switch (chunked->state) {
    case CHUNK_LF:
        chunked->state = chunked->remaining > 0 ? CHUNK_DATA : TRAILER_START;
        return 1;
    case CHUNK_DATA_LF:
        chunked->state = CHUNK_START;
        return 1;
    case TRAILER_LF:
        chunked->state = TRAILER_START;
        return 1;
    default:
        return 2;
    }
}

static int take_byte(struct parser_chunked *chunked, char c, const struct parser_limits *limits,
                     const char **ret_reason)
{
    switch (chunked->state) {
    case CHUNK_START:
    case CHUNK_SIZE:
        return take_size(chunked, c, ret_reason);
    case CHUNK_SPACE:
    case CHUNK_EXTENSION:
        return take_extension(chunked, c, ret_reason);
    case CHUNK_DATA_CR:
        if (c != '\r')
            return refuse_byte(ret_reason, c, "chunk longer than its size");
        chunked->state = CHUNK_DATA_LF;
        return 1;
    case TRAILER_START:
    case TRAILER_NAME:
    case TRAILER_VALUE:
        return take_trailer(chunked, c, limits, ret_reason);
    default:
        return take_lf(chunked, c, ret_reason);
    }
}

int parser_chunked(struct parser_chunked *chunked, bp_str in, const struct parser_limits *limits, size_t *ret_used,
                   bp_str *ret_data, const char **ret_reason)
{
    size_t at = 0;
    *ret_data = bp_str_n(in.ptr, 0);
    for (; at < in.len && chunked->state != CHUNK_DATA; at++) {
        uint8_t state = chunked->state;
        int status = take_byte(chunked, in.ptr[at], limits, ret_reason);
        if (status < 0)
            return status;
        if (status == 2) {
            *ret_used = at + 1;
            return 2;
        }
        bool counted = state == CHUNK_SPACE || state == CHUNK_EXTENSION || state >= TRAILER_START;
        if (counted && ++chunked->trailer_bytes > limits->trailer)
            return refuse(ret_reason, -431, "trailers too long");
    }
    if (chunked->state == CHUNK_DATA) {
        size_t len = in.len - at < chunked->remaining ? in.len - at : (size_t)chunked->remaining;
        *ret_data = bp_str_n(in.ptr + at, len);
        at += len;
        chunked->remaining -= len;
        if (chunked->remaining == 0)
            chunked->state = CHUNK_DATA_CR;
    }
    *ret_used = at;
    return at < in.len ? 1 : 0;
}
