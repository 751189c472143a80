/* SPDX-License-Identifier: MIT */
#include "key.h"

#include <sodium.h>

#include "backplane/hash.h"

#define NORMALIZED_MAX 512u

void key_begin(struct key *key)
{
    key->len = 0;
    key->overflowed = false;
}

static void put(struct key *key, const void *bytes, size_t len)
{
    if (len > sizeof(key->bytes) - key->len) {
        key->overflowed = true;
        return;
    }
    if (len > 0)
        memcpy(key->bytes + key->len, bytes, len);
    key->len += len;
}

void key_add(struct key *key, char kind, bp_str name, bp_str value)
{
    const uint32_t lens[2] = {(uint32_t)name.len, (uint32_t)value.len};
    if (name.len > KEY_MAX || value.len > KEY_MAX) {
        key->overflowed = true;
        return;
    }
    put(key, &kind, 1);
    put(key, lens, sizeof(lens));
    put(key, name.ptr, name.len);
    put(key, value.ptr, value.len);
}

void key_add_normalized(struct key *key, char kind, bp_str name, bp_str value)
{
    char text[NORMALIZED_MAX];
    size_t len = 0;
    if (value.len > sizeof(text)) {
        key->overflowed = true;
        return;
    }
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c != ' ' && c != '\t')
            text[len++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    key_add(key, kind, name, bp_str_n(text, len));
}

void key_digest(const struct key *key, const uint8_t secret[16], struct digest *ret_digest)
{
    uint64_t hash[2];
    _Static_assert(sizeof(ret_digest->bytes) == sizeof(hash), "");
    bp_hash_wide(secret, bp_str_n(key->bytes, key->len), hash);
    memcpy(ret_digest->bytes, hash, sizeof(hash));
}

void key_digest_shared(const struct key *key, struct digest *ret_digest)
{
    (void)crypto_generichash(ret_digest->bytes, sizeof(ret_digest->bytes), (const unsigned char *)key->bytes, key->len,
                             NULL, 0);
}

bool key_next_name(bp_str *list, bp_str *ret_name)
{
    while (bp_str_next(list, ',', ret_name)) {
        *ret_name = bp_str_trim(*ret_name);
        if (ret_name->len > 0)
            return true;
    }
    return false;
}

bool key_listed(bp_str list, bp_str text)
{
    bp_str name;
    while (key_next_name(&list, &name))
        if (bp_str_eq_nocase(name, text))
            return true;
    return false;
}
