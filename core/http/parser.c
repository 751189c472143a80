/* SPDX-License-Identifier: MIT */
/*
 * Every step below returns 1 (done), 0 (the bytes end too early) or a negative status, and decides on the bytes in order. So the result is
 * the same however the bytes arrive.
 */
#include "core/http/parser.h"

#include "core/http/scan.h"
#include "core/http/target.h"

#define METHOD_MAX 32 /* bytes; a longer one is 501 (RFC 9112 3) */
#define EMPTY_LINES_MAX 4

struct cursor {
    const char *at, *end;
    const struct parser_limits *limits;
    const char *reason;
};

/* What the field lines said that needs a look at the whole. */
struct framing {
    bp_str host;
    unsigned hosts, lengths, codings;
    bool close, keep_alive, expect_continue;
};

static int refuse(struct cursor *cursor, int status, const char *reason)
{
    cursor->reason = reason;
    return status;
}

/* The end of a line at cursor->at, all of it before end. */
static int take_line_end(struct cursor *cursor, const char *end)
{
    const char *at = cursor->at;
    if (at == end)
        return 0;
    if (*at == '\n')
        return refuse(cursor, -400, "bare LF");
    if (*at != '\r')
        return refuse(cursor, -400, "control character");
    if (at + 1 == end)
        return 0;
    if (at[1] != '\n')
        return refuse(cursor, -400, "bare CR");
    cursor->at = at + 2;
    return 1;
}

static int take_empty_lines(struct cursor *cursor)
{
    for (int lines = 0; cursor->at < cursor->end; lines++) {
        if (*cursor->at != '\r' && *cursor->at != '\n')
            return 1;
        if (lines == EMPTY_LINES_MAX)
            return refuse(cursor, -400, "too many empty lines before the request line");
        int status = take_line_end(cursor, cursor->end);
        if (status <= 0)
            return status;
    }
    return 0;
}

/* Methods are compared with case (RFC 9110 9.1). */
static uint32_t method_of(bp_str text)
{
    static const struct {
        bp_str name;
        uint32_t method;
    } methods[] = {{BP_STR_INIT("GET"), BP_GET},        {BP_STR_INIT("POST"), BP_POST},
                   {BP_STR_INIT("PATCH"), BP_PATCH},    {BP_STR_INIT("DELETE"), BP_DELETE},
                   {BP_STR_INIT("PUT"), BP_PUT},        {BP_STR_INIT("HEAD"), BP_HEAD},
                   {BP_STR_INIT("OPTIONS"), BP_OPTIONS}};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (bp_str_eq(text, methods[i].name))
            return methods[i].method;
    return 0;
}

static int take_method(struct cursor *cursor, struct parser_head *head)
{
    const char *stop = scan_class(cursor->at, cursor->end, SCAN_TOKEN);
    size_t len = (size_t)(stop - cursor->at);
    if (len > METHOD_MAX)
        return refuse(cursor, -501, "method too long");
    if (stop == cursor->end)
        return 0;
    if (len == 0 || *stop != ' ')
        return refuse(cursor, -400, "malformed request line");
    head->method_text = bp_str_n(cursor->at, len);
    head->method = method_of(head->method_text);
    cursor->at = stop + 1;
    return 1;
}

static int take_target(struct cursor *cursor, struct parser_head *head)
{
    const char *stop = scan_class(cursor->at, cursor->end, SCAN_TARGET);
    size_t len = (size_t)(stop - cursor->at);
    if (len > cursor->limits->target)
        return refuse(cursor, -414, "request target too long");
    if (stop == cursor->end)
        return 0;
    if (*stop != ' ')
        return refuse(cursor, -400,
                      *stop == '\r' || *stop == '\n' ? "request line without a version"
                                                     : "invalid character in the request target");
    if (len == 0)
        return refuse(cursor, -400, "doubled space in the request line");
    head->target = bp_str_n(cursor->at, len);
    cursor->at = stop + 1;
    return 1;
}

/* A minor version above ours is processed as ours (RFC 9110 2.5). */
static int take_version(struct cursor *cursor, struct parser_head *head)
{
    static const char form[] = "HTTP/0.0";
    const char *at = cursor->at;
    if (cursor->end - at >= 10 && memcmp(at, "HTTP/1.1\r\n", 10) == 0) {
        head->minor = 1;
        cursor->at += 10;
        return 1;
    }
    for (const char *want = form; *want; want++, at++) {
        if (at == cursor->end)
            return 0;
        if (*want == '0' ? !scan_is(*at, SCAN_DIGIT) : *at != *want)
            return refuse(cursor, -400, "malformed HTTP version");
    }
    if (at < cursor->end && *at != '\r' && *at != '\n')
        return refuse(cursor, -400, "malformed HTTP version");
    head->minor = at[-1] != '0';
    cursor->at = at;
    int status = take_line_end(cursor, cursor->end);
    if (status > 0 && at[-3] != '1')
        return refuse(cursor, -505, "unsupported HTTP version");
    return status;
}

/* The next member of a comma-separated list, trimmed; false at its end. */
static bool next_member(bp_str *list, bp_str *ret_member)
{
    if (list->len == 0)
        return false;
    const char *comma = memchr(list->ptr, ',', list->len);
    size_t len = comma ? (size_t)(comma - list->ptr) : list->len;
    size_t used = comma ? len + 1 : len;
    *ret_member = bp_str_trim(bp_str_n(list->ptr, len));
    *list = bp_str_n(list->ptr + used, list->len - used);
    return true;
}

static void note_connection(struct framing *framing, bp_str list)
{
    bp_str member;
    while (next_member(&list, &member)) {
        if (bp_str_eq_nocase(member, BP_STR("close")))
            framing->close = true;
        else if (bp_str_eq_nocase(member, BP_STR("keep-alive")))
            framing->keep_alive = true;
    }
}

static void note_expect(struct parser_head *head, struct framing *framing, bp_str list)
{
    bp_str member;
    while (next_member(&list, &member)) {
        if (bp_str_eq_nocase(member, BP_STR("100-continue")))
            framing->expect_continue = true;
        else if (member.len > 0)
            head->expect_unknown = true;
    }
}

static int note_length(struct cursor *cursor, struct parser_head *head, struct framing *framing, bp_str value)
{
    uint64_t length;
    if (!bp_str_to_u64(value, &length))
        return refuse(cursor, -400, "malformed Content-Length");
    if (framing->lengths++ > 0 && length != head->content_length)
        return refuse(cursor, -400, "differing Content-Length");
    head->content_length = length;
    return 1;
}

static int note_coding(struct cursor *cursor, struct framing *framing, bp_str value)
{
    if (framing->codings++ > 0 || !bp_str_eq_nocase(value, BP_STR("chunked")))
        return refuse(cursor, -400, "unsupported Transfer-Encoding");
    return 1;
}

static int note_host(struct cursor *cursor, struct framing *framing, bp_str value)
{
    if (framing->hosts++ > 0)
        return refuse(cursor, -400, "more than one Host");
    if (!target_is_authority(value))
        return refuse(cursor, -400, "malformed Host");
    framing->host = value;
    return 1;
}

/* The fields that concern the message and its connection; length and first letter sort out nearly all others. */
static int note_field(struct cursor *cursor, struct parser_head *head, struct framing *framing, bp_str name,
                      bp_str value)
{
    char first = (char)(name.ptr[0] | 0x20);
    if (name.len == 4 && first == 'h' && bp_str_eq_nocase(name, BP_STR("host")))
        return note_host(cursor, framing, value);
    if (name.len == 10 && first == 'c' && bp_str_eq_nocase(name, BP_STR("connection")))
        note_connection(framing, value);
    else if (name.len == 14 && first == 'c' && bp_str_eq_nocase(name, BP_STR("content-length")))
        return note_length(cursor, head, framing, value);
    else if (name.len == 17 && first == 't' && bp_str_eq_nocase(name, BP_STR("transfer-encoding")))
        return note_coding(cursor, framing, value);
    else if (name.len == 6 && first == 'e' && bp_str_eq_nocase(name, BP_STR("expect")))
        note_expect(head, framing, value);
    return 1;
}

static int take_field(struct cursor *cursor, struct parser_head *head, struct framing *framing)
{
    const struct parser_limits *limits = cursor->limits;
    const char *start = cursor->at, *end = cursor->end;
    bool cut = (size_t)(end - start) > (size_t)limits->field + 2;
    if (*start == ' ' || *start == '\t')
        return refuse(cursor, -400, "folded field line");
    if (head->field_count >= limits->fields || head->field_count >= PARSER_FIELDS)
        return refuse(cursor, -431, "too many field lines");
    if (cut)
        end = start + limits->field + 2;

    const char *colon = scan_class(start, end, SCAN_TOKEN);
    const char *value = colon + 1, *stop = NULL;
    int status = 0;
    if (colon < end) {
        if (colon == start || *colon != ':')
            return refuse(cursor, -400,
                          *colon == ' ' || *colon == '\t' ? "space before the colon of a field"
                                                          : "malformed field name");
        while (value < end && (*value == ' ' || *value == '\t'))
            value++;
        cursor->at = stop = scan_value(value, end);
        status = take_line_end(cursor, end);
    }
    if (status < 0)
        return status;
    if (status == 0)
        return cut ? refuse(cursor, -431, "field line too long") : 0;
    while (stop > value && (stop[-1] == ' ' || stop[-1] == '\t'))
        stop--;
    struct parser_field *field = &head->fields[head->field_count++];
    field->name = bp_str_n(start, (size_t)(colon - start));
    head->names |= parser_name_bit(field->name);
    field->value = bp_str_n(value, (size_t)(stop - value));
    return note_field(cursor, head, framing, field->name, field->value);
}

static int take_fields(struct cursor *cursor, struct parser_head *head, struct framing *framing)
{
    while (cursor->at < cursor->end) {
        if (*cursor->at == '\r' || *cursor->at == '\n')
            return take_line_end(cursor, cursor->end);
        int status = take_field(cursor, head, framing);
        if (status <= 0)
            return status;
    }
    return 0;
}

/* RFC 9112 3.2, 6.3, 9.3. */
static int conclude(struct cursor *cursor, struct parser_head *head, const struct framing *framing)
{
    if (framing->hosts == 0 && head->minor > 0)
        return refuse(cursor, -400, "no Host");
    if (framing->codings > 0 && framing->lengths > 0)
        return refuse(cursor, -400, "both Content-Length and Transfer-Encoding");
    if (framing->codings > 0 && head->minor == 0)
        return refuse(cursor, -400, "Transfer-Encoding in HTTP/1.0");
    if (!head->authority.ptr)
        head->authority = framing->host;
    if (framing->codings > 0)
        head->body = PARSER_CHUNKED;
    else if (head->content_length > 0)
        head->body = PARSER_LENGTH;
    head->keep_alive = !framing->close && (head->minor > 0 || framing->keep_alive);
    head->expect_continue = framing->expect_continue && head->minor > 0;
    return 1;
}

static int parse(struct cursor *cursor, struct parser_head *head)
{
    struct framing framing = {0};
    const char *wrong;
    int status;

    head->field_count = 0;
    head->names = 0;
    head->body = PARSER_NO_BODY;
    head->content_length = 0;
    head->expect_unknown = false;
    if ((status = take_empty_lines(cursor)) <= 0 || (status = take_method(cursor, head)) <= 0 ||
        (status = take_target(cursor, head)) <= 0 || (status = take_version(cursor, head)) <= 0)
        return status;
    wrong = target_split(head);
    if (wrong)
        return refuse(cursor, -400, wrong);
    if ((status = take_fields(cursor, head, &framing)) <= 0)
        return status;
    return conclude(cursor, head, &framing);
}

/* Whether parsing an incomplete head again could give something new: its end has come, a line end is wrong, it is too long, or it has
 * doubled (so that what is wrong with it is found before its end). */
static bool worth_parsing(struct parser_state *state, const char *buffer, size_t len,
                          const struct parser_limits *limits)
{
    if (len > limits->head || len >= 2 * state->parsed)
        return true;
    while (state->scanned < len) {
        const char *lf = memchr(buffer + state->scanned, '\n', len - state->scanned);
        if (!lf)
            break;
        size_t at = (size_t)(lf - buffer);
        if (at == 0 || buffer[at - 1] != '\r' || (at >= 3 && memcmp(buffer + at - 3, "\r\n\r", 3) == 0))
            return true;
        state->scanned = at + 1;
    }
    state->scanned = len;
    return false;
}

long parser_head(struct parser_state *state, const char *buffer, size_t len, const struct parser_limits *limits,
                 struct parser_head *ret_head, const char **ret_reason)
{
    bool cut = len > limits->head;
    struct cursor cursor = {.at = buffer, .end = buffer + (cut ? limits->head : len), .limits = limits};
    if (state->parsed > 0 && !worth_parsing(state, buffer, len, limits))
        return 0;
    int status = parse(&cursor, ret_head);
    if (status > 0)
        return cursor.at - buffer;
    if (status == 0 && cut)
        status = refuse(&cursor, -431, "head too long");
    state->scanned = state->parsed = len;
    if (status < 0)
        *ret_reason = cursor.reason;
    return status;
}
