/* SPDX-License-Identifier: MIT */
/* Character classes of RFC 9110 and RFC 3986, and the fast scan over a field value. */
#ifndef CORE_HTTP_SCAN_H
#define CORE_HTTP_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    SCAN_TOKEN = 1,  /* tchar, RFC 9110 5.6.2 */
    SCAN_PATH = 2,   /* a path of a target: visible ASCII without what RFC 3986 forbids and software disagrees on */
    SCAN_QUERY = 4,  /* a query: visible ASCII but "#"; more than RFC 3986 allows, because browsers send it unencoded */
    SCAN_HOST = 8,   /* reg-name, RFC 3986 3.2.2; "%" is followed by two hexadecimal digits */
    SCAN_VALUE = 16, /* field-vchar, SP, HTAB, obs-text, RFC 9110 5.5 */
    SCAN_DIGIT = 32,
    SCAN_HEX = 64,
    SCAN_TARGET = 128 /* visible ASCII: what a space or a control character ends */
};

extern const uint8_t scan_classes[256];

static inline bool scan_is(char c, int class)
{
    return (scan_classes[(unsigned char)c] & class) != 0;
}

/* 0 to 15 for a hexadecimal digit. */
static inline unsigned scan_hex(char c)
{
    return (unsigned)(c & 15) + (c >= 'A' ? 9 : 0);
}

/* The first byte of [at, end) that is not of the class, or end. */
static inline const char *scan_class(const char *at, const char *end, int class)
{
    while (at < end && scan_is(*at, class))
        at++;
    return at;
}

typedef uint8_t scan_block __attribute__((vector_size(16)));

/* The first byte of [at, end) that no field value may hold (a CR ends every good one), or end. Sixteen bytes a step: a step ends at any
 * control character, HTAB too, which the table then lets pass. */
static inline const char *scan_value(const char *at, const char *end)
{
    while (end - at >= 16) {
        scan_block block;
        uint64_t stop[2];
        memcpy(&block, at, sizeof block);
        scan_block found = (scan_block)(block < 0x20) | (scan_block)(block == 0x7f);
        memcpy(stop, &found, sizeof stop);
        if ((stop[0] | stop[1]) == 0) {
            at += 16;
            continue;
        }
        if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
            at += stop[0] ? __builtin_ctzll(stop[0]) / 8 : 8 + __builtin_ctzll(stop[1]) / 8;
        while (at < end && (*at == '\t' || (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ && scan_is(*at, SCAN_VALUE))))
            at++;
        if (at < end && !scan_is(*at, SCAN_VALUE))
            return at;
    }
    return scan_class(at, end, SCAN_VALUE);
}

#endif
