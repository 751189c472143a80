/* SPDX-License-Identifier: MIT */
/* Percent-encoding and the normalisation of paths. */
#include "core/http/parser.h"
#include "core/http/scan.h"

/* The byte that "%XX" at text.ptr[at] stands for, or -1. */
static int decode_at(bp_str text, size_t at)
{
    if (text.len - at < 3 || !scan_is(text.ptr[at + 1], SCAN_HEX) || !scan_is(text.ptr[at + 2], SCAN_HEX))
        return -1;
    return (int)(scan_hex(text.ptr[at + 1]) << 4 | scan_hex(text.ptr[at + 2]));
}

bool parser_percent_decode(bp_str text, bool form, char *ret, size_t *ret_len)
{
    size_t len = 0;
    for (size_t at = 0; at < text.len; at++) {
        char c = text.ptr[at];
        if (c == '%') {
            int byte = decode_at(text, at);
            if (byte < 0)
                return false;
            c = (char)byte;
            at += 2;
        } else if (form && c == '+') {
            c = ' ';
        }
        ret[len++] = c;
    }
    *ret_len = len;
    return true;
}

/* Decodes the segment at *at up to the next slash; false when it is malformed. */
static bool decode_segment(bp_str path, size_t *at, char *ret, size_t *len)
{
    while (*at < path.len && path.ptr[*at] != '/') {
        char c = path.ptr[(*at)++];
        if (c != '%') {
            ret[(*len)++] = c;
            continue;
        }
        int byte = decode_at(path, *at - 1);
        if (byte <= 0)
            return false;
        *at += 2;
        if (byte == '/') {
            memcpy(ret + *len, "%2F", 3);
            *len += 3;
        } else {
            ret[(*len)++] = (char)byte;
        }
    }
    return true;
}

/* Dot segments are looked for after decoding: "%2e" is a dot (RFC 3986 2.3). */
bool parser_normalize_path(bp_str path, char *ret_path, size_t *ret_len)
{
    size_t len = 0; /* ret_path[0..len) always begins with a slash; so does what follows in path */
    size_t at = 0;
    if (path.len == 0 || path.ptr[0] != '/')
        return false;
    while (at < path.len) {
        at++; /* the slash */
        if (len == 0 || ret_path[len - 1] != '/')
            ret_path[len++] = '/';
        size_t start = len;
        if (!decode_segment(path, &at, ret_path, &len))
            return false;
        if (len - start == 1 && ret_path[start] == '.') {
            len = start;
        } else if (len - start == 2 && ret_path[start] == '.' && ret_path[start + 1] == '.') {
            if (start == 1)
                return false;
            len = start - 1;
            while (ret_path[len - 1] != '/')
                len--;
        }
    }
    *ret_len = len;
    return true;
}
