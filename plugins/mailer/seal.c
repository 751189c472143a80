/* SPDX-License-Identifier: MIT */
#include "seal.h"

#include <sodium.h>

#include "backplane/status.h"

#define BASE64 sodium_base64_VARIANT_ORIGINAL
#define BEFORE (crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES)

static void make_key(bp_str secret, unsigned char ret_key[crypto_secretbox_KEYBYTES])
{
    static const unsigned char purpose[] = "messages of backplane";
    (void)crypto_generichash(ret_key, crypto_secretbox_KEYBYTES, (const unsigned char *)secret.ptr, secret.len, purpose,
                             sizeof(purpose) - 1);
}

bp_str seal_text(bp_str secret, bp_str text, struct bp_arena *arena)
{
    unsigned char key[crypto_secretbox_KEYBYTES];
    size_t len = BEFORE + text.len, size = sodium_base64_ENCODED_LEN(len, BASE64);
    unsigned char *box = bp_arena_alloc(arena, len);
    char *base64 = bp_arena_alloc(arena, size);
    if (!box || !base64)
        return bp_str_n(NULL, 0);
    make_key(secret, key);
    randombytes_buf(box, crypto_secretbox_NONCEBYTES);
    (void)crypto_secretbox_easy(box + crypto_secretbox_NONCEBYTES, (const unsigned char *)text.ptr, text.len, box, key);
    sodium_memzero(key, sizeof(key));
    sodium_bin2base64(base64, size, box, len, BASE64);
    return bp_str_n(base64, size - 1);
}

int seal_open(bp_str secret, bp_str sealed, struct bp_arena *arena, bp_str *ret_text)
{
    unsigned char key[crypto_secretbox_KEYBYTES];
    size_t len = 0;
    unsigned char *box = bp_arena_alloc(arena, sealed.len + 1), *text = bp_arena_alloc(arena, sealed.len + 1);
    if (!box || !text)
        return BP_NOMEM;
    if (sodium_base642bin(box, sealed.len, sealed.ptr, sealed.len, NULL, &len, NULL, BASE64) != 0 || len < BEFORE)
        return SEAL_E_FOREIGN;
    make_key(secret, key);
    int status = crypto_secretbox_open_easy(text, box + crypto_secretbox_NONCEBYTES, len - crypto_secretbox_NONCEBYTES,
                                            box, key);
    sodium_memzero(key, sizeof(key));
    if (status != 0)
        return SEAL_E_FOREIGN;
    *ret_text = bp_str_n((const char *)text, len - BEFORE);
    return 0;
}
