/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a token, as its two JSON parts, and as a set of keys. Nothing that nobody signed is believed; keys that are taken
 * are sound enough to verify with, and hold nothing that signs.
 */
#include <jansson.h>
#include <stdlib.h>

#include "plugins/auth/foreign_claims.h"
#include "plugins/auth/issuer.h"
#include "plugins/auth/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1800000000000)

static void check(bool truth)
{
    if (!truth)
        abort();
}

static void as_token(bp_str text)
{
    static const struct key_ring ring = {
        .default_key = {.algorithm = KEY_HS256, .secret = BP_STR_INIT("a secret that no input holds, ever")}};
    struct claims claims;
    struct token token;
    bp_str id, bearer;
    check(token_verify(&ring, text, NOW, &claims) != 0);
    if (token_open(text, &token) == 0) {
        check(token.signature_len <= sizeof(token.signature) && token.signed_text.len < text.len);
        (void)token_key_id(&token, &id);
        token_close(&token);
    }
    if (bearer_token(text, &bearer))
        check(bearer.len > 0 && bearer.len < text.len);
}

static void as_claims(bp_str text)
{
    struct foreign_claims foreign;
    struct claims claims;
    json_t *object = claims_parse(text);
    if (!object)
        return;
    if (claims_check(object, NOW, &claims) == 0)
        check(claims.expires > NOW);
    if (foreign_claims_check(object, BP_STR("i"), BP_STR("a"), NOW, &foreign) == 0)
        check(foreign.expires > NOW && foreign.subject.len > 0 && foreign.subject.len <= SUBJECT_MAX);
    json_decref(object);
}

static void as_keys(bp_str text)
{
    static const unsigned char signature[KEY_SIGNATURE_MAX];
    struct key keys[ISSUER_KEYS_MAX];
    size_t count = jwk_set_read(text, ~0u, keys);
    check(count <= ISSUER_KEYS_MAX);
    for (size_t i = 0; i < count; i++) {
        check(!keys[i].signs && keys[i].algorithm != KEY_HS256 && keys[i].id[0] != '\0');
        check(!key_verify(&keys[i], text, signature, keys[i].algorithm == KEY_RS256 ? 256 : 64));
        key_deinit(&keys[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bp_str text = bp_str_n((const char *)data, size);
    as_token(text);
    as_claims(text);
    as_keys(text);
    return 0;
}
