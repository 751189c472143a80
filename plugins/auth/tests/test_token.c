/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <jwt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "token.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define ID "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f"
#define NOW INT64_C(1800000000000)
#define CLAIMS "{\"id\":\"" ID "\",\"sub\":\"" ID "\",\"iat\":1799999999,\"exp\":1800003600}"
#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"

static const struct key secret_key = {.algorithm = KEY_HS256, .secret = BP_STR_INIT(SECRET), .signs = true};
static const struct key_ring ring = {
    .default_key = {.algorithm = KEY_HS256, .secret = BP_STR_INIT(SECRET), .signs = true}};

static char *base64(const void *bytes, size_t len)
{
    size_t size = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = malloc(size);
    sodium_bin2base64(text, size, bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return text;
}

/* A token with any header and payload, signed by HS256 with the key, whatever the header says. */
static char *forge(const char *header, const char *payload, const char *key)
{
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    char *first = base64(header, strlen(header)), *second = base64(payload, strlen(payload)), *token, *signature;
    cr_assert(asprintf(&token, "%s.%s", first, second) > 0);
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)key, strlen(key));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)token, strlen(token));
    crypto_auth_hmacsha256_final(&state, mac);
    signature = base64(mac, sizeof(mac));
    token = realloc(token, strlen(token) + strlen(signature) + 2);
    strcat(strcat(token, "."), signature);
    free(first);
    free(second);
    free(signature);
    return token;
}

static int verify(const char *token)
{
    struct claims claims;
    return token_verify(&ring, bp_str_of(token), NOW, &claims);
}

Test(token, made_is_verified)
{
    struct bp_arena *arena = arena_new();
    bp_uuid id = bp_uuid_new(), session = bp_uuid_new();
    bp_str token;
    struct claims claims;
    cr_assert_eq(token_make(&secret_key, &id, &session, NOW + 999, 90 * BP_SECOND, arena, &token), 0);
    cr_assert_eq(token_verify(&ring, token, NOW, &claims), 0);
    cr_expect(bp_uuid_eq(&claims.user_id, &id));
    cr_expect(claims.has_session);
    cr_expect(bp_uuid_eq(&claims.session_id, &session));
    cr_expect_eq(claims.issued, NOW);
    cr_expect_eq(claims.expires, NOW + 90000);
    cr_expect_eq(token_verify(&ring, token, NOW + 89999, &claims), 0);
    cr_expect_eq(token_verify(&ring, token, NOW + 90000, &claims), CLAIMS_E_EXPIRED);
    const struct key_ring other = {
        .default_key = {.algorithm = KEY_HS256, .secret = BP_STR_INIT("another secret of 32 characters!")}};
    const struct key_ring none = {.count = 0};
    cr_expect_eq(token_verify(&other, token, NOW, &claims), TOKEN_E_SIGNATURE);
    cr_expect_eq(token_verify(&none, token, NOW, &claims), TOKEN_E_HEADER);
    arena_free(arena);
}

Test(token, own_claims)
{
    struct bp_arena *arena = arena_new();
    bp_uuid id;
    bp_str token;
    jwt_t *jwt;
    cr_assert(bp_uuid_parse(BP_STR(ID), &id));
    cr_assert_eq(token_make(&secret_key, &id, &id, NOW, BP_HOUR, arena, &token), 0);
    cr_assert_eq(jwt_decode(&jwt, token.ptr, (const unsigned char *)SECRET, sizeof(SECRET) - 1), 0);
    cr_expect_str_eq((char *)jwt_get_grant(jwt, "id"), ID);
    cr_expect_str_eq((char *)jwt_get_grant(jwt, "sub"), ID);
    cr_expect_str_eq((char *)jwt_get_grant(jwt, "sid"), ID);
    cr_expect_eq(jwt_get_grant_int(jwt, "iat"), 1800000000);
    cr_expect_eq(jwt_get_grant_int(jwt, "exp"), 1800003600);
    cr_expect_str_eq((char *)jwt_get_header(jwt, "alg"), "HS256");
    jwt_free(jwt);
    arena_free(arena);
}

static const struct {
    const char *header, *payload;
    int status;
} forged[] = {
    {HEADER, CLAIMS, 0},
    {"{\"alg\":\"HS256\"}", CLAIMS, 0},
    {"{\"typ\":\"jwt\",\"alg\":\"HS256\"}", CLAIMS, 0},
    {"{\"alg\":\"none\"}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"None\"}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"\"}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"hs256\"}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"HS384\"}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"HS512\"}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"RS256\"}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"ES256\"}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":[\"HS256\"]}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":null}", CLAIMS, TOKEN_E_HEADER},
    {"{}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"HS256\",\"typ\":7}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"HS256\",\"crit\":[]}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"HS256\",\"kid\":\"other\"}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"HS256\",\"kid\":\"\"}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}", CLAIMS, TOKEN_E_HEADER},
    {"{\"alg\":\"none\",\"alg\":\"HS256\"}", CLAIMS, TOKEN_E_MALFORMED},
    {"[\"HS256\"]", CLAIMS, TOKEN_E_MALFORMED},
    {"x", CLAIMS, TOKEN_E_MALFORMED},
    {HEADER, "x", TOKEN_E_MALFORMED},
    {HEADER, "[]", TOKEN_E_MALFORMED},
    {HEADER, "{}", CLAIMS_E_IDENTITY},
    {HEADER, "{\"id\":\"" ID "\"}", CLAIMS_E_DATES},
    {HEADER, "{\"id\":\"" ID "\",\"exp\":\"1800003600\"}", CLAIMS_E_DATES},
    {HEADER, "{\"id\":\"" ID "\",\"exp\":1800000000}", CLAIMS_E_EXPIRED},
    {HEADER, "{\"id\":\"" ID "\",\"exp\":1800003600,\"iss\":\"https://accounts.example.com\"}", TOKEN_E_ISSUER},
    {HEADER, "{\"id\":\"" ID "\",\"exp\":1800003600,\"aud\":[\"x\"]}", TOKEN_E_ISSUER},
    {HEADER, "{\"id\":7,\"exp\":1800003600}", CLAIMS_E_IDENTITY},
    {HEADER, "{\"id\":\"" ID "\",\"sub\":\"x\",\"exp\":1800003600}", CLAIMS_E_IDENTITY},
};

Test(token, forged)
{
    for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        char *token = forge(forged[i].header, forged[i].payload, SECRET);
        int status = verify(token);
        cr_expect(status == forged[i].status, "%s %s: %d, not %d", forged[i].header, forged[i].payload, status,
                  forged[i].status);
        free(token);
    }
}

/* Signed with other algorithms and the very secret, by the library itself. */
Test(token, other_algorithms)
{
    static const jwt_alg_t algorithms[] = {JWT_ALG_NONE, JWT_ALG_HS384, JWT_ALG_HS512};
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        jwt_t *jwt;
        cr_assert_eq(jwt_new(&jwt), 0);
        cr_assert_eq(jwt_add_grants_json(jwt, CLAIMS), 0);
        bool unsigned_token = algorithms[i] == JWT_ALG_NONE;
        cr_assert_eq(jwt_set_alg(jwt, algorithms[i], unsigned_token ? NULL : (const unsigned char *)SECRET,
                                 unsigned_token ? 0 : (int)sizeof(SECRET) - 1),
                     0);
        char *token = jwt_encode_str(jwt);
        int status = verify(token);
        cr_expect(status == TOKEN_E_HEADER || status == TOKEN_E_SIGNATURE, "%s: %d", token, status);
        free(token);
        jwt_free(jwt);
    }
}

static void expect_refused(const char *what, const char *token)
{
    cr_expect(verify(token) > 0, "%s: %s", what, token);
}

Test(token, tampered)
{
    char *good = forge(HEADER, CLAIMS, SECRET), *other = forge(HEADER, CLAIMS, "another secret of 32 characters!");
    size_t len = strlen(good);
    char text[TOKEN_MAX + 64];
    cr_assert_eq(verify(good), 0);
    cr_expect_eq(verify(other), TOKEN_E_SIGNATURE);

    /* Every shorter one. */
    for (size_t cut = 0; cut < len; cut++) {
        memcpy(text, good, cut);
        text[cut] = '\0';
        expect_refused("cut", text);
    }
    /* Every single character changed. In the last one only canonical bits count, and the others are refused too. */
    for (size_t i = 0; i < len; i++) {
        strcpy(text, good);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        expect_refused("changed", text);
    }
    static const char *const endings[] = {"=", "==", ".", "..", ".x", " ", "\n", "A", "AAAA", "%3D"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(text, sizeof(text), "%s%s", good, endings[i]);
        expect_refused("more at the end", text);
        snprintf(text, sizeof(text), "%s%s", endings[i], good);
        expect_refused("more at the beginning", text);
        /* Behind the header, before the first dot. */
        size_t dot = strcspn(good, ".");
        snprintf(text, sizeof(text), "%.*s%s%s", (int)dot, good, endings[i], good + dot);
        expect_refused("more in the header", text);
    }
    /* Without its signature. */
    size_t payload_end = (size_t)(strrchr(good, '.') - good);
    snprintf(text, sizeof(text), "%.*s.", (int)payload_end, good);
    expect_refused("no signature", text);
    snprintf(text, sizeof(text), "%.*s", (int)payload_end, good);
    expect_refused("two parts", text);
    /* Too long to be looked at. */
    memset(text, 'A', TOKEN_MAX + 1);
    text[TOKEN_MAX + 1] = '\0';
    cr_expect_eq(verify(text), TOKEN_E_MALFORMED);
    free(good);
    free(other);
}

Test(token, deeply_nested)
{
    char payload[2600];
    size_t len = (size_t)snprintf(payload, sizeof(payload), "{\"id\":\"" ID "\",\"exp\":1800003600,\"x\":");
    memset(payload + len, '[', 2400);
    payload[len + 2400] = '\0';
    char *token = forge(HEADER, payload, SECRET);
    cr_expect_eq(verify(token), TOKEN_E_MALFORMED);
    free(token);
}

static const struct {
    const char *field, *token; /* token NULL: there is none */
} fields[] = {
    {"Bearer abc", "abc"},      {"bearer abc", "abc"}, {"BEARER abc", "abc"},
    {"Bearer   abc  ", "abc"},  {"Bearer a b", "a b"}, {"", NULL},
    {"Bearer", NULL},           {"Bearer ", NULL},     {"Bearer    ", NULL},
    {"Bearerabc", NULL},        {"Basic abc", NULL},   {"abc", NULL},
    {"Token Bearer abc", NULL}, {" Bearer abc", NULL},
};

Test(token, bearer)
{
    bp_str token;
    cr_expect_not(bearer_token(bp_str_n(NULL, 0), &token));
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        bool found = bearer_token(bp_str_of(fields[i].field), &token);
        cr_expect(found == (fields[i].token != NULL), "\"%s\"", fields[i].field);
        if (found)
            cr_expect(bp_str_is(token, fields[i].token), "\"%s\"", fields[i].field);
    }
}
