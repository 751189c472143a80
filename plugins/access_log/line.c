/* SPDX-License-Identifier: MIT */
#include "line.h"

#include <stdio.h>

#include "backplane/log.h"
#include "slow.h"

enum { TEXT_MAX = 2048 }; /* bytes taken of one text, before escaping */

/* Texts of clients end at soft, so that there is always room for the members behind them: a line is whole JSON. */
struct writer {
    char *at, *end, *soft;
};

enum { FIXED_MAX = 1024 };

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
    if (w->at < w->soft && text.len <= (size_t)(w->soft - w->at) && is_all_plain(text)) {
        put(w, text);
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (w->at >= w->soft)
            return;
        size_t plain = plain_len(text, i), fits = (size_t)(w->soft - w->at);
        put(w, bp_str_n(text.ptr + i, plain < fits ? plain : fits));
        i += plain;
        if (i == text.len || w->soft - w->at < 6)
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

static bool is_hidden(const struct access_line *line, bp_str name)
{
    for (size_t i = 0; i < line->redact_count; i++)
        if (bp_str_eq_nocase(name, line->redact[i]))
            return true;
    return bp_is_secret_name(name);
}

static void put_query(struct writer *w, const struct access_line *line, bp_str query)
{
    const char *at = query.ptr, *end = query.ptr + query.len;
    while (at < end && w->soft - w->at > 16) {
        const char *next = memchr(at, '&', (size_t)(end - at));
        size_t len = (size_t)((next ? next + 1 : end) - at);
        const char *equals = memchr(at, '=', len);
        if (equals && is_hidden(line, bp_str_n(at, (size_t)(equals - at)))) {
            put_escaped(w, bp_str_n(at, (size_t)(equals + 1 - at)));
            put(w, next ? BP_STR("[redacted]&") : BP_STR("[redacted]"));
        } else {
            put_escaped(w, bp_str_n(at, len));
        }
        at += len;
    }
}

static bp_str query_of(bp_str target)
{
    const char *question = target.len ? memchr(target.ptr, '?', target.len) : NULL;
    return question ? bp_str_n(question + 1, (size_t)(target.ptr + target.len - question - 1)) : bp_str_n(NULL, 0);
}

static void put_target(struct writer *w, const struct access_line *line)
{
    bp_str query = query_of(line->target);
    put_escaped(w, bp_str_n(line->target.ptr, line->target.len - query.len));
    if (query.len > 0)
        put_query(w, line, query);
}

static void put_member(struct writer *w, bp_str key, bp_str text)
{
    if (text.len == 0)
        return;
    put(w, key);
    put_escaped(w, text);
    put(w, BP_STR("\""));
}

/* Cookies and credentials are secrets whatever their names say. */
static bool is_credential(bp_str name)
{
    static const bp_str names[] = {BP_STR_INIT("cookie"), BP_STR_INIT("authorization"),
                                   BP_STR_INIT("proxy-authorization"), BP_STR_INIT("x-api-key"),
                                   BP_STR_INIT("x-csrf-token")};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (bp_str_eq_nocase(name, names[i]))
            return true;
    return false;
}

static void put_headers(struct writer *w, const struct access_line *line)
{
    for (size_t i = 0; i < line->header_count; i++) {
        bp_str name = line->headers[i].name;
        if (line->headers[i].value.len == 0 || w->soft - w->at < 128)
            continue;
        put(w, line->otel ? BP_STR(",\"http.request.header.") : BP_STR(",\"header."));
        put_escaped(w, name);
        put(w, BP_STR("\":\""));
        if (is_credential(name) || is_hidden(line, name))
            put(w, BP_STR("[redacted]"));
        else
            put_escaped(w, line->headers[i].value);
        put(w, BP_STR("\""));
    }
}

/* Room is kept for the end of the line: a part that does not fit is left out, and counted. */
static void put_parts(struct writer *w, const struct slow *slow)
{
    unsigned lost = slow->lost, shown = 0;
    put(w, BP_STR(",\"parts\":["));
    for (const struct slow_part *part = slow->parts; part; part = part->next, shown++) {
        char *before = w->at;
        put(w, shown > 0 ? BP_STR(",{\"name\":\"") : BP_STR("{\"name\":\""));
        put_escaped(w, bp_str_of(part->name));
        put(w, BP_STR("\",\"depth\":"));
        put_number(w, part->depth);
        put(w, BP_STR(",\"start_ms\":"));
        put_milliseconds(w, part->began - slow->began);
        if (part->ended) {
            put(w, BP_STR(",\"duration_ms\":"));
            put_milliseconds(w, part->ended - part->began);
        }
        put_member(w, BP_STR(",\"query\":\""), part->query);
        put(w, BP_STR("}"));
        if (w->soft - w->at < 64) {
            w->at = before;
            lost += slow->count - shown;
            break;
        }
    }
    put(w, BP_STR("]"));
    if (lost > 0) {
        put(w, BP_STR(",\"parts_lost\":"));
        put_number(w, lost);
    }
}

static void put_seconds(struct writer *w, bp_span span)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%.6f", (double)(span > 0 ? span : 0) / (double)BP_SECOND);
    put(w, bp_str_n(text, (size_t)len));
}

/* Names of the semantic conventions 1.2x (HTTP, client, user agent). */
static void put_otel(struct writer *w, const struct access_line *line)
{
    bp_str query = query_of(line->target);
    size_t path = line->target.len - query.len - (query.ptr != NULL);
    put_member(w, BP_STR(",\"backplane.request_id\":\""), line->request_id);
    put_member(w, BP_STR(",\"trace_id\":\""), line->trace_id);
    put_member(w, BP_STR(",\"span_id\":\""), line->span_id);
    put_member(w, BP_STR(",\"http.request.method\":\""), line->method);
    put_member(w, BP_STR(",\"url.path\":\""), bp_str_n(line->target.ptr, path));
    if (query.len > 0) {
        put(w, BP_STR(",\"url.query\":\""));
        put_query(w, line, query);
        put(w, BP_STR("\""));
    }
    put_member(w, BP_STR(",\"http.route\":\""), line->route);
    put(w, BP_STR(",\"http.response.status_code\":"));
    put_number(w, line->status);
    put(w, BP_STR(",\"http.server.request.duration\":"));
    put_seconds(w, line->duration);
    put(w, BP_STR(",\"http.response.size\":"));
    put_number(w, line->bytes);
    put_member(w, BP_STR(",\"client.address\":\""), line->client);
    put_member(w, BP_STR(",\"network.peer.address\":\""), line->peer);
    put_member(w, BP_STR(",\"user.id\":\""), line->user_id);
    put_member(w, BP_STR(",\"network.protocol.version\":\""), line->version);
    put_member(w, BP_STR(",\"user_agent.original\":\""), line->user_agent);
    if (line->aborted)
        put(w, BP_STR(",\"backplane.aborted\":true"));
}

static void put_plain(struct writer *w, const struct access_line *line)
{
    put_member(w, BP_STR(",\"request_id\":\""), line->request_id);
    put_member(w, BP_STR(",\"trace_id\":\""), line->trace_id);
    put_member(w, BP_STR(",\"span_id\":\""), line->span_id);
    put_member(w, BP_STR(",\"method\":\""), line->method);
    put(w, BP_STR(",\"target\":\""));
    put_target(w, line);
    put(w, BP_STR("\""));
    put_member(w, BP_STR(",\"route\":\""), line->route);
    put(w, BP_STR(",\"status\":"));
    put_number(w, line->status);
    put(w, BP_STR(",\"duration_ms\":"));
    put_milliseconds(w, line->duration);
    put(w, BP_STR(",\"bytes\":"));
    put_number(w, line->bytes);
    put_member(w, BP_STR(",\"client\":\""), line->client);
    put_member(w, BP_STR(",\"peer\":\""), line->peer);
    put_member(w, BP_STR(",\"user_id\":\""), line->user_id);
    put_member(w, BP_STR(",\"http_version\":\""), line->version);
    put_member(w, BP_STR(",\"user_agent\":\""), line->user_agent);
    if (line->aborted)
        put(w, BP_STR(",\"aborted\":true"));
}

size_t access_line_json(const struct access_line *line, char ret_text[ACCESS_LINE_MAX])
{
    struct writer w = {ret_text, ret_text + ACCESS_LINE_MAX - 2, ret_text + ACCESS_LINE_MAX - FIXED_MAX};
    char date[BP_DATE_LEN];
    bp_date_format(line->time, date);
    put(&w, line->otel ? BP_STR("{\"timestamp\":\"") : BP_STR("{\"time\":\""));
    put(&w, bp_str_n(date, sizeof(date)));
    put(&w, line->otel ? BP_STR("\",\"event.name\":\"") : BP_STR("\",\"event\":\""));
    put(&w, line->slow ? BP_STR("http.slow\"") : BP_STR("http.access\""));
    if (line->otel)
        put_otel(&w, line);
    else
        put_plain(&w, line);
    put_headers(&w, line);
    if (line->slow)
        put_parts(&w, line->slow);
    w.end += 2;
    put(&w, BP_STR("}\n"));
    return (size_t)(w.at - ret_text);
}

size_t access_line_text(const struct access_line *line, char ret_text[ACCESS_LINE_MAX])
{
    struct writer w = {ret_text, ret_text + ACCESS_LINE_MAX - 1, ret_text + ACCESS_LINE_MAX - FIXED_MAX};
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
    put_target(&w, line);
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
