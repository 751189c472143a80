/* SPDX-License-Identifier: MIT */
#include "signature.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "backplane/uuid.h"

#define PREFIX "whsec_"
#define KEY_MAX 64u /* bytes: what the standard allows */
#define BASE64 sodium_base64_VARIANT_ORIGINAL

_Static_assert(sizeof(PREFIX) - 1 + sodium_base64_ENCODED_LEN(SECRET_BYTES, BASE64) == SECRET_LEN + 1, "SECRET_LEN");
_Static_assert(3 + sodium_base64_ENCODED_LEN(crypto_auth_hmacsha256_BYTES, BASE64) == SIGNATURE_LEN + 1,
               "SIGNATURE_LEN");

void secret_make(char ret_secret[SECRET_LEN + 1])
{
    unsigned char bytes[SECRET_BYTES];
    bp_random(bytes, sizeof(bytes));
    memcpy(ret_secret, PREFIX, sizeof(PREFIX));
    sodium_bin2base64(ret_secret + sizeof(PREFIX) - 1, SECRET_LEN + 2 - sizeof(PREFIX), bytes, sizeof(bytes), BASE64);
    sodium_memzero(bytes, sizeof(bytes));
}

static void update(crypto_auth_hmacsha256_state *state, bp_str bytes)
{
    crypto_auth_hmacsha256_update(state, (const unsigned char *)bytes.ptr, bytes.len);
}

bool signature_make(bp_str secret, bp_str id, int64_t timestamp, bp_str body, char ret_signature[SIGNATURE_LEN + 1])
{
    unsigned char key[KEY_MAX], mac[crypto_auth_hmacsha256_BYTES];
    char moment[32];
    size_t len, prefix = sizeof(PREFIX) - 1;
    crypto_auth_hmacsha256_state state;
    if (!bp_str_starts(secret, BP_STR(PREFIX)) ||
        sodium_base642bin(key, sizeof(key), secret.ptr + prefix, secret.len - prefix, NULL, &len, NULL, BASE64) != 0 ||
        len == 0)
        return false;
    int moment_len = snprintf(moment, sizeof(moment), ".%" PRId64 ".", timestamp);
    crypto_auth_hmacsha256_init(&state, key, len);
    update(&state, id);
    update(&state, bp_str_n(moment, (size_t)moment_len));
    update(&state, body);
    crypto_auth_hmacsha256_final(&state, mac);
    memcpy(ret_signature, "v1,", 3);
    sodium_bin2base64(ret_signature + 3, SIGNATURE_LEN - 2, mac, sizeof(mac), BASE64);
    sodium_memzero(key, sizeof(key));
    sodium_memzero(&state, sizeof(state));
    return true;
}
