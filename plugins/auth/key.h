/* SPDX-License-Identifier: MIT */
/*
 * A key that signs or verifies tokens, and the one algorithm it is for: the algorithm belongs to the key, never to the token (RFC
 * 8725 3.1). Asymmetric ones through OpenSSL. Pure.
 */
#ifndef AUTH_KEY_H
#define AUTH_KEY_H

#include <openssl/types.h>

#include "backplane/str.h"

struct json_t;

enum key_algorithm { KEY_HS256, KEY_RS256, KEY_ES256, KEY_EDDSA };
#define KEY_ALGORITHMS 4u

#define KEY_ID_MAX 128u       /* characters of a "kid" */
#define KEY_SIGNATURE_MAX 512 /* bytes: of RSA with 4096 bits */

struct key {
    char id[KEY_ID_MAX + 1]; /* "kid"; "": tokens that name none */
    enum key_algorithm algorithm;
    bp_str secret;  /* HS256; borrowed */
    EVP_PKEY *pkey; /* of the others */
    bool signs;     /* it holds the private part */
    bool foreign;   /* of another issuer, whose tokens may be of the type "at+jwt" (RFC 9068), too */
};

/* "HS256", "RS256", "ES256", "EdDSA": as "alg" says it, and as a table of choices. */
extern const char *const key_algorithm_names[];

/* From PEM: a private key, or a public one, which only verifies. NULL, or what is wrong with it ("must be …"). */
const char *key_from_pem(enum key_algorithm algorithm, bp_str pem, bool is_private, struct key *ret_key);
/* From an entry of a JWK set (RFC 7517) that is meant for signatures of one of the algorithms (bits 1 << enum key_algorithm) and names
 * itself. False when it is not, or is no sound key. */
bool key_from_jwk(const struct json_t *jwk, unsigned algorithms, struct key *ret_key);
/* Accepts zeroes. */
void key_deinit(struct key *key);

/* The public part as a JWK; a new reference. NULL for a secret, or when out of memory. */
struct json_t *key_to_jwk(const struct key *key);

/* Not for HS256. A signature as a token carries it (RFC 7518 3.3, 3.4; RFC 8037 3.1). False when it could not be made. */
bool key_sign(const struct key *key, bp_str text, unsigned char ret_signature[KEY_SIGNATURE_MAX], size_t *ret_len);
bool key_verify(const struct key *key, bp_str text, const unsigned char *signature, size_t len);

#endif
