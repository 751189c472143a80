/* SPDX-License-Identifier: MIT */
/* OTLP's JSON: names in camel case, identifiers in hex, 64-bit numbers as texts. */
#include "otlp.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static void add_literal(struct bytes *out, const char *text)
{
    bytes_add_str(out, bp_str_of(text));
}

/* The text is UTF-8. */
static void add_string(struct bytes *out, bp_str text)
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
            add_literal(out, escape);
        }
    }
    bytes_add_char(out, '"');
}

static __attribute__((format(printf, 2, 3))) void add_format(struct bytes *out, const char *format, ...)
{
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (len > 0 && (size_t)len < sizeof(text))
        bytes_add(out, text, (size_t)len);
}

static void add_attributes(struct bytes *out, const struct attribute *attribute)
{
    add_literal(out, "\"attributes\":[");
    for (const struct attribute *a = attribute; a; a = a->next) {
        add_literal(out, a == attribute ? "{\"key\":" : ",{\"key\":");
        add_string(out, bp_str_of(a->key));
        if (a->type == ATTRIBUTE_TEXT) {
            add_literal(out, ",\"value\":{\"stringValue\":");
            add_string(out, a->as.text);
        } else if (a->type == ATTRIBUTE_BOOLEAN) {
            add_format(out, ",\"value\":{\"boolValue\":%s", a->as.boolean ? "true" : "false");
        } else {
            add_format(out, ",\"value\":{\"intValue\":\"%" PRId64 "\"", a->as.integer);
        }
        add_literal(out, "}}");
    }
    bytes_add_char(out, ']');
}

static void add_identifiers(struct bytes *out, const struct bp_trace_context *context)
{
    char trace_id[BP_TRACE_ID_LEN], span_id[BP_TRACE_SPAN_ID_LEN];
    bp_trace_id_format(context, trace_id);
    bp_trace_span_id_format(context, span_id);
    add_format(out, "{\"traceId\":\"%.*s\",\"spanId\":\"%.*s\"", BP_TRACE_ID_LEN, trace_id, BP_TRACE_SPAN_ID_LEN,
               span_id);
    if (context->state.len > 0) {
        add_literal(out, ",\"traceState\":");
        add_string(out, context->state);
    }
}

static void encode_span(struct bytes *out, const struct span *span, int64_t offset)
{
    struct bp_trace_context parent;
    char parent_id[BP_TRACE_SPAN_ID_LEN];
    if (out->len > 0)
        bytes_add_char(out, ',');
    add_identifiers(out, &span->base.context);
    if (span->has_parent) {
        memcpy(parent.span_id, span->parent_id, sizeof(parent.span_id));
        bp_trace_span_id_format(&parent, parent_id);
        add_format(out, ",\"parentSpanId\":\"%.*s\"", BP_TRACE_SPAN_ID_LEN, parent_id);
    }
    add_literal(out, ",\"name\":");
    add_string(out, span->name);
    add_format(out, ",\"kind\":%u,\"startTimeUnixNano\":\"%" PRId64 "\",\"endTimeUnixNano\":\"%" PRId64 "\",",
               span->kind, span->began + offset, span->ended + offset);
    add_attributes(out, span->attributes);
    if (span->dropped_attributes > 0)
        add_format(out, ",\"droppedAttributesCount\":%" PRIu32, span->dropped_attributes);
    if (span->links) {
        add_literal(out, ",\"links\":[");
        for (const struct span_link *link = span->links; link; link = link->next) {
            if (link != span->links)
                bytes_add_char(out, ',');
            add_identifiers(out, &link->context);
            add_format(out, ",\"flags\":%u}", link->context.flags);
        }
        bytes_add_char(out, ']');
    }
    if (span->dropped_links > 0)
        add_format(out, ",\"droppedLinksCount\":%" PRIu32, span->dropped_links);
    add_format(out, ",\"status\":{%s},\"flags\":%u}", span->failed ? "\"code\":2" : "",
               span->base.context.flags | OTLP_HAS_IS_REMOTE | (span->parent_is_remote ? OTLP_IS_REMOTE : 0));
}

static void encode_request(struct bytes *out, const struct otlp_source *source, bp_str spans)
{
    add_literal(out, "{\"resourceSpans\":[{\"resource\":{");
    add_attributes(out, source->resource);
    add_literal(out, "},\"scopeSpans\":[{\"scope\":{\"name\":");
    add_string(out, source->scope);
    add_literal(out, ",\"version\":");
    add_string(out, source->version);
    add_literal(out, "},\"spans\":[");
    bytes_add_str(out, spans);
    add_literal(out, "]}]}]}");
}

/* {"partialSuccess":{"rejectedSpans":"3"}}, as a number or a text. Only a counter depends on it: no parser is needed. */
static int64_t rejected(bp_str response)
{
    static const char name[] = "\"rejectedSpans\"";
    const char *at = response.len > 0 ? memmem(response.ptr, response.len, name, sizeof(name) - 1) : NULL;
    const char *end = response.ptr + response.len;
    int64_t number = 0;
    if (!at)
        return 0;
    for (at += sizeof(name) - 1; at < end && (*at == ' ' || *at == ':' || *at == '"'); at++)
        ;
    for (; at < end && *at >= '0' && *at <= '9' && number < INT32_MAX; at++)
        number = number * 10 + (*at - '0');
    return number;
}

const struct otlp_encoder otlp_json = {
    .content_type = "application/json", .span = encode_span, .request = encode_request, .rejected = rejected};
