/* SPDX-License-Identifier: MIT */
/*
 * The request head of HTTP/1.1 (RFC 9112), strict. Slices into the caller's buffer, no copies, no
 * allocation. Knows nothing of sockets.
 */
#ifndef CORE_HTTP_PARSER_H
#define CORE_HTTP_PARSER_H

#include "backplane/request.h"

#define PARSER_FIELDS 128 /* most that an option may allow */

struct parser_limits {
    uint32_t target;  /* bytes of the request target: 414 beyond */
    uint32_t field;   /* bytes of one field line: 431 beyond */
    uint32_t head;    /* bytes of the whole head: 431 beyond */
    uint32_t fields;  /* field lines: 431 beyond; at most PARSER_FIELDS */
    uint32_t trailer; /* bytes of the trailer section: 431 beyond */
};

struct parser_field {
    bp_str name;  /* as sent: compare without case; */
    bp_str value; /* without white space at both ends; may be empty */
};

/* The length and both ends of a name, letters without case, as one of 64 bits. name is not empty. */
static inline uint64_t parser_name_bit(bp_str name)
{
    unsigned first = (unsigned char)name.ptr[0] | 0x20u, last = (unsigned char)name.ptr[name.len - 1] | 0x20u;
    return UINT64_C(1) << ((name.len * 7 + first * 3 + last * 5) & 63);
}

enum parser_body { PARSER_NO_BODY, PARSER_LENGTH, PARSER_CHUNKED };

/* What a complete head says. */
struct parser_head {
    bp_str method_text;
    uint32_t method; /* enum bp_method; 0: unknown to us (501) */
    bp_str target;   /* as sent */
    bp_str path,
        query; /* raw, still encoded: origin-form or the path of absolute-form ("/" when empty); "*" for OPTIONS * */
    bp_str authority; /* of absolute-form or Host: as sent */
    unsigned minor;   /* HTTP/1.minor: 0 or 1 */
    uint32_t field_count;
    uint64_t names;        /* a bit for each field's name, parser_name_bit(): without it, no field has that name */
    enum parser_body body; /* a Content-Length of 0 is PARSER_NO_BODY */
    uint64_t content_length;
    bool keep_alive;                           /* by version and Connection */
    bool expect_continue;                      /* Expect: 100-continue, HTTP/1.1 only */
    bool expect_unknown;                       /* another expectation: 417 */
    struct parser_field fields[PARSER_FIELDS]; /* last: see request_memory.c */
};

/* What is known of an incomplete head: how far its end was looked for, and how long it was when last parsed. Zero it before the first
 * byte of a head. */
struct parser_state {
    size_t scanned, parsed;
};

/*
 * Tries the bytes [buffer, buffer+len). Returns
 *   > 0  the length of the complete head including its empty line; *ret_head is filled, slices point into buffer (but for the "/" of an
 *        absolute-form target without a path). Otherwise *ret_head holds nothing of use,
 *   0    more bytes are needed (call again with the same bytes and more behind them; the buffer may have moved),
 *   < 0  refused: -400, -414, -431, -501 (a method longer than any), -505; *ret_reason is a literal that says why.
 * The result does not depend on how the bytes were split: a prefix gives 0 or what the whole gives. Bytes are parsed again only when the
 * head's end has come or the head has doubled.
 * CONNECT's authority-form is accepted (path is empty): the caller answers 501, as to every unknown method.
 * Empty lines (CRLF) before the request line are skipped (RFC 9112 2.2), at most 4. Never reads beyond len.
 */
long parser_head(struct parser_state *state, const char *buffer, size_t len, const struct parser_limits *limits,
                 struct parser_head *ret_head, const char **ret_reason);

/* Chunked coding (RFC 9112 7.1), incremental. */
struct parser_chunked {
    uint64_t remaining;
    uint32_t trailer_bytes, line_bytes;
    uint8_t state;
};
/*
 * Takes bytes from in; gives the next run of data as a slice of in. Returns
 *   1  *ret_used bytes were used, *ret_data (maybe empty) is data, call again with the rest,
 *   2  the body (and trailers, dropped) ended after *ret_used bytes,
 *   0  all of in was used and more is needed (*ret_data may hold data),
 *   <0 refused: -400 or -431; *ret_reason says why.
 * Zero *chunked before the first byte. Chunk extensions count towards the trailer's limit (RFC 9112 7.1.1).
 */
int parser_chunked(struct parser_chunked *chunked, bp_str in, const struct parser_limits *limits, size_t *ret_used,
                   bp_str *ret_data, const char **ret_reason);

/*
 * The one normalisation of a path: percent-decoded once, doubled slashes merged, dot segments removed (RFC 3986 5.2.4). "%2F" stays
 * encoded ("%2F"), so that a segment's slash is not a separator; "%00" and bad encodings are refused (false), as is going above the root.
 * ret_path has room for path.len bytes.
 */
bool parser_normalize_path(bp_str path, char *ret_path, size_t *ret_len);
/* Percent-decodes a query component or a path segment ("+" is a space when form). ret has room for text.len bytes. False on a bad encoding. */
bool parser_percent_decode(bp_str text, bool form, char *ret, size_t *ret_len);

#endif
