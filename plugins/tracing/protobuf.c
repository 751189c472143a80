/* SPDX-License-Identifier: MIT */
#include "protobuf.h"

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

void protobuf_integer(struct bytes *out, unsigned field, uint64_t value)
{
    add_tag(out, field, VARINT);
    add_varint(out, value);
}

void protobuf_text(struct bytes *out, unsigned field, bp_str text)
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

void protobuf_fixed(struct bytes *out, unsigned field, uint64_t value, size_t len)
{
    char little[8];
    for (size_t i = 0; i < len; i++)
        little[i] = (char)(value >> 8 * i);
    add_tag(out, field, len == 8 ? FIXED64 : FIXED32);
    bytes_add(out, little, len);
}

void protobuf_fixed64(struct bytes *out, uint64_t value)
{
    char little[8];
    for (size_t i = 0; i < sizeof(little); i++)
        little[i] = (char)(value >> 8 * i);
    bytes_add(out, little, sizeof(little));
}

uint64_t protobuf_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

void protobuf_double(struct bytes *out, unsigned field, double value)
{
    protobuf_fixed(out, field, protobuf_bits(value), 8);
}

/* A message in a message: its length, which stands before it, is known at its end. One byte is kept for it; most need no more. */
size_t protobuf_begin(struct bytes *out, unsigned field)
{
    add_tag(out, field, BYTES);
    bytes_add_char(out, 0);
    return out->len;
}

void protobuf_end(struct bytes *out, size_t begin)
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

void protobuf_attributes(struct bytes *out, unsigned field, const struct attribute *attribute)
{
    for (; attribute; attribute = attribute->next) {
        size_t pair = protobuf_begin(out, field);
        protobuf_text(out, 1, bp_str_of(attribute->key));
        size_t value = protobuf_begin(out, 2);
        if (attribute->type == ATTRIBUTE_TEXT)
            protobuf_text(out, 1, attribute->as.text);
        else if (attribute->type == ATTRIBUTE_BOOLEAN)
            protobuf_integer(out, 2, attribute->as.boolean);
        else if (attribute->type == ATTRIBUTE_NUMBER)
            protobuf_double(out, 4, attribute->as.number);
        else
            protobuf_integer(out, 3, (uint64_t)attribute->as.integer);
        protobuf_end(out, value);
        protobuf_end(out, pair);
    }
}

bool protobuf_take_varint(bp_str *rest, uint64_t *ret_value)
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
