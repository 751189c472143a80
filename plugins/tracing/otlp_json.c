/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <inttypes.h>

static void add_context(struct bytes *out, const struct bp_trace_context *context)
{
    bytes_add_char(out, '{');
    json_identifiers(out, context);
    if (context->state.len > 0) {
        json_literal(out, ",\"traceState\":");
        json_string(out, context->state);
    }
}

static void encode_span(struct bytes *out, const struct span *span, int64_t offset)
{
    struct bp_trace_context parent;
    char parent_id[BP_TRACE_SPAN_ID_LEN];
    add_context(out, &span->base.context);
    if (span->has_parent) {
        memcpy(parent.span_id, span->parent_id, sizeof(parent.span_id));
        bp_trace_span_id_format(&parent, parent_id);
        json_format(out, ",\"parentSpanId\":\"%.*s\"", BP_TRACE_SPAN_ID_LEN, parent_id);
    }
    json_literal(out, ",\"name\":");
    json_string(out, span->name);
    json_format(out, ",\"kind\":%u,\"startTimeUnixNano\":\"%" PRId64 "\",\"endTimeUnixNano\":\"%" PRId64 "\",",
                span->kind, span->began + offset, span->ended + offset);
    json_attributes(out, span->attributes);
    if (span->dropped_attributes > 0)
        json_format(out, ",\"droppedAttributesCount\":%" PRIu32, span->dropped_attributes);
    if (span->links) {
        json_literal(out, ",\"links\":[");
        for (const struct span_link *link = span->links; link; link = link->next) {
            if (link != span->links)
                bytes_add_char(out, ',');
            add_context(out, &link->context);
            json_format(out, ",\"flags\":%u}", link->context.flags);
        }
        bytes_add_char(out, ']');
    }
    if (span->dropped_links > 0)
        json_format(out, ",\"droppedLinksCount\":%" PRIu32, span->dropped_links);
    json_format(out, ",\"status\":{%s},\"flags\":%u}", span->failed ? "\"code\":2" : "",
                span->base.context.flags | OTLP_HAS_IS_REMOTE | (span->parent_is_remote ? OTLP_IS_REMOTE : 0));
}

static const struct {
    const char *resources, *scopes, *items, *rejected;
} names[OTLP_SIGNALS] = {[OTLP_TRACES] = {"resourceSpans", "scopeSpans", "spans", "\"rejectedSpans\""},
                         [OTLP_METRICS] = {"resourceMetrics", "scopeMetrics", "metrics", "\"rejectedDataPoints\""},
                         [OTLP_LOGS] = {"resourceLogs", "scopeLogs", "logRecords", "\"rejectedLogRecords\""}};

static void encode_request(struct bytes *out, enum otlp_signal signal, const struct otlp_source *source, bp_str items)
{
    json_format(out, "{\"%s\":[{\"resource\":{", names[signal].resources);
    json_attributes(out, source->resource);
    json_format(out, "},\"%s\":[{\"scope\":{\"name\":", names[signal].scopes);
    json_string(out, source->scope);
    json_literal(out, ",\"version\":");
    json_string(out, source->version);
    json_format(out, "},\"%s\":[", names[signal].items);
    bytes_add_str(out, items);
    json_literal(out, "]}]}]}");
}

/* {"partialSuccess":{"rejectedSpans":"3"}}, as a number or a text. Only a counter depends on it: no parser is needed. */
static int64_t rejected(enum otlp_signal signal, bp_str response)
{
    bp_str name = bp_str_of(names[signal].rejected);
    const char *at = response.len > 0 ? memmem(response.ptr, response.len, name.ptr, name.len) : NULL;
    const char *end = response.ptr + response.len;
    int64_t number = 0;
    if (!at)
        return 0;
    for (at += name.len; at < end && (*at == ' ' || *at == ':' || *at == '"'); at++)
        ;
    for (; at < end && *at >= '0' && *at <= '9' && number < INT32_MAX; at++)
        number = number * 10 + (*at - '0');
    return number;
}

const struct otlp_encoder otlp_json = {.content_type = "application/json",
                                       .separator = BP_STR_INIT(","),
                                       .span = encode_span,
                                       .metric_begin = json_metric_begin,
                                       .point = json_point,
                                       .metric_end = json_metric_end,
                                       .log = json_log,
                                       .request = encode_request,
                                       .rejected = rejected};
