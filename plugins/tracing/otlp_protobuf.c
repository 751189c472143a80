/* SPDX-License-Identifier: MIT */
/* Field numbers are those of opentelemetry-proto. */
#include "protobuf.h"

static void add_identifiers(struct bytes *out, const struct bp_trace_context *context)
{
    protobuf_text(out, 1, bp_str_n((const char *)context->trace_id, sizeof(context->trace_id)));
    protobuf_text(out, 2, bp_str_n((const char *)context->span_id, sizeof(context->span_id)));
    if (context->state.len > 0)
        protobuf_text(out, 3, context->state);
}

static void add_links(struct bytes *out, const struct span_link *link)
{
    for (; link; link = link->next) {
        size_t begin = protobuf_begin(out, 13);
        add_identifiers(out, &link->context);
        protobuf_fixed(out, 6, link->context.flags, 4);
        protobuf_end(out, begin);
    }
}

static void encode_span(struct bytes *out, const struct span *span, int64_t offset)
{
    enum { STATUS_ERROR = 2 };
    size_t begin = protobuf_begin(out, 2), status;
    add_identifiers(out, &span->base.context);
    if (span->has_parent)
        protobuf_text(out, 4, bp_str_n((const char *)span->parent_id, sizeof(span->parent_id)));
    protobuf_text(out, 5, span->name);
    protobuf_integer(out, 6, span->kind);
    protobuf_fixed(out, 7, (uint64_t)(span->began + offset), 8);
    protobuf_fixed(out, 8, (uint64_t)(span->ended + offset), 8);
    protobuf_attributes(out, 9, span->attributes);
    if (span->dropped_attributes > 0)
        protobuf_integer(out, 10, span->dropped_attributes);
    add_links(out, span->links);
    if (span->dropped_links > 0)
        protobuf_integer(out, 14, span->dropped_links);
    if (span->failed) {
        status = protobuf_begin(out, 15);
        protobuf_integer(out, 3, STATUS_ERROR);
        protobuf_end(out, status);
    }
    protobuf_fixed(out, 16,
                   span->base.context.flags | OTLP_HAS_IS_REMOTE | (span->parent_is_remote ? OTLP_IS_REMOTE : 0), 4);
    protobuf_end(out, begin);
}

/* The three requests differ in nothing but what the items are. */
static void encode_request(struct bytes *out, enum otlp_signal signal, const struct otlp_source *source, bp_str items)
{
    (void)signal;
    size_t resource_items = protobuf_begin(out, 1);
    size_t resource = protobuf_begin(out, 1);
    protobuf_attributes(out, 1, source->resource);
    protobuf_end(out, resource);
    size_t scope_items = protobuf_begin(out, 2);
    size_t scope = protobuf_begin(out, 1);
    protobuf_text(out, 1, source->scope);
    protobuf_text(out, 2, source->version);
    protobuf_end(out, scope);
    bytes_add_str(out, items);
    protobuf_end(out, scope_items);
    protobuf_end(out, resource_items);
}

/* --- the answer --- */

/* The value of a field: a number, or the bytes of a text or message. False when it is not there, or the message is malformed. */
static bool find(bp_str message, unsigned field, enum wire wire, uint64_t *ret_number, bp_str *ret_bytes)
{
    bool found = false;
    uint64_t tag, number;
    while (message.len > 0) {
        bp_str bytes = {NULL, 0};
        if (!protobuf_take_varint(&message, &tag))
            return false;
        if ((tag & 7) == VARINT || (tag & 7) == BYTES) {
            if (!protobuf_take_varint(&message, &number))
                return false;
            bytes.len = (tag & 7) == BYTES ? number : 0;
        } else if ((tag & 7) == FIXED64 || (tag & 7) == FIXED32) {
            bytes.len = (tag & 7) == FIXED64 ? 8 : 4;
        } else {
            return false;
        }
        if (bytes.len > message.len)
            return false;
        bytes.ptr = message.ptr;
        message = bp_str_n(message.ptr + bytes.len, message.len - bytes.len);
        if (tag >> 3 != field || (tag & 7) != wire)
            continue;
        found = true;
        *ret_number = number;
        *ret_bytes = bytes;
    }
    return found;
}

static int64_t rejected(enum otlp_signal signal, bp_str response)
{
    (void)signal;
    uint64_t number;
    bp_str partial, none;
    if (!find(response, 1, BYTES, &number, &partial) || !find(partial, 1, VARINT, &number, &none))
        return 0;
    return (int64_t)number > 0 ? (int64_t)number : 0;
}

const struct otlp_encoder otlp_protobuf = {.content_type = "application/x-protobuf",
                                           .span = encode_span,
                                           .metric_begin = protobuf_metric_begin,
                                           .point = protobuf_point,
                                           .metric_end = protobuf_metric_end,
                                           .log = protobuf_log,
                                           .request = encode_request,
                                           .rejected = rejected};
