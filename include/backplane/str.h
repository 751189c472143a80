/* SPDX-License-Identifier: MIT */
/*
 * Text is a pointer and a length, passed by value, not NUL-terminated.
 * A bp_str never owns what it points to; the function that returns one says how long it stays valid.
 */
#ifndef BACKPLANE_STR_H
#define BACKPLANE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* len bytes at ptr. Zeroed: an empty text; where "none" differs from "empty", ptr NULL is none. Functions here are pure and thread-safe. */
typedef struct bp_str {
    const char *ptr;
    size_t len;
} bp_str;

/* A bp_str of a string literal; its length is known at compile time. */
#define BP_STR(literal) ((bp_str){"" literal, sizeof(literal) - 1})
/* The same for static initializers. */
#define BP_STR_INIT(literal)            \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }
/* For printf:
 *
 *     printf("%" BP_STR_FMT, BP_STR_ARG(s))
 */
#define BP_STR_FMT ".*s"
#define BP_STR_ARG(s) (int)(s).len, (s).ptr

/* Of a NUL-terminated text, which is borrowed; of NULL: an empty one. */
static inline bp_str bp_str_of(const char *text)
{
    bp_str s = {text, text ? strlen(text) : 0};
    return s;
}

/* Of len bytes, which are borrowed. */
static inline bp_str bp_str_n(const char *ptr, size_t len)
{
    bp_str s = {ptr, len};
    return s;
}

/* Equal, byte by byte. */
static inline bool bp_str_eq(bp_str a, bp_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Equal to a NUL-terminated text. */
static inline bool bp_str_is(bp_str a, const char *text)
{
    return bp_str_eq(a, bp_str_of(text));
}

/* Whether its first bytes are those of prefix. */
static inline bool bp_str_starts(bp_str s, bp_str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* Equal when ASCII letters are compared without case (field names, RFC 9110 5.1). */
bool bp_str_eq_nocase(bp_str a, bp_str b);
/* Without the ASCII white space at both ends: a part of the same bytes. */
bp_str bp_str_trim(bp_str s);
/* Takes the next part off a list: what is before the separator, or all of it. False when list->ptr is NULL, as it is after the last part; an empty list
 * that is not NULL has one part, an empty one. */
static inline bool bp_str_next(bp_str *list, char separator, bp_str *ret_part)
{
    if (!list->ptr)
        return false;
    const char *end = (const char *)memchr(list->ptr, separator, list->len);
    *ret_part = bp_str_n(list->ptr, end ? (size_t)(end - list->ptr) : list->len);
    *list = end ? bp_str_n(end + 1, list->len - ret_part->len - 1) : bp_str_n(NULL, 0);
    return true;
}
/* Decimal digits only, no sign, no white space; false when empty or out of range. */
bool bp_str_to_u64(bp_str s, uint64_t *ret_value);
/* In decimal digits, written to the end of space; what is returned points into it. */
bp_str bp_str_u64(uint64_t value, char space[20]);
/* How many bytes the UTF-8 character at the beginning of text has (RFC 3629: shortest form, no surrogates): 1 to 4; 0 when there is none. Pure. */
size_t bp_utf8_length(bp_str text);
/* Its beginning, of most bytes or, where that would cut a UTF-8 character, of up to three less; all of it when it is not longer: a part of the same
 * bytes. Pure. */
bp_str bp_utf8_cut(bp_str text, size_t most);
/* Equal, in a time that depends on the lengths only: for secrets and signatures. */
bool bp_str_eq_secret(bp_str a, bp_str b);

#ifdef __cplusplus
}
#endif
#endif
