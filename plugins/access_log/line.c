/* SPDX-License-Identifier: MIT */
#include "line.h"

#include <stdio.h>

#include "backplane/log.h"

enum { TEXT_MAX = 2048 }; /* bytes taken of one text, before escaping */

struct writer {
    char *at, *end;
};

/* Inline, so that a literal's length is known where it is copied. */
static inline __attribute__((always_inline)) void put(struct writer *w, bp_str text)
{
    size_t room = (size_t)(w->end - w->at);
    if (text.len <= room) {
        if (text.len > 0)
            memcpy(w->at, text.ptr, text.len);
        w->at += text.len;
    } else {
        memcpy(w->at, text.ptr, room);
        w->at = w->end;
    }
}

static void put_number(struct writer *w, uint64_t number)
{
    char digits[20];
    put(w, bp_str_u64(number, digits));
}

/* Milliseconds with three decimals. */
static void put_milliseconds(struct writer *w, bp_span span)
{
    uint64_t micros = span > 0 ? (uint64_t)(span / BP_MICROSECOND) : 0;
    char decimals[4] = {'.', (char)('0' + micros / 100 % 10), (char)('0' + micros / 10 % 10),
                        (char)('0' + micros % 10)};
    put_number(w, micros / 1000);
    put(w, bp_str_n(decimals, sizeof(decimals)));
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

#define EACH(byte) ((byte)*UINT64_C(0x0101010101010101))

/* The same of eight bytes at once: where every byte is below 0x80, a borrow shows in the high bit. */
static inline bool word_is_plain(uint64_t x)
{
    uint64_t quote, backslash, delete;
    quote = x ^ EACH('"');
    backslash = x ^ EACH('\\');
    delete = x ^ EACH(0x7f);
    return (((x - EACH(0x20)) | (quote - EACH(1)) | (backslash - EACH(1)) | (delete - EACH(1)) | x) & EACH(0x80)) == 0;
}

static inline bool are_plain(const char *bytes)
{
    uint64_t x;
    memcpy(&x, bytes, sizeof(x));
    return word_is_plain(x);
}

/* Whether nothing of it needs an escape. The last word overlaps the one before it; of up to seven bytes every one is in the word, some twice. */
static bool is_all_plain(bp_str text)
{
    size_t len = text.len;
    if (len >= sizeof(uint64_t)) {
        for (size_t at = 0; at < len - sizeof(uint64_t); at += sizeof(uint64_t))
            if (!are_plain(text.ptr + at))
                return false;
        return are_plain(text.ptr + len - sizeof(uint64_t));
    }
    if (len >= sizeof(uint32_t)) {
        uint32_t first, last;
        memcpy(&first, text.ptr, sizeof(first));
        memcpy(&last, text.ptr + len - sizeof(last), sizeof(last));
        return word_is_plain((uint64_t)first << 32 | last);
    }
    return len == 0 || (is_plain((unsigned char)text.ptr[0]) && is_plain((unsigned char)text.ptr[len / 2]) &&
                        is_plain((unsigned char)text.ptr[len - 1]));
}

/* How many bytes from i on need no escape. */
static size_t plain_len(bp_str text, size_t i)
{
    size_t end = i;
    while (text.len - end >= sizeof(uint64_t) && are_plain(text.ptr + end))
        end += sizeof(uint64_t);
    while (end < text.len && is_plain((unsigned char)text.ptr[end]))
        end++;
    return end - i;
}

/* A JSON string's content. What is not printable ASCII is escaped byte by byte as \u00XX, so that no client can break a line, end a
 * string, or speak to a terminal; UTF-8 in a raw target is rare and stays readable enough. */
static void put_escaped(struct writer *w, bp_str text)
{
    static const char hex[] = "0123456789abcdef";
    if (text.len > TEXT_MAX)
        text.len = TEXT_MAX;
    if (text.len <= (size_t)(w->end - w->at) && is_all_plain(text)) {
        put(w, text);
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        size_t plain = plain_len(text, i);
        put(w, bp_str_n(text.ptr + i, plain));
        i += plain;
        if (i == text.len || w->end - w->at < 6)
            return;
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\') {
            *w->at++ = '\\';
            *w->at++ = (char)c;
        } else {
            put(w, BP_STR("\\u00"));
            *w->at++ = hex[c >> 4];
            *w->at++ = hex[c & 15];
        }
    }
}

static void put_target(struct writer *w, bp_str target)
{
    const char *question = target.len ? memchr(target.ptr, '?', target.len) : NULL;
    if (!question) {
        put_escaped(w, target);
        return;
    }
    const char *at = question + 1, *end = target.ptr + target.len;
    put_escaped(w, bp_str_n(target.ptr, (size_t)(at - target.ptr)));
    while (at < end) {
        const char *next = memchr(at, '&', (size_t)(end - at));
        size_t len = (size_t)((next ? next + 1 : end) - at);
        const char *equals = memchr(at, '=', len);
        if (equals && bp_is_secret_name(bp_str_n(at, (size_t)(equals - at)))) {
            put_escaped(w, bp_str_n(at, (size_t)(equals + 1 - at)));
            put(w, next ? BP_STR("[redacted]&") : BP_STR("[redacted]"));
        } else {
            put_escaped(w, bp_str_n(at, len));
        }
        at += len;
    }
}

static void put_member(struct writer *w, bp_str key, bp_str text)
{
    if (text.len == 0)
        return;
    put(w, key);
    put_escaped(w, text);
    put(w, BP_STR("\""));
}

size_t access_line_json(const struct access_line *line, char ret_text[ACCESS_LINE_MAX])
{
    struct writer w = {ret_text, ret_text + ACCESS_LINE_MAX - 2}; /* room for the end */
    char date[BP_DATE_LEN];
    bp_date_format(line->time, date);
    put(&w, BP_STR("{\"time\":\""));
    put(&w, bp_str_n(date, sizeof(date)));
    put(&w, BP_STR("\",\"event\":\"http.access\""));
    put_member(&w, BP_STR(",\"request_id\":\""), line->request_id);
    put_member(&w, BP_STR(",\"trace_id\":\""), line->trace_id);
    put_member(&w, BP_STR(",\"span_id\":\""), line->span_id);
    put_member(&w, BP_STR(",\"method\":\""), line->method);
    put(&w, BP_STR(",\"target\":\""));
    put_target(&w, line->target);
    put(&w, BP_STR("\""));
    put_member(&w, BP_STR(",\"route\":\""), line->route);
    put(&w, BP_STR(",\"status\":"));
    put_number(&w, line->status);
    put(&w, BP_STR(",\"duration_ms\":"));
    put_milliseconds(&w, line->duration);
    put(&w, BP_STR(",\"bytes\":"));
    put_number(&w, line->bytes);
    put_member(&w, BP_STR(",\"client\":\""), line->client);
    put_member(&w, BP_STR(",\"peer\":\""), line->peer);
    put_member(&w, BP_STR(",\"user_id\":\""), line->user_id);
    put_member(&w, BP_STR(",\"http_version\":\""), line->version);
    put_member(&w, BP_STR(",\"user_agent\":\""), line->user_agent);
    if (line->aborted)
        put(&w, BP_STR(",\"aborted\":true"));
    w.end += 2;
    put(&w, BP_STR("}\n"));
    return (size_t)(w.at - ret_text);
}

size_t access_line_text(const struct access_line *line, char ret_text[ACCESS_LINE_MAX])
{
    struct writer w = {ret_text, ret_text + ACCESS_LINE_MAX - 1};
    char date[BP_DATE_LEN];
    bp_date_format(line->time, date);
    put(&w, bp_str_n(date + 11, 12)); /* the time of day */
    put(&w, line->status >= 500   ? BP_STR(" \033[31m")
            : line->status >= 400 ? BP_STR(" \033[33m")
                                  : BP_STR(" \033[32m"));
    put_number(&w, line->status);
    put(&w, BP_STR("\033[0m "));
    put_escaped(&w, line->method);
    put(&w, BP_STR(" "));
    put_target(&w, line->target);
    put(&w, BP_STR(" \033[2m"));
    put_milliseconds(&w, line->duration);
    put(&w, BP_STR("ms "));
    put_number(&w, line->bytes);
    put(&w, BP_STR("B "));
    put_escaped(&w, line->request_id);
    put(&w, line->aborted ? BP_STR(" aborted\033[0m") : BP_STR("\033[0m"));
    w.end += 1;
    put(&w, BP_STR("\n"));
    return (size_t)(w.at - ret_text);
}
