/* SPDX-License-Identifier: MIT */
/* The fields of W3C Trace Context (Recommendation of 2021) and W3C Baggage. Pure. */
#include "backplane/trace.h"

enum {
    STATE_MEMBERS = 32,
    STATE_BYTES = 512,
    STATE_KEY = 256,
    STATE_VALUE = 256,
    BAGGAGE_MEMBERS = 64,
    BAGGAGE_BYTES = 8192
};

/* --- traceparent --- */

static void to_hex(const uint8_t *bytes, size_t len, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        ret_text[2 * i] = digits[bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes[i] & 15];
    }
}

/* Lower case only. */
static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool from_hex(const char *text, size_t len, uint8_t *ret_bytes)
{
    for (size_t i = 0; i < len; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= bytes[i];
    return any == 0;
}

void bp_trace_id_format(const struct bp_trace_context *context, char ret_text[BP_TRACE_ID_LEN])
{
    to_hex(context->trace_id, sizeof(context->trace_id), ret_text);
}

void bp_trace_span_id_format(const struct bp_trace_context *context, char ret_text[BP_TRACE_SPAN_ID_LEN])
{
    to_hex(context->span_id, sizeof(context->span_id), ret_text);
}

void bp_trace_parent_format(const struct bp_trace_context *context, char ret_text[BP_TRACE_PARENT_LEN])
{
    memcpy(ret_text, "00-", 3);
    bp_trace_id_format(context, ret_text + 3);
    ret_text[35] = '-';
    bp_trace_span_id_format(context, ret_text + 36);
    ret_text[52] = '-';
    to_hex(&context->flags, 1, ret_text + 53);
}

bool bp_trace_parent_parse(bp_str field, struct bp_trace_context *ret_context)
{
    struct bp_trace_context context;
    uint8_t version;
    memset(&context, 0, sizeof(context));
    if (field.len < BP_TRACE_PARENT_LEN || !from_hex(field.ptr, 1, &version) || version == 0xff)
        return false;
    if (field.len > BP_TRACE_PARENT_LEN && (version == 0 || field.ptr[BP_TRACE_PARENT_LEN] != '-'))
        return false;
    if (field.ptr[2] != '-' || field.ptr[35] != '-' || field.ptr[52] != '-')
        return false;
    if (!from_hex(field.ptr + 3, sizeof(context.trace_id), context.trace_id) ||
        !from_hex(field.ptr + 36, sizeof(context.span_id), context.span_id) ||
        !from_hex(field.ptr + 53, 1, &context.flags))
        return false;
    if (is_zero(context.trace_id, sizeof(context.trace_id)) || is_zero(context.span_id, sizeof(context.span_id)))
        return false;
    context.flags &= BP_TRACE_SAMPLED; /* the others have no meaning yet, and are not passed on */
    *ret_context = context;
    return true;
}

/* --- lists of members --- */

/* The next member, without the optional white space around it, and what follows its comma. */
static bp_str next_member(bp_str *rest)
{
    const char *comma = memchr(rest->ptr, ',', rest->len);
    size_t len = comma ? (size_t)(comma - rest->ptr) : rest->len;
    bp_str member = bp_str_n(rest->ptr, len);
    *rest = comma ? bp_str_n(comma + 1, rest->len - len - 1) : bp_str_n(rest->ptr + len, 0);
    while (member.len > 0 && (member.ptr[0] == ' ' || member.ptr[0] == '\t'))
        member = bp_str_n(member.ptr + 1, member.len - 1);
    while (member.len > 0 && (member.ptr[member.len - 1] == ' ' || member.ptr[member.len - 1] == '\t'))
        member.len--;
    return member;
}

/* --- tracestate --- */

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A simple key, or "tenant@system" whose tenant may begin with a digit. */
static bool is_state_key(bp_str key)
{
    const char *at = key.len ? memchr(key.ptr, '@', key.len) : NULL;
    size_t tenant = at ? (size_t)(at - key.ptr) : 0;
    if (key.len == 0 || key.len > STATE_KEY || !(is_lower(key.ptr[0]) || (at && is_digit(key.ptr[0]))))
        return false;
    if (at && (tenant == 0 || tenant > 241 || key.len - tenant - 1 > 14 || key.len == tenant + 1 || !is_lower(at[1])))
        return false;
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        if (!is_lower(c) && !is_digit(c) && c != '_' && c != '-' && c != '*' && c != '/' && key.ptr + i != at)
            return false;
    }
    return true;
}

static bool is_state_member(bp_str member)
{
    const char *equals = memchr(member.ptr, '=', member.len);
    if (!equals || !is_state_key(bp_str_n(member.ptr, (size_t)(equals - member.ptr))))
        return false;
    bp_str value = bp_str_n(equals + 1, (size_t)(member.ptr + member.len - equals - 1));
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < ' ' || value.ptr[i] > '~' || value.ptr[i] == '=')
            return false;
    return value.len > 0 && value.len <= STATE_VALUE;
}

bp_str bp_trace_state_checked(bp_str field)
{
    bp_str rest = field;
    size_t members = 0, kept = 0;
    while (rest.len > 0) {
        bp_str member = next_member(&rest);
        if (member.len == 0)
            continue;
        if (++members > STATE_MEMBERS || !is_state_member(member))
            return bp_str_n(NULL, 0);
        size_t end = (size_t)(member.ptr + member.len - field.ptr);
        if (end <= STATE_BYTES)
            kept = end;
    }
    return bp_str_n(field.ptr, kept);
}

/* --- baggage --- */

static bool is_token_char(char c)
{
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_baggage_member(bp_str member)
{
    size_t key = 0;
    while (key < member.len && is_token_char(member.ptr[key]))
        key++;
    size_t at = key;
    while (at < member.len && (member.ptr[at] == ' ' || member.ptr[at] == '\t'))
        at++;
    if (key == 0 || at == member.len || member.ptr[at] != '=')
        return false;
    /* baggage-octets, and what properties behind a ";" may add */
    for (at++; at < member.len; at++) {
        char c = member.ptr[at];
        if ((c < '!' || c > '~' || c == '"' || c == '\\') && c != ' ' && c != '\t')
            return false;
    }
    return true;
}

bp_str bp_trace_baggage_checked(bp_str field)
{
    bp_str rest = field;
    size_t members = 0, kept = 0;
    while (rest.len > 0) {
        bp_str member = next_member(&rest);
        if (!is_baggage_member(member))
            return bp_str_n(NULL, 0);
        size_t end = (size_t)(member.ptr + member.len - field.ptr);
        if (++members <= BAGGAGE_MEMBERS && end <= BAGGAGE_BYTES)
            kept = end;
    }
    return bp_str_n(field.ptr, kept);
}
