/* SPDX-License-Identifier: MIT */
#include "refresh_token.h"

#include <sodium.h>

#include "backplane/uuid.h"

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(sizeof(struct refresh_token) == REFRESH_FAMILY + REFRESH_OWN, "one behind the other");
_Static_assert(sodium_base64_ENCODED_LEN(REFRESH_FAMILY + REFRESH_OWN, BASE64) == REFRESH_TOKEN_LEN + 1, "");
_Static_assert(sodium_base64_ENCODED_LEN(REFRESH_OWN, BASE64) == REFRESH_HASH_LEN + 1, "");

void refresh_token_new(struct refresh_token *ret_token)
{
    bp_random(ret_token, sizeof(*ret_token));
}

void refresh_token_next(const struct refresh_token *token, struct refresh_token *ret_next)
{
    memcpy(ret_next->family, token->family, sizeof(ret_next->family));
    bp_random(ret_next->own, sizeof(ret_next->own));
}

static bool decode(bp_str text, void *ret_bytes, size_t size)
{
    size_t len;
    return text.ptr && sodium_base642bin(ret_bytes, size, text.ptr, text.len, NULL, &len, NULL, BASE64) == 0 &&
           len == size;
}

bool refresh_token_parse(bp_str text, struct refresh_token *ret_token)
{
    struct refresh_token token;
    char again[REFRESH_TOKEN_LEN + 1];
    if (text.len != REFRESH_TOKEN_LEN || !decode(text, &token, sizeof(token)))
        return false;
    refresh_token_format(&token, again);
    if (!bp_str_is(text, again)) /* the decoder takes some bytes above 0x7f for others */
        return false;
    *ret_token = token;
    return true;
}

void refresh_token_format(const struct refresh_token *token, char ret_text[REFRESH_TOKEN_LEN + 1])
{
    sodium_bin2base64(ret_text, REFRESH_TOKEN_LEN + 1, (const unsigned char *)token, sizeof(*token), BASE64);
}

/* Random bytes need no salt and no slow hash. */
static void hash(const uint8_t *bytes, size_t len, char ret_text[REFRESH_HASH_LEN + 1])
{
    unsigned char digest[REFRESH_OWN];
    crypto_generichash(digest, sizeof(digest), bytes, len, NULL, 0);
    sodium_bin2base64(ret_text, REFRESH_HASH_LEN + 1, digest, sizeof(digest), BASE64);
}

void refresh_token_hash(const struct refresh_token *token, struct refresh_hashes *ret_hashes)
{
    hash(token->family, sizeof(token->family), ret_hashes->family);
    hash(token->own, sizeof(token->own), ret_hashes->own);
}

/* A pad that only the token's own bytes give, used once: a token has one successor. */
static void apply_pad(const struct refresh_token *token, uint8_t bytes[REFRESH_OWN])
{
    static const unsigned char purpose[] = "refresh token successor";
    unsigned char pad[REFRESH_OWN];
    crypto_generichash(pad, sizeof(pad), purpose, sizeof(purpose) - 1, token->own, sizeof(token->own));
    for (size_t i = 0; i < sizeof(pad); i++)
        bytes[i] ^= pad[i];
    sodium_memzero(pad, sizeof(pad));
}

void refresh_token_seal(const struct refresh_token *token, const struct refresh_token *successor,
                        char ret_sealed[REFRESH_HASH_LEN + 1])
{
    uint8_t bytes[REFRESH_OWN];
    memcpy(bytes, successor->own, sizeof(bytes));
    apply_pad(token, bytes);
    sodium_bin2base64(ret_sealed, REFRESH_HASH_LEN + 1, bytes, sizeof(bytes), BASE64);
}

bool refresh_token_unseal(const struct refresh_token *token, bp_str sealed, struct refresh_token *ret_successor)
{
    uint8_t bytes[REFRESH_OWN];
    if (!decode(sealed, bytes, sizeof(bytes)))
        return false;
    apply_pad(token, bytes);
    memcpy(ret_successor->family, token->family, sizeof(ret_successor->family));
    memcpy(ret_successor->own, bytes, sizeof(bytes));
    return true;
}
