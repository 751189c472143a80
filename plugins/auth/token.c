/* SPDX-License-Identifier: MIT */
#include "token.h"

#include <errno.h>
#include <jansson.h>
#include <jwt.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>

#include "backplane/status.h"

/* Canonical base64url without padding (RFC 7515 2), into JSON. NULL when it is anything else. */
static json_t *decode_part(bp_str part)
{
    unsigned char bytes[TOKEN_MAX];
    size_t len;
    if (part.len == 0 || sodium_base642bin(bytes, sizeof(bytes), part.ptr, part.len, NULL, &len, NULL,
                                           sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
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

/* The header is not trusted to choose anything: it must say what we would have done anyway. Tokens without "kid" belong
 * to the default key, and there is no other. */
static bool header_accepted(const json_t *header)
{
    const json_t *algorithm = json_object_get(header, "alg"), *type = json_object_get(header, "typ");
    if (!json_is_string(algorithm) ||
        !bp_str_is(bp_str_n(json_string_value(algorithm), json_string_length(algorithm)), "HS256"))
        return false;
    if (type && (!json_is_string(type) ||
                 !bp_str_eq_nocase(bp_str_n(json_string_value(type), json_string_length(type)), BP_STR("JWT"))))
        return false;
    return !json_object_get(header, "crit") && !json_object_get(header, "kid");
}

static bool signature_valid(bp_str secret, bp_str token)
{
    char text[TOKEN_MAX + 1];
    memcpy(text, token.ptr, token.len);
    text[token.len] = '\0';
    jwt_t *jwt = NULL;
    /* A key of length 0 would make the library accept unsigned tokens. */
    if (secret.len == 0 || secret.len > INT_MAX ||
        jwt_decode(&jwt, text, (const unsigned char *)secret.ptr, (int)secret.len) != 0)
        return false;
    bool valid = jwt_get_alg(jwt) == JWT_ALG_HS256;
    jwt_free(jwt);
    return valid;
}

int token_verify(bp_str secret, bp_str token, bp_date now, struct claims *ret_claims)
{
    bp_str parts[3];
    unsigned char signature[crypto_auth_hmacsha256_BYTES];
    size_t signature_len;
    if (token.len == 0 || token.len > TOKEN_MAX || !split(token, parts))
        return TOKEN_E_MALFORMED;
    if (sodium_base642bin(signature, sizeof(signature), parts[2].ptr, parts[2].len, NULL, &signature_len, NULL,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        signature_len != sizeof(signature))
        return TOKEN_E_SIGNATURE;

    /* The libraries do not tell apart what is wrong and what they had no memory to look at; malloc does. */
    errno = 0;
    json_t *header = decode_part(parts[0]);
    /* Before the signature is known to be good, because the library reads it before that, unbounded. */
    json_t *payload = header ? decode_part(parts[1]) : NULL;
    int status = TOKEN_E_MALFORMED;
    if (header && payload)
        status = !header_accepted(header)          ? TOKEN_E_HEADER
                 : !signature_valid(secret, token) ? TOKEN_E_SIGNATURE
                                                   : claims_check(payload, now, ret_claims);
    json_decref(header);
    json_decref(payload);
    return status != 0 && errno == ENOMEM ? BP_NOMEM : status;
}

int token_make(bp_str secret, const bp_uuid *user_id, const bp_uuid *session_id, bp_date now, bp_span lifetime,
               struct bp_arena *arena, bp_str *ret_token)
{
    char id[BP_UUID_LEN + 1] = {0}, sid[BP_UUID_LEN + 1] = {0};
    bp_uuid_format(user_id, id);
    bp_uuid_format(session_id, sid);
    long issued = (long)(now / 1000);
    jwt_t *jwt = NULL;
    char *text = NULL;
    if (jwt_new(&jwt) == 0 && jwt_add_grant(jwt, "id", id) == 0 && jwt_add_grant(jwt, "sub", id) == 0 &&
        jwt_add_grant(jwt, "sid", sid) == 0 && jwt_add_grant_int(jwt, "iat", issued) == 0 &&
        jwt_add_grant_int(jwt, "exp", issued + (long)(lifetime / BP_SECOND)) == 0 &&
        jwt_set_alg(jwt, JWT_ALG_HS256, (const unsigned char *)secret.ptr, (int)secret.len) == 0)
        text = jwt_encode_str(jwt);
    if (jwt)
        jwt_free(jwt);
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
