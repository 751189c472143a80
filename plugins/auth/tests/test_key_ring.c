/* SPDX-License-Identifier: MIT */
/* Keys with names: who signs, who verifies, and every known way to confuse the two. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "token.h"

#define ID "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f"
#define NOW INT64_C(1800000000000)
#define CLAIMS "{\"id\":\"" ID "\",\"sub\":\"" ID "\",\"iat\":1799999999,\"exp\":1800003600}"
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static char *pem_of(EVP_PKEY *pkey, bool is_private)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes, *text;
    cr_assert_eq(is_private ? PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)
                            : PEM_write_bio_PUBKEY(bio, pkey),
                 1);
    long len = BIO_get_mem_data(bio, &bytes);
    text = strndup(bytes, (size_t)len);
    BIO_free(bio);
    return text;
}

struct pair {
    char *private, *public;
};

static struct pair pair_of(EVP_PKEY *pkey)
{
    cr_assert(pkey);
    struct pair pair = {pem_of(pkey, true), pem_of(pkey, false)};
    EVP_PKEY_free(pkey);
    return pair;
}

static struct pair rsa, p256, p384, ed25519, small;

static void make_keys(void)
{
    rsa = pair_of(EVP_RSA_gen(2048));
    small = pair_of(EVP_RSA_gen(1024));
    p256 = pair_of(EVP_EC_gen("P-256"));
    p384 = pair_of(EVP_EC_gen("P-384"));
    ed25519 = pair_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}

static bp_str token_of(const struct key *key, struct bp_arena *arena)
{
    bp_uuid id;
    bp_str token;
    cr_assert(bp_uuid_parse(BP_STR(ID), &id));
    cr_assert_eq(token_make(key, &id, &id, NOW, BP_HOUR, arena, &token), 0);
    return token;
}

/* Any header over these claims, with this signature. */
static bp_str assemble(struct bp_arena *arena, const char *header, const unsigned char *signature, size_t len)
{
    char first[512], second[512], third[1024];
    sodium_bin2base64(first, sizeof(first), (const unsigned char *)header, strlen(header), BASE64);
    sodium_bin2base64(second, sizeof(second), (const unsigned char *)CLAIMS, strlen(CLAIMS), BASE64);
    sodium_bin2base64(third, sizeof(third), signature, len, BASE64);
    return bp_arena_printf(arena, "%s.%s.%s", first, second, third);
}

static bp_str hmac_token(struct bp_arena *arena, const char *header, const char *key, size_t key_len)
{
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    bp_str unsigned_token = assemble(arena, header, (const unsigned char *)"", 0);
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)key, key_len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)unsigned_token.ptr, unsigned_token.len - 1);
    crypto_auth_hmacsha256_final(&state, mac);
    return assemble(arena, header, mac, sizeof(mac));
}

static void ring_of(struct key_ring *ring, const struct key_option *options, size_t count)
{
    size_t index;
    *ring = (struct key_ring){.count = 0};
    const char *problem = key_ring_init(ring, options, count, &index);
    cr_assert_null(problem, "%s", problem);
}

Test(key_ring, first_signs_all_verify)
{
    make_keys();
    struct bp_arena *arena = arena_new();
    const struct key_option options[] = {
        {BP_STR("es"), KEY_ES256, bp_str_of(p256.private), BP_STR(""), BP_STR("")},
        {BP_STR("rs"), KEY_RS256, bp_str_of(rsa.private), BP_STR(""), BP_STR("")},
        {BP_STR("ed"), KEY_EDDSA, bp_str_of(ed25519.private), BP_STR(""), BP_STR("")},
        {BP_STR("hs"), KEY_HS256, BP_STR(""), BP_STR(""), BP_STR("a secret that only we two know!!")},
    };
    struct key_ring ring;
    struct claims claims;
    ring_of(&ring, options, 4);
    cr_expect_str_eq(key_ring_signer(&ring)->id, "es");
    for (size_t i = 0; i < ring.count; i++) {
        bp_str token = token_of(&ring.keys[i], arena);
        cr_expect_eq(token_verify(&ring, token, NOW, &claims), 0, "%s", ring.keys[i].id);
        cr_expect_eq(claims.expires, NOW + 3600000);
        /* Nobody else's signature will do, whatever bit of it changes. */
        char *changed = strdup(token.ptr);
        size_t at = (size_t)(strrchr(changed, '.') - changed) + 5;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        cr_expect_eq(token_verify(&ring, bp_str_of(changed), NOW, &claims), TOKEN_E_SIGNATURE, "%s", ring.keys[i].id);
        free(changed);
    }
    /* What the library makes of the same keys is understood, and what we make the library understands. */
    const struct {
        jwt_alg_t algorithm;
        const char *kid;
        const struct pair *pair;
    } others[] = {{JWT_ALG_ES256, "es", &p256}, {JWT_ALG_RS256, "rs", &rsa}};
    for (size_t i = 0; i < 2; i++) {
        jwt_t *jwt;
        cr_assert_eq(jwt_new(&jwt), 0);
        cr_assert_eq(jwt_add_grants_json(jwt, CLAIMS), 0);
        cr_assert_eq(jwt_add_header(jwt, "kid", others[i].kid), 0);
        cr_assert_eq(jwt_set_alg(jwt, others[i].algorithm, (const unsigned char *)others[i].pair->private,
                                 (int)strlen(others[i].pair->private)),
                     0);
        char *text = jwt_encode_str(jwt);
        cr_expect_eq(token_verify(&ring, bp_str_of(text), NOW, &claims), 0, "%s", text);
        free(text);
        jwt_free(jwt);
        bp_str ours = token_of(key_ring_find(&ring, bp_str_of(others[i].kid)), arena);
        cr_expect_eq(jwt_decode(&jwt, ours.ptr, (const unsigned char *)others[i].pair->public,
                                (int)strlen(others[i].pair->public)),
                     0);
        cr_expect_str_eq((char *)jwt_get_header(jwt, "kid"), others[i].kid);
        jwt_free(jwt);
    }
    /* A retired key: the public part verifies what the private one signed. */
    const struct key_option retired[] = {
        {BP_STR("new"), KEY_EDDSA, bp_str_of(ed25519.private), BP_STR(""), BP_STR("")},
        {BP_STR("es"), KEY_ES256, BP_STR(""), bp_str_of(p256.public), BP_STR("")},
    };
    struct key_ring after;
    ring_of(&after, retired, 2);
    cr_expect_eq(token_verify(&after, token_of(&ring.keys[0], arena), NOW, &claims), 0);
    cr_expect_eq(token_verify(&after, token_of(&ring.keys[1], arena), NOW, &claims), TOKEN_E_HEADER);
    key_ring_deinit(&after);
    key_ring_deinit(&ring);
    arena_free(arena);
}

/* Algorithm confusion (RFC 8725 2.1): the header names another algorithm than its key has. */
Test(key_ring, confusion)
{
    make_keys();
    struct bp_arena *arena = arena_new();
    const struct key_option options[] = {
        {BP_STR("rs"), KEY_RS256, bp_str_of(rsa.private), BP_STR(""), BP_STR("")},
        {BP_STR("es"), KEY_ES256, BP_STR(""), bp_str_of(p256.public), BP_STR("")},
        {BP_STR("ed"), KEY_EDDSA, BP_STR(""), bp_str_of(ed25519.public), BP_STR("")},
    };
    struct key_ring ring;
    struct claims claims;
    ring_of(&ring, options, 3);
    static const unsigned char zeroes[512];
    const struct {
        const char *header, *key; /* HS256 over this key */
    } macs[] = {
        {"{\"alg\":\"HS256\",\"kid\":\"rs\"}", rsa.public},
        {"{\"alg\":\"RS256\",\"kid\":\"rs\"}", rsa.public},
        {"{\"alg\":\"HS256\",\"kid\":\"es\"}", p256.public},
        {"{\"alg\":\"ES256\",\"kid\":\"es\"}", p256.public},
        {"{\"alg\":\"HS256\",\"kid\":\"ed\"}", ed25519.public},
        {"{\"alg\":\"HS256\"}", rsa.public},
        {"{\"alg\":\"HS256\",\"kid\":\"\"}", rsa.public},
        {"{\"alg\":\"HS256\"}", ""},
        {"{\"alg\":\"HS256\",\"kid\":null}", ""},
        {"{\"alg\":\"HS256\",\"kid\":[\"rs\"]}", rsa.public},
    };
    for (size_t i = 0; i < sizeof(macs) / sizeof(macs[0]); i++) {
        bp_str token = hmac_token(arena, macs[i].header, macs[i].key, strlen(macs[i].key));
        cr_expect(token_verify(&ring, token, NOW, &claims) > 0, "%s", macs[i].header);
    }
    const struct {
        const char *header;
        size_t len; /* of zeroes as the signature */
    } others[] = {
        {"{\"alg\":\"none\",\"kid\":\"rs\"}", 1},
        {"{\"alg\":\"none\"}", 1},
        {"{\"alg\":\"ES256\",\"kid\":\"es\"}", 64}, /* CVE-2022-21449: r and s are 0 */
        {"{\"alg\":\"ES256\",\"kid\":\"es\"}", 63},
        {"{\"alg\":\"ES256\",\"kid\":\"es\"}", 96},
        {"{\"alg\":\"ES384\",\"kid\":\"es\"}", 96},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", 64},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", 65},
        {"{\"alg\":\"EdDSA\",\"kid\":\"es\"}", 64},
        {"{\"alg\":\"RS256\",\"kid\":\"rs\"}", 256},
        {"{\"alg\":\"RS256\",\"kid\":\"rs\"}", 128},
        {"{\"alg\":\"RS256\",\"kid\":\"rs\"}", 512},
        {"{\"alg\":\"PS256\",\"kid\":\"rs\"}", 256},
        {"{\"alg\":\"RS512\",\"kid\":\"rs\"}", 256},
        {"{\"alg\":\"RS256\",\"kid\":\"RS\"}", 256},
        {"{\"alg\":\"RS256\",\"kid\":\"rs\\u0000\"}", 256},
        {"{\"alg\":\"RS256\",\"kid\":\"../rs\"}", 256},
        {"{\"alg\":\"RS256\",\"kid\":\"rs' OR 1=1\"}", 256},
        {"{\"alg\":\"RS256\",\"kid\":\"rs\",\"crit\":[\"exp\"]}", 256},
        {"{\"alg\":\"RS256\",\"jwk\":{\"kty\":\"RSA\"}}", 256},
        {"{\"alg\":\"RS256\",\"jku\":\"https://attacker.example/jwks\"}", 256},
        {"{\"alg\":\"RS256\",\"x5u\":\"https://attacker.example/x\"}", 256},
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        int status = token_verify(&ring, assemble(arena, others[i].header, zeroes, others[i].len), NOW, &claims);
        cr_expect(status > 0, "%s %zu: %d", others[i].header, others[i].len, status);
    }
    /* A DER signature of the right key, which is not the form that tokens have. */
    unsigned char raw[KEY_SIGNATURE_MAX];
    size_t len;
    struct key signer;
    cr_assert_null(key_from_pem(KEY_ES256, bp_str_of(p256.private), true, &signer));
    cr_assert(key_sign(&signer, BP_STR("text"), raw, &len));
    cr_expect_eq(len, 64);
    cr_expect(key_verify(&signer, BP_STR("text"), raw, 64));
    cr_expect_not(key_verify(&signer, BP_STR("texT"), raw, 64));
    cr_expect_not(key_verify(&signer, BP_STR("text"), raw, 63));
    key_deinit(&signer);
    key_ring_deinit(&ring);
    arena_free(arena);
}

Test(key_ring, refused_keys)
{
    make_keys();
    const bp_str none = BP_STR("");
    const struct {
        struct key_option option;
        const char *problem;
    } cases[] = {
        {{BP_STR("a"), KEY_RS256, bp_str_of(small.private), none, none},
         "must be an RSA key of 2048 to 4096 bits for RS256"},
        {{BP_STR("a"), KEY_RS256, bp_str_of(p256.private), none, none},
         "must be an RSA key of 2048 to 4096 bits for RS256"},
        {{BP_STR("a"), KEY_ES256, bp_str_of(p384.private), none, none},
         "must be a key of the curve P-256 (prime256v1) for ES256"},
        {{BP_STR("a"), KEY_ES256, bp_str_of(rsa.private), none, none},
         "must be a key of the curve P-256 (prime256v1) for ES256"},
        {{BP_STR("a"), KEY_EDDSA, bp_str_of(p256.private), none, none}, "must be an Ed25519 key for EdDSA"},
        {{BP_STR("a"), KEY_ES256, BP_STR("x"), none, none}, "must be a private key in PEM, without a password"},
        {{BP_STR("a"), KEY_ES256, bp_str_of(p256.public), none, none},
         "must be a private key in PEM, without a password"},
        {{BP_STR("a"), KEY_ES256, none, bp_str_of(p256.public), none}, "must have a private_key: the first key signs"},
        {{BP_STR("a"), KEY_ES256, none, BP_STR("x"), none}, "must be a public key in PEM"},
        {{BP_STR("a"), KEY_ES256, none, none, none}, "must have either a private_key or a public_key"},
        {{BP_STR("a"), KEY_ES256, none, none, BP_STR("a secret of more than 32 characters")},
         "must have either a private_key or a public_key"},
        {{BP_STR("a"), KEY_HS256, none, none, BP_STR("short")}, "must have a secret of at least 32 characters"},
        {{BP_STR("a"), KEY_HS256, bp_str_of(p256.private), none, none},
         "must have a secret, and no other key, for HS256"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct key_ring ring = {.count = 0};
        size_t index = 7;
        const char *problem = key_ring_init(&ring, &cases[i].option, 1, &index);
        cr_expect_str_eq(problem ? problem : "", cases[i].problem);
        cr_expect_eq(index, 0);
        cr_expect_eq(ring.count, 0);
        key_ring_deinit(&ring);
    }
    const struct key_option twice[] = {{BP_STR("a"), KEY_ES256, bp_str_of(p256.private), none, none},
                                       {BP_STR("a"), KEY_EDDSA, bp_str_of(ed25519.private), none, none}};
    struct key_ring ring = {.count = 0};
    size_t index;
    cr_expect_str_eq(key_ring_init(&ring, twice, 2, &index), "must have a kid of its own");
    cr_expect_eq(index, 1);
    key_ring_deinit(&ring);
}

/* The document: only public parts, and as good as the keys themselves. */
Test(key_ring, published)
{
    make_keys();
    struct bp_arena *arena = arena_new();
    const struct key_option options[] = {
        {BP_STR("es"), KEY_ES256, bp_str_of(p256.private), BP_STR(""), BP_STR("")},
        {BP_STR("rs"), KEY_RS256, BP_STR(""), bp_str_of(rsa.public), BP_STR("")},
        {BP_STR("ed"), KEY_EDDSA, bp_str_of(ed25519.private), BP_STR(""), BP_STR("")},
        {BP_STR("hs"), KEY_HS256, BP_STR(""), BP_STR(""), BP_STR("a secret that only we two know!!")},
    };
    static const char *const secrets[] = {"d", "p", "q", "dp", "dq", "qi", "k"};
    struct key_ring ring;
    ring_of(&ring, options, 4);
    char *text = key_ring_public(&ring);
    json_t *set = json_loads(text, 0, NULL), *entry;
    size_t i;
    cr_assert_eq(json_array_size(json_object_get(set, "keys")), 3, "%s", text);
    cr_expect_null(strstr(text, "secret"));
    json_array_foreach(json_object_get(set, "keys"), i, entry)
    {
        for (size_t n = 0; n < sizeof(secrets) / sizeof(secrets[0]); n++)
            cr_expect_null(json_object_get(entry, secrets[n]), "%s", text);
        cr_expect_str_eq(json_string_value(json_object_get(entry, "kid")), options[i].kid.ptr);
        cr_expect_str_eq(json_string_value(json_object_get(entry, "use")), "sig");
        cr_expect_str_eq(json_string_value(json_object_get(entry, "alg")), key_algorithm_names[options[i].algorithm]);
        struct key key;
        cr_expect_not(key_from_jwk(entry, 1u << KEY_HS256, &key));
        cr_assert(key_from_jwk(entry, ~0u, &key), "%s", text);
        cr_expect_str_eq(key.id, options[i].kid.ptr);
        cr_expect_not(key.signs);
        if (ring.keys[i].signs) {
            unsigned char signature[KEY_SIGNATURE_MAX];
            size_t len;
            cr_assert(key_sign(&ring.keys[i], BP_STR("text"), signature, &len));
            cr_expect(key_verify(&key, BP_STR("text"), signature, len));
            cr_expect_not(key_sign(&key, BP_STR("text"), signature, &len));
        }
        key_deinit(&key);
    }
    json_decref(set);
    free(text);
    key_ring_deinit(&ring);
    arena_free(arena);
}

/* What a set of somebody else's may hold, and must not be taken. */
Test(key_ring, unsound_jwks)
{
#define POINT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    static const char *const entries[] = {
        "{}",
        "[]",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" POINT "\",\"y\":\"" POINT "\"}",
        "{\"kid\":\"a\",\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" POINT "\",\"y\":\"" POINT
        "\"}", /* not on the curve */
        "{\"kid\":\"a\",\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" POINT "\",\"y\":\"" POINT "\"}",
        "{\"kid\":\"a\",\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" POINT "\"}",
        "{\"kid\":\"a\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
        "{\"kid\":\"a\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" POINT "\",\"use\":\"enc\"}",
        "{\"kid\":\"a\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" POINT "\",\"alg\":\"ES256\"}",
        "{\"kid\":7,\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" POINT "\"}",
        "{\"kid\":\"\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" POINT "\"}",
        "{\"kid\":\"a\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kid\":\"a\",\"kty\":\"RSA\",\"n\":\"!!\",\"e\":\"AQ\"}",
        "{\"kid\":\"a\",\"kty\":\"oct\",\"k\":\"AAAA\"}",
    };
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        struct key key;
        json_t *entry = json_loads(entries[i], 0, NULL);
        cr_assert(entry, "%s", entries[i]);
        cr_expect_not(key_from_jwk(entry, ~0u, &key), "%s", entries[i]);
        json_decref(entry);
    }
}
