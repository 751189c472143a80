/* SPDX-License-Identifier: MIT */
/* Public keys as JSON (RFC 7517, 7518 6, 8037). */
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>

#include "key.h"

#define COORDINATE 32u
#define RSA_BYTES_MIN 256u
#define RSA_BYTES_MAX 512u
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static bp_str text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? bp_str_n(json_string_value(value), json_string_length(value)) : bp_str_n(NULL, 0);
}

/* 0 when it is not there, not base64url, or too long. */
static size_t bytes_of(const json_t *object, const char *name, unsigned char *bytes, size_t size)
{
    bp_str text = text_of(object, name);
    size_t len;
    if (text.len == 0 || sodium_base642bin(bytes, size, text.ptr, text.len, NULL, &len, NULL, BASE64) != 0)
        return 0;
    return len;
}

static EVP_PKEY *make(const char *kind, OSSL_PARAM *parameters)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *context = parameters ? EVP_PKEY_CTX_new_from_name(NULL, kind, NULL) : NULL;
    if (context && EVP_PKEY_fromdata_init(context) == 1)
        (void)EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, parameters);
    EVP_PKEY_CTX_free(context);
    return pkey;
}

static EVP_PKEY *rsa_key(const json_t *jwk)
{
    unsigned char n[RSA_BYTES_MAX], e[4];
    size_t n_len = bytes_of(jwk, "n", n, sizeof(n)), e_len = bytes_of(jwk, "e", e, sizeof(e));
    /* No leading zero; an exponent that is odd and not 1. */
    if (n_len < RSA_BYTES_MIN || !(n[0] & 0x80) || e_len == 0 || e[0] == 0 || !(e[e_len - 1] & 1) ||
        (e_len == 1 && e[0] == 1))
        return NULL;
    BIGNUM *modulus = BN_bin2bn(n, (int)n_len, NULL), *exponent = BN_bin2bn(e, (int)e_len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *parameters = NULL;
    if (modulus && exponent && builder && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY *pkey = make("RSA", parameters);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    BN_free(modulus);
    BN_free(exponent);
    return pkey;
}

/* OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *p256_key(const json_t *jwk)
{
    unsigned char point[1 + 2 * COORDINATE] = {0x04};
    char group[] = "prime256v1";
    if (!bp_str_is(text_of(jwk, "crv"), "P-256") || bytes_of(jwk, "x", point + 1, COORDINATE) != COORDINATE ||
        bytes_of(jwk, "y", point + 1 + COORDINATE, COORDINATE) != COORDINATE)
        return NULL;
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                               OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
                               OSSL_PARAM_construct_end()};
    return make("EC", parameters);
}

static EVP_PKEY *ed25519_key(const json_t *jwk)
{
    unsigned char point[COORDINATE];
    if (!bp_str_is(text_of(jwk, "crv"), "Ed25519") || bytes_of(jwk, "x", point, sizeof(point)) != sizeof(point))
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, point, sizeof(point));
}

bool key_from_jwk(const json_t *jwk, unsigned algorithms, struct key *ret_key)
{
    static const struct {
        const char *kind;
        enum key_algorithm algorithm;
        EVP_PKEY *(*make)(const json_t *jwk);
    } kinds[] = {{"RSA", KEY_RS256, rsa_key}, {"EC", KEY_ES256, p256_key}, {"OKP", KEY_EDDSA, ed25519_key}};
    bp_str id = text_of(jwk, "kid"), kind = text_of(jwk, "kty"), use = text_of(jwk, "use"), alg = text_of(jwk, "alg");
    if (id.len == 0 || id.len > KEY_ID_MAX || memchr(id.ptr, 0, id.len) || (use.ptr && !bp_str_is(use, "sig")))
        return false;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        enum key_algorithm algorithm = kinds[i].algorithm;
        if (!bp_str_is(kind, kinds[i].kind) || !(algorithms & 1u << algorithm) ||
            (alg.ptr && !bp_str_is(alg, key_algorithm_names[algorithm])))
            continue;
        struct key key = {.algorithm = algorithm, .pkey = kinds[i].make(jwk)};
        ERR_clear_error();
        if (!key.pkey)
            return false;
        memcpy(key.id, id.ptr, id.len);
        *ret_key = key;
        return true;
    }
    return false;
}

static json_t *base64_text(const unsigned char *bytes, size_t len)
{
    char text[sodium_base64_ENCODED_LEN(RSA_BYTES_MAX, BASE64)];
    sodium_bin2base64(text, sizeof(text), bytes, len, BASE64);
    return json_string(text);
}

static json_t *number_text(const EVP_PKEY *pkey, const char *name, bool padded)
{
    unsigned char bytes[RSA_BYTES_MAX];
    BIGNUM *number = NULL;
    json_t *text = NULL;
    if (EVP_PKEY_get_bn_param(pkey, name, &number) == 1 && BN_num_bytes(number) <= (int)sizeof(bytes)) {
        int len = BN_bn2binpad(number, bytes, padded ? (int)COORDINATE : BN_num_bytes(number));
        text = len > 0 ? base64_text(bytes, (size_t)len) : NULL;
    }
    BN_free(number);
    return text;
}

static json_t *point_text(const EVP_PKEY *pkey)
{
    unsigned char point[COORDINATE];
    size_t len = sizeof(point);
    return EVP_PKEY_get_raw_public_key(pkey, point, &len) == 1 ? base64_text(point, len) : NULL;
}

json_t *key_to_jwk(const struct key *key)
{
    json_t *members = NULL;
    switch (key->algorithm) {
    case KEY_RS256:
        members = json_pack("{s:s, s:o, s:o}", "kty", "RSA", "n", number_text(key->pkey, OSSL_PKEY_PARAM_RSA_N, false),
                            "e", number_text(key->pkey, OSSL_PKEY_PARAM_RSA_E, false));
        break;
    case KEY_ES256:
        members = json_pack("{s:s, s:s, s:o, s:o}", "kty", "EC", "crv", "P-256", "x",
                            number_text(key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, true), "y",
                            number_text(key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, true));
        break;
    case KEY_EDDSA:
        members = json_pack("{s:s, s:s, s:o}", "kty", "OKP", "crv", "Ed25519", "x", point_text(key->pkey));
        break;
    default:
        return NULL;
    }
    if (members && (json_object_set_new(members, "kid", json_string(key->id)) != 0 ||
                    json_object_set_new(members, "use", json_string("sig")) != 0 ||
                    json_object_set_new(members, "alg", json_string(key_algorithm_names[key->algorithm])) != 0)) {
        json_decref(members);
        return NULL;
    }
    return members;
}
