/* SPDX-License-Identifier: MIT */
#include "core/resource/cursor.h"

#include <sodium.h>

#define MAC_BYTES crypto_generichash_BYTES_MIN
#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING
/* A cursor travels in a target of at most 8 KiB, beside other things. */
#define PAYLOAD_MAX 3000

_Static_assert(crypto_generichash_KEYBYTES == CURSOR_KEY_BYTES, "the key has BLAKE2b's usual size");

struct payload {
    size_t len;
    unsigned char bytes[PAYLOAD_MAX + MAC_BYTES];
};

static bool put(struct payload *payload, const void *bytes, size_t len)
{
    if (len > PAYLOAD_MAX - payload->len)
        return false;
    memcpy(payload->bytes + payload->len, bytes, len);
    payload->len += len;
    return true;
}

/* In the byte order of the machine: whoever reads it shares the key, and so the fleet. */
static bool put_value(struct payload *payload, const struct bp_db_value *value)
{
    uint16_t len = (uint16_t)value->as.text.len;
    switch (value->type) {
    case BP_TYPE_BOOL:
        return put(payload, &value->as.boolean, sizeof(value->as.boolean));
    case BP_TYPE_I64:
    case BP_TYPE_DATE:
        return put(payload, &value->as.integer, sizeof(value->as.integer));
    case BP_TYPE_F64:
        return put(payload, &value->as.number, sizeof(value->as.number));
    case BP_TYPE_UUID:
        return put(payload, &value->as.uuid, sizeof(value->as.uuid));
    case BP_TYPE_TEXT:
        return value->as.text.len <= PAYLOAD_MAX && put(payload, &len, sizeof(len)) &&
               put(payload, value->as.text.ptr, len);
    default:
        return false;
    }
}

static void authenticate(const unsigned char *key, bp_str purpose, const struct payload *payload,
                         unsigned char ret_mac[MAC_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, key, CURSOR_KEY_BYTES, MAC_BYTES);
    crypto_generichash_update(&state, (const unsigned char *)&purpose.len, sizeof(purpose.len));
    crypto_generichash_update(&state, (const unsigned char *)purpose.ptr, purpose.len);
    crypto_generichash_update(&state, payload->bytes, payload->len);
    crypto_generichash_final(&state, ret_mac, MAC_BYTES);
}

bp_str cursor_make(const unsigned char key[CURSOR_KEY_BYTES], bp_str purpose, const struct bp_db_value *values,
                   size_t count, struct bp_arena *arena)
{
    struct payload payload;
    payload.len = 0;
    for (size_t i = 0; i < count; i++)
        if (!put_value(&payload, &values[i]))
            return bp_str_n(NULL, 0);
    authenticate(key, purpose, &payload, payload.bytes + payload.len);
    payload.len += MAC_BYTES;
    size_t size = sodium_base64_ENCODED_LEN(payload.len, VARIANT);
    char *text = bp_arena_alloc(arena, size);
    if (!text)
        return bp_str_n(NULL, 0);
    sodium_bin2base64(text, size, payload.bytes, payload.len, VARIANT);
    return bp_str_of(text);
}

struct reading {
    const unsigned char *at, *end;
};

static bool take(struct reading *reading, void *ret_bytes, size_t len)
{
    if (len > (size_t)(reading->end - reading->at))
        return false;
    memcpy(ret_bytes, reading->at, len);
    reading->at += len;
    return true;
}

static bool take_text(struct reading *reading, struct bp_arena *arena, bp_str *ret_text)
{
    uint16_t len;
    if (!take(reading, &len, sizeof(len)) || len > (size_t)(reading->end - reading->at))
        return false;
    *ret_text = bp_arena_copy(arena, bp_str_n((const char *)reading->at, len));
    reading->at += len;
    return ret_text->ptr != NULL;
}

static bool take_value(struct reading *reading, uint32_t type, struct bp_arena *arena, struct bp_db_value *ret_value)
{
    unsigned char boolean;
    *ret_value = bp_db_null();
    ret_value->type = type;
    switch (type) {
    case BP_TYPE_BOOL:
        if (!take(reading, &boolean, sizeof(boolean)))
            return false;
        ret_value->as.boolean = boolean != 0;
        return true;
    case BP_TYPE_I64:
    case BP_TYPE_DATE:
        return take(reading, &ret_value->as.integer, sizeof(ret_value->as.integer));
    case BP_TYPE_F64:
        return take(reading, &ret_value->as.number, sizeof(ret_value->as.number));
    case BP_TYPE_UUID:
        return take(reading, &ret_value->as.uuid, sizeof(ret_value->as.uuid));
    case BP_TYPE_TEXT:
        return take_text(reading, arena, &ret_value->as.text);
    default:
        return false;
    }
}

bool cursor_read(const unsigned char key[CURSOR_KEY_BYTES], bp_str purpose, bp_str cursor, const uint32_t *types,
                 size_t count, struct bp_arena *arena, struct bp_db_value *ret_values)
{
    struct payload payload;
    unsigned char mac[MAC_BYTES];
    if (sodium_base642bin(payload.bytes, sizeof(payload.bytes), cursor.ptr, cursor.len, NULL, &payload.len, NULL,
                          VARIANT) != 0 ||
        payload.len < MAC_BYTES)
        return false;
    payload.len -= MAC_BYTES;
    authenticate(key, purpose, &payload, mac);
    if (sodium_memcmp(mac, payload.bytes + payload.len, MAC_BYTES) != 0)
        return false;
    struct reading reading = {payload.bytes, payload.bytes + payload.len};
    for (size_t i = 0; i < count; i++)
        if (!take_value(&reading, types[i], arena, &ret_values[i]))
            return false;
    return reading.at == reading.end;
}
