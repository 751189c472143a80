/* SPDX-License-Identifier: MIT */
/* JSON strings (RFC 8259 section 7). Most texts need no escapes: sixteen bytes at a time are looked at and copied. */
#include "core/schema/escape.h"
#include "core/schema/value.h"

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint64_t words2 __attribute__((vector_size(16)));

enum { PLAIN, NUMERIC /* \u00xx */, WIDE /* perhaps UTF-8 */ }; /* else the letter behind the backslash */
static const char escapes[128] = {
    [0x00] = 1, [0x01] = 1,   [0x02] = 1,   [0x03] = 1,   [0x04] = 1,  [0x05] = 1,    [0x06] = 1,
    [0x07] = 1, [0x08] = 'b', [0x09] = 't', [0x0a] = 'n', [0x0b] = 1,  [0x0c] = 'f',  [0x0d] = 'r',
    [0x0e] = 1, [0x0f] = 1,   [0x10] = 1,   [0x11] = 1,   [0x12] = 1,  [0x13] = 1,    [0x14] = 1,
    [0x15] = 1, [0x16] = 1,   [0x17] = 1,   [0x18] = 1,   [0x19] = 1,  [0x1a] = 1,    [0x1b] = 1,
    [0x1c] = 1, [0x1d] = 1,   [0x1e] = 1,   [0x1f] = 1,   ['"'] = '"', ['\\'] = '\\',
};

static char escape_of(char c)
{
    return (unsigned char)c < sizeof(escapes) ? escapes[(unsigned char)c] : WIDE;
}

/* Whether eight bytes are all plain: ASCII, no control, quote or backslash. */
static bool plain8(uint64_t bytes)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t quote = bytes ^ ones * '"', backslash = bytes ^ ones * '\\';
    /* a borrow may mark a byte too many, never one too few; then the slow way looks again */
    return (((bytes - ones * 0x20) | (quote - ones) | (backslash - ones) | bytes) & high) == 0;
}

static bool plain16(bytes16 bytes)
{
    bytes16 special =
        (bytes16)(bytes < 0x20) | (bytes16)(bytes >= 0x80) | (bytes16)(bytes == '"') | (bytes16)(bytes == '\\');
    words2 words = (words2)special;
    return (words[0] | words[1]) == 0;
}

/* Up to six bytes for the special character at *s, which is moved behind it. */
static char *put_special(char *p, const char **s, const char *end)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char c = (unsigned char)**s;
    char escape = escape_of(**s);
    if (escape == WIDE) {
        size_t len = bp_utf8_length(bp_str_n(*s, (size_t)(end - *s)));
        memcpy(p, len > 0 ? *s : "\xef\xbf\xbd", len > 0 ? len : 3);
        *s += len > 0 ? len : 1;
        return p + (len > 0 ? len : 3);
    }
    (*s)++;
    p[0] = '\\';
    if (escape != NUMERIC) {
        p[1] = escape;
        return p + 2;
    }
    memcpy(p + 1, "u00", 3);
    p[4] = digits[c >> 4];
    p[5] = digits[c & 15];
    return p + 6;
}

/* The plain bytes at *s, at most until end. There is room for all that is left. */
static char *put_plain(char *p, const char **s, const char *end)
{
    const char *from = *s;
    while (end - from >= 16) {
        bytes16 bytes;
        memcpy(&bytes, from, sizeof(bytes));
        if (!plain16(bytes))
            break;
        memcpy(p, &bytes, sizeof(bytes));
        from += 16;
        p += 16;
    }
    if (end - from >= 8) {
        uint64_t bytes;
        memcpy(&bytes, from, sizeof(bytes));
        if (plain8(bytes)) {
            memcpy(p, &bytes, sizeof(bytes));
            from += 8;
            p += 8;
        }
    }
    while (from < end && escape_of(*from) == PLAIN)
        *p++ = *from++;
    *s = from;
    return p;
}

char *escape_put(struct buffer *out, char *p, bp_str text)
{
    const char *s = text.ptr, *end = text.ptr + text.len;
    p = room(out, p, text.len + 2);
    if (!p)
        return NULL;
    *p++ = '"';
    for (;;) {
        p = put_plain(p, &s, end);
        if (s == end)
            break;
        do {
            p = room(out, p, (size_t)(end - s) + 6); /* the escape (of a byte at least), the rest and the quote */
            if (!p)
                return NULL;
            p = put_special(p, &s, end);
        } while (s < end && escape_of(*s) != PLAIN);
    }
    *p++ = '"';
    return p;
}

void schema_encode_text(bp_str text, struct buffer *out)
{
    if (!buffer_reserve(out, text.len + 2)) /* so that there is a place to write at */
        return;
    char *p = escape_put(out, out->ptr + out->len, text);
    if (p)
        out->len = (size_t)(p - out->ptr);
}
