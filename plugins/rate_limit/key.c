/* SPDX-License-Identifier: MIT */
#include "key.h"

#include <sodium.h>

enum { HASH = 16 };

static bool parse_part(bp_str text, struct key *key)
{
    static const char *const words[] = {
        [KEY_IP] = "ip", [KEY_USER] = "user", [KEY_API_KEY] = "api_key", [KEY_ROUTE] = "route"};
    const bp_str header = BP_STR("header:");

    if (key->count == KEY_PARTS)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (bp_str_is(text, words[i])) {
            key->parts[key->count++].part = (enum key_part)i;
            return true;
        }
    if (!bp_str_starts(text, header) || text.len == header.len)
        return false;
    bp_str name = bp_str_n(text.ptr + header.len, text.len - header.len);
    for (size_t i = 0; i < name.len; i++)
        if (!(name.ptr[i] >= 'a' && name.ptr[i] <= 'z') && !(name.ptr[i] >= '0' && name.ptr[i] <= '9') &&
            name.ptr[i] != '-' && name.ptr[i] != '_')
            return false;
    key->parts[key->count].part = KEY_HEADER;
    key->parts[key->count++].header = name;
    return true;
}

bool key_parse(bp_str text, struct key *ret_key)
{
    struct key key = {.count = 0};

    for (;;) {
        const char *plus = text.len > 0 ? memchr(text.ptr, '+', text.len) : NULL;
        bp_str part = bp_str_n(text.ptr, plus ? (size_t)(plus - text.ptr) : text.len);
        if (!parse_part(part, &key))
            return false;
        if (!plus)
            break;
        text = bp_str_n(plus + 1, text.len - part.len - 1);
    }
    *ret_key = key;
    return true;
}

bool key_has(const struct key *key, enum key_part part)
{
    for (uint32_t i = 0; i < key->count; i++)
        if (key->parts[i].part == part)
            return true;
    return false;
}

void key_add_bytes(struct key_name *name, enum key_part part, const void *bytes, size_t len)
{
    name->bytes[name->len++] = (char)('a' + part);
    name->bytes[name->len++] = (char)len;
    if (len > 0)
        memcpy(name->bytes + name->len, bytes, len);
    name->len += len;
}

void key_add_address(struct key_name *name, bp_str address, uint32_t prefix)
{
    char network[16] = {0};

    if (address.len != 16) {
        key_add_bytes(name, KEY_IP, address.ptr, address.len == 4 ? 4 : 0);
        return;
    }
    size_t whole = prefix / 8;
    memcpy(network, address.ptr, whole);
    if (prefix % 8)
        network[whole] = (char)((unsigned char)address.ptr[whole] & (0xffu << (8 - prefix % 8)));
    key_add_bytes(name, KEY_IP, network, sizeof(network));
}

void key_add_text(struct key_name *name, enum key_part part, bp_str text)
{
    unsigned char hash[HASH];

    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)text.ptr, text.len, NULL, 0);
    key_add_bytes(name, part, hash, sizeof(hash));
}

void key_digest(bp_str name, char ret_digits[KEY_DIGITS])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[HASH];

    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)name.ptr, name.len, NULL, 0);
    for (size_t i = 0; i < sizeof(hash); i++) {
        ret_digits[2 * i] = digits[hash[i] >> 4];
        ret_digits[2 * i + 1] = digits[hash[i] & 15];
    }
}
