/* SPDX-License-Identifier: MIT */
/* Field numbers are those of opentelemetry-proto; the wire format is that of Protocol Buffers 3. */
#include "otlp.h"

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static char *put_varint(char *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (char)(value | 0x80);
        value >>= 7;
    }
    *at++ = (char)value;
    return at;
}

static void add_varint(struct bytes *out, uint64_t value)
{
    char *room = bytes_room(out, 10);
    if (room)
        out->len = (size_t)(put_varint(room, value) - out->ptr);
}

static void add_tag(struct bytes *out, unsigned field, enum wire wire)
{
    add_varint(out, field << 3 | wire);
}

static void add_integer(struct bytes *out, unsigned field, uint64_t value)
{
    add_tag(out, field, VARINT);
    add_varint(out, value);
}

static void add_text(struct bytes *out, unsigned field, bp_str text)
{
    char *room = bytes_room(out, text.len + 20);
    if (!room)
        return;
    room = put_varint(room, field << 3 | BYTES);
    room = put_varint(room, text.len);
    if (text.len > 0)
        memcpy(room, text.ptr, text.len);
    out->len = (size_t)(room + text.len - out->ptr);
}

static void add_fixed(struct bytes *out, unsigned field, uint64_t value, size_t len)
{
    char little[8];
    for (size_t i = 0; i < len; i++)
        little[i] = (char)(value >> 8 * i);
    add_tag(out, field, len == 8 ? FIXED64 : FIXED32);
    bytes_add(out, little, len);
}

/* A message in a message: its length, which stands before it, is known at its end. One byte is kept for it; most need no more. */
static size_t message_begin(struct bytes *out, unsigned field)
{
    add_tag(out, field, BYTES);
    bytes_add_char(out, 0);
    return out->len;
}

static void message_end(struct bytes *out, size_t begin)
{
    size_t len = out->len - begin;
    char prefix[10];
    size_t more = (size_t)(put_varint(prefix, len) - prefix) - 1;
    if (!bytes_room(out, more))
        return;
    if (more > 0)
        memmove(out->ptr + begin + more, out->ptr + begin, len);
    memcpy(out->ptr + begin - 1, prefix, more + 1);
    out->len += more;
}

static void add_attributes(struct bytes *out, unsigned field, const struct attribute *attribute)
{
    for (; attribute; attribute = attribute->next) {
        size_t pair = message_begin(out, field);
        add_text(out, 1, bp_str_of(attribute->key));
        size_t value = message_begin(out, 2);
        if (attribute->type == ATTRIBUTE_TEXT)
            add_text(out, 1, attribute->as.text);
        else if (attribute->type == ATTRIBUTE_BOOLEAN)
            add_integer(out, 2, attribute->as.boolean);
        else
            add_integer(out, 3, (uint64_t)attribute->as.integer);
        message_end(out, value);
        message_end(out, pair);
    }
}

static void add_identifiers(struct bytes *out, const struct bp_trace_context *context)
{
    add_text(out, 1, bp_str_n((const char *)context->trace_id, sizeof(context->trace_id)));
    add_text(out, 2, bp_str_n((const char *)context->span_id, sizeof(context->span_id)));
    if (context->state.len > 0)
        add_text(out, 3, context->state);
}

static void add_links(struct bytes *out, const struct span_link *link)
{
    for (; link; link = link->next) {
        size_t begin = message_begin(out, 13);
        add_identifiers(out, &link->context);
        add_fixed(out, 6, link->context.flags, 4);
        message_end(out, begin);
    }
}

static void encode_span(struct bytes *out, const struct span *span, int64_t offset)
{
    enum { STATUS_ERROR = 2 };
    size_t begin = message_begin(out, 2), status;
    add_identifiers(out, &span->base.context);
    if (span->has_parent)
        add_text(out, 4, bp_str_n((const char *)span->parent_id, sizeof(span->parent_id)));
    add_text(out, 5, span->name);
    add_integer(out, 6, span->kind);
    add_fixed(out, 7, (uint64_t)(span->began + offset), 8);
    add_fixed(out, 8, (uint64_t)(span->ended + offset), 8);
    add_attributes(out, 9, span->attributes);
    if (span->dropped_attributes > 0)
        add_integer(out, 10, span->dropped_attributes);
    add_links(out, span->links);
    if (span->dropped_links > 0)
        add_integer(out, 14, span->dropped_links);
    if (span->failed) {
        status = message_begin(out, 15);
        add_integer(out, 3, STATUS_ERROR);
        message_end(out, status);
    }
    add_fixed(out, 16, span->base.context.flags | OTLP_HAS_IS_REMOTE | (span->parent_is_remote ? OTLP_IS_REMOTE : 0),
              4);
    message_end(out, begin);
}

static void encode_request(struct bytes *out, const struct otlp_source *source, bp_str spans)
{
    size_t resource_spans = message_begin(out, 1);
    size_t resource = message_begin(out, 1);
    add_attributes(out, 1, source->resource);
    message_end(out, resource);
    size_t scope_spans = message_begin(out, 2);
    size_t scope = message_begin(out, 1);
    add_text(out, 1, source->scope);
    add_text(out, 2, source->version);
    message_end(out, scope);
    bytes_add_str(out, spans);
    message_end(out, scope_spans);
    message_end(out, resource_spans);
}

/* --- the answer --- */

static bool take_varint(bp_str *rest, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 10 && i < rest->len; i++) {
        unsigned char c = (unsigned char)rest->ptr[i];
        value |= (uint64_t)(c & 0x7f) << 7 * i;
        if (c & 0x80)
            continue;
        *rest = bp_str_n(rest->ptr + i + 1, rest->len - i - 1);
        *ret_value = value;
        return true;
    }
    return false;
}

/* The value of a field: a number, or the bytes of a text or message. False when it is not there, or the message is malformed. */
static bool find(bp_str message, unsigned field, enum wire wire, uint64_t *ret_number, bp_str *ret_bytes)
{
    bool found = false;
    uint64_t tag, number;
    while (message.len > 0) {
        bp_str bytes = {NULL, 0};
        if (!take_varint(&message, &tag))
            return false;
        if ((tag & 7) == VARINT || (tag & 7) == BYTES) {
            if (!take_varint(&message, &number))
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

static int64_t rejected(bp_str response)
{
    uint64_t number;
    bp_str partial, none;
    if (!find(response, 1, BYTES, &number, &partial) || !find(partial, 1, VARINT, &number, &none))
        return 0;
    return (int64_t)number > 0 ? (int64_t)number : 0;
}

const struct otlp_encoder otlp_protobuf = {
    .content_type = "application/x-protobuf", .span = encode_span, .request = encode_request, .rejected = rejected};
