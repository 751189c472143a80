/* SPDX-License-Identifier: MIT */
#include "token.h"

#include <errno.h>
#include <jansson.h>
#include <jwt.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "backplane/status.h"

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define CLAIMS_TEXT 320

/* Canonical base64url without padding (RFC 7515 2), into JSON. NULL when it is anything else. */
static json_t *decode_part(bp_str part)
{
    unsigned char bytes[TOKEN_MAX];
    size_t len;
    if (part.len == 0 || sodium_base642bin(bytes, sizeof(bytes), part.ptr, part.len, NULL, &len, NULL, BASE64) != 0)
        return NULL;
    return claims_parse(bp_str_n((const char *)bytes, len));
}

static bool split(bp_str token, bp_str ret_parts[3])
{
    const char *first = memchr(token.ptr, '.', token.len);
    if (!first)
        return false;
    const char *end = token.ptr + token.len;
    const char *second = memchr(first + 1, '.', (size_t)(end - first - 1));
    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
        return false;
    ret_parts[0] = bp_str_n(token.ptr, (size_t)(first - token.ptr));
    ret_parts[1] = bp_str_n(first + 1, (size_t)(second - first - 1));
    ret_parts[2] = bp_str_n(second + 1, (size_t)(end - second - 1));
    return true;
}

void token_close(struct token *token)
{
    json_decref(token->header);
    json_decref(token->payload);
}

int token_open(bp_str text, struct token *ret_token)
{
    struct token token = {.text = text};
    bp_str parts[3];
    if (text.len == 0 || text.len > TOKEN_MAX || !split(text, parts))
        return TOKEN_E_MALFORMED;
    if (sodium_base642bin(token.signature, sizeof(token.signature), parts[2].ptr, parts[2].len, NULL,
                          &token.signature_len, NULL, BASE64) != 0 ||
        token.signature_len == 0)
        return TOKEN_E_SIGNATURE;
    token.signed_text = bp_str_n(text.ptr, parts[0].len + 1 + parts[1].len);
    /* The libraries do not tell apart what is wrong and what they had no memory to look at; malloc does. */
    errno = 0;
    token.header = decode_part(parts[0]);
    /* Before the signature is known to be good, because the library reads it before that, unbounded. */
    token.payload = token.header ? decode_part(parts[1]) : NULL;
    /* jansson leaves bytes out, and says nothing, when a text outgrows the memory that there is. */
    bool exhausted = errno == ENOMEM;
    if (!token.payload || exhausted) {
        token_close(&token);
        return exhausted ? BP_NOMEM : TOKEN_E_MALFORMED;
    }
    *ret_token = token;
    return 0;
}

bp_str token_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? bp_str_n(json_string_value(value), json_string_length(value)) : bp_str_n(NULL, 0);
}

bool token_key_id(const struct token *token, bp_str *ret_id)
{
    *ret_id = token_text(token->header, "kid");
    return ret_id->ptr || !json_object_get(token->header, "kid");
}

/* The header is not trusted to choose anything: it must say what we would have done anyway. */
static bool header_fits(const json_t *header, const struct key *key)
{
    bp_str type = token_text(header, "typ");
    if (!bp_str_is(token_text(header, "alg"), key_algorithm_names[key->algorithm]) || json_object_get(header, "crit"))
        return false;
    if (key->foreign &&
        (bp_str_eq_nocase(type, BP_STR("at+jwt")) || bp_str_eq_nocase(type, BP_STR("application/at+jwt"))))
        return true;
    return bp_str_eq_nocase(type, BP_STR("JWT")) || !json_object_get(header, "typ");
}

static bool hmac_valid(bp_str secret, const struct token *token)
{
    char text[TOKEN_MAX + 1];
    memcpy(text, token->text.ptr, token->text.len);
    text[token->text.len] = '\0';
    jwt_t *jwt = NULL;
    /* A key of length 0 would make the library accept unsigned tokens. */
    if (token->signature_len != crypto_auth_hmacsha256_BYTES || secret.len == 0 || secret.len > INT_MAX ||
        jwt_decode(&jwt, text, (const unsigned char *)secret.ptr, (int)secret.len) != 0)
        return false;
    bool valid = jwt_get_alg(jwt) == JWT_ALG_HS256;
    jwt_free(jwt);
    return valid;
}

int token_check_signature(const struct token *token, const struct key *key)
{
    if (!key || !header_fits(token->header, key))
        return TOKEN_E_HEADER;
    errno = 0;
    bool valid = key->algorithm == KEY_HS256
                     ? hmac_valid(key->secret, token)
                     : key_verify(key, token->signed_text, token->signature, token->signature_len);
    if (valid)
        return 0;
    return errno == ENOMEM ? BP_NOMEM : TOKEN_E_SIGNATURE;
}

int token_check_own(const struct key_ring *keys, const struct token *token, bp_date now, struct claims *ret_claims)
{
    bp_str id;
    if (!token_key_id(token, &id))
        return TOKEN_E_HEADER;
    int status = token_check_signature(token, key_ring_find(keys, id));
    if (status != 0)
        return status;
    /* Ours say neither: what does was made for somebody else, or by him (RFC 8725 3.8, 3.9). */
    if (json_object_get(token->payload, "iss") || json_object_get(token->payload, "aud"))
        return TOKEN_E_ISSUER;
    return claims_check(token->payload, now, ret_claims);
}

int token_verify(const struct key_ring *keys, bp_str text, bp_date now, struct claims *ret_claims)
{
    struct token token;
    int status = token_open(text, &token);
    if (status != 0)
        return status;
    status = token_check_own(keys, &token, now, ret_claims);
    token_close(&token);
    return status;
}

/* By the library. To be free()d; NULL when out of memory. */
static char *sign_hmac(const struct key *key, const char *claims)
{
    jwt_t *jwt = NULL;
    char *text = NULL;
    if (jwt_new(&jwt) == 0 && jwt_add_grants_json(jwt, claims) == 0 &&
        jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)key->secret.ptr, (int)key->secret.len) == 0 &&
        (key->id[0] == '\0' || jwt_add_header(jwt, "kid", key->id) == 0))
        text = jwt_encode_str(jwt);
    if (jwt)
        jwt_free(jwt);
    return text;
}

static void add_base64(char **at, const void *bytes, size_t len)
{
    size_t size = sodium_base64_ENCODED_LEN(len, BASE64);
    sodium_bin2base64(*at, size, bytes, len, BASE64);
    *at += size - 1;
}

static char *sign_pkey(const struct key *key, const char *claims)
{
    unsigned char signature[KEY_SIGNATURE_MAX];
    char header[KEY_ID_MAX + 64], *text = malloc(TOKEN_MAX), *at = text;
    size_t len;
    if (!text)
        return NULL;
    int header_len = snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
                              key_algorithm_names[key->algorithm], key->id);
    add_base64(&at, header, (size_t)header_len);
    *at++ = '.';
    add_base64(&at, claims, strlen(claims));
    if (!key_sign(key, bp_str_n(text, (size_t)(at - text)), signature, &len)) {
        free(text);
        return NULL;
    }
    *at++ = '.';
    add_base64(&at, signature, len);
    return text;
}

int token_make(const struct key *key, const bp_uuid *user_id, const bp_uuid *session_id, bp_date now, bp_span lifetime,
               struct bp_arena *arena, bp_str *ret_token)
{
    char id[BP_UUID_LEN + 1] = {0}, session[BP_UUID_LEN + 1] = {0}, claims[CLAIMS_TEXT];
    bp_uuid_format(user_id, id);
    bp_uuid_format(session_id, session);
    long long issued = now / 1000;
    (void)snprintf(claims, sizeof(claims), "{\"id\":\"%s\",\"sub\":\"%s\",\"sid\":\"%s\",\"iat\":%lld,\"exp\":%lld}",
                   id, id, session, issued, issued + (long long)(lifetime / BP_SECOND));
    char *text = key->algorithm == KEY_HS256 ? sign_hmac(key, claims) : sign_pkey(key, claims);
    bp_str token = text ? bp_arena_copy(arena, bp_str_of(text)) : bp_str_n(NULL, 0);
    free(text);
    if (!token.ptr)
        return BP_NOMEM;
    *ret_token = token;
    return 0;
}

bool bearer_token(bp_str authorization, bp_str *ret_token)
{
    const bp_str scheme = BP_STR("Bearer");
    if (!authorization.ptr || authorization.len <= scheme.len || authorization.ptr[scheme.len] != ' ' ||
        !bp_str_eq_nocase(bp_str_n(authorization.ptr, scheme.len), scheme))
        return false;
    bp_str token = bp_str_trim(bp_str_n(authorization.ptr + scheme.len, authorization.len - scheme.len));
    if (token.len == 0)
        return false;
    *ret_token = token;
    return true;
}
