/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

void json_literal(struct bytes *out, const char *text)
{
    bytes_add_str(out, bp_str_of(text));
}

/* The text is UTF-8. */
void json_string(struct bytes *out, bp_str text)
{
    bytes_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        size_t plain = i;
        while (plain < text.len && (unsigned char)text.ptr[plain] >= 0x20 && text.ptr[plain] != '"' &&
               text.ptr[plain] != '\\')
            plain++;
        bytes_add(out, text.ptr + i, plain - i);
        i = plain;
        if (i < text.len) {
            char escape[8];
            snprintf(escape, sizeof(escape), "\\u%04x", (unsigned char)text.ptr[i]);
            json_literal(out, escape);
        }
    }
    bytes_add_char(out, '"');
}

void json_format(struct bytes *out, const char *format, ...)
{
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (len > 0 && (size_t)len < sizeof(text))
        bytes_add(out, text, (size_t)len);
}

/* Protobuf's JSON writes what JSON has no number for as a text. */
void json_double(struct bytes *out, double value)
{
    if (isfinite(value))
        json_format(out, "%.17g", value);
    else
        json_literal(out, isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
}

void json_attributes(struct bytes *out, const struct attribute *attribute)
{
    json_literal(out, "\"attributes\":[");
    for (const struct attribute *a = attribute; a; a = a->next) {
        json_literal(out, a == attribute ? "{\"key\":" : ",{\"key\":");
        json_string(out, bp_str_of(a->key));
        if (a->type == ATTRIBUTE_TEXT) {
            json_literal(out, ",\"value\":{\"stringValue\":");
            json_string(out, a->as.text);
        } else if (a->type == ATTRIBUTE_BOOLEAN) {
            json_format(out, ",\"value\":{\"boolValue\":%s", a->as.boolean ? "true" : "false");
        } else if (a->type == ATTRIBUTE_NUMBER) {
            json_literal(out, ",\"value\":{\"doubleValue\":");
            json_double(out, a->as.number);
        } else {
            json_format(out, ",\"value\":{\"intValue\":\"%" PRId64 "\"", a->as.integer);
        }
        json_literal(out, "}}");
    }
    bytes_add_char(out, ']');
}

void json_identifiers(struct bytes *out, const struct bp_trace_context *context)
{
    char trace_id[BP_TRACE_ID_LEN], span_id[BP_TRACE_SPAN_ID_LEN];
    bp_trace_id_format(context, trace_id);
    bp_trace_span_id_format(context, span_id);
    json_format(out, "\"traceId\":\"%.*s\",\"spanId\":\"%.*s\"", BP_TRACE_ID_LEN, trace_id, BP_TRACE_SPAN_ID_LEN,
                span_id);
}
