/* SPDX-License-Identifier: MIT */
#include "key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define HALF 32 /* bytes of r, and of s */

const char *const key_algorithm_names[] = {"HS256", "RS256", "ES256", "EdDSA", NULL};

/* A key that is encrypted is refused; OpenSSL would ask for its password at the terminal. */
static int no_password(char *buffer, int size, int writing, void *argument)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)argument;
    return -1;
}

static const char *check_kind(enum key_algorithm algorithm, const EVP_PKEY *pkey)
{
    char group[32] = "";
    size_t len;
    switch (algorithm) {
    case KEY_RS256:
        if (!EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_get_bits(pkey) < RSA_BITS_MIN ||
            EVP_PKEY_get_bits(pkey) > RSA_BITS_MAX)
            return "must be an RSA key of 2048 to 4096 bits for RS256";
        return NULL;
    case KEY_ES256:
        if (!EVP_PKEY_is_a(pkey, "EC") || EVP_PKEY_get_group_name(pkey, group, sizeof(group), &len) != 1 ||
            !bp_str_is(bp_str_n(group, len), "prime256v1"))
            return "must be a key of the curve P-256 (prime256v1) for ES256";
        return NULL;
    case KEY_EDDSA:
        return EVP_PKEY_is_a(pkey, "ED25519") ? NULL : "must be an Ed25519 key for EdDSA";
    default:
        return "must be a secret for HS256";
    }
}

const char *key_from_pem(enum key_algorithm algorithm, bp_str pem, bool is_private, struct key *ret_key)
{
    BIO *bio = pem.len > 0 && pem.len < INT32_MAX ? BIO_new_mem_buf(pem.ptr, (int)pem.len) : NULL;
    EVP_PKEY *pkey = NULL;
    if (bio)
        pkey = is_private ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
                          : PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
    BIO_free(bio);
    ERR_clear_error();
    if (!pkey)
        return is_private ? "must be a private key in PEM, without a password" : "must be a public key in PEM";
    const char *problem = check_kind(algorithm, pkey);
    if (problem) {
        EVP_PKEY_free(pkey);
        return problem;
    }
    *ret_key = (struct key){.algorithm = algorithm, .pkey = pkey, .signs = is_private};
    return NULL;
}

void key_deinit(struct key *key)
{
    EVP_PKEY_free(key->pkey);
    key->pkey = NULL;
}

static const EVP_MD *digest_of(const struct key *key)
{
    return key->algorithm == KEY_EDDSA ? NULL : EVP_sha256();
}

/* Between the two forms of an ECDSA signature: DER, and r and s behind one another. */
static bool ecdsa_from_der(const unsigned char *der, size_t der_len, unsigned char ret_raw[2 * HALF])
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
    bool fits = pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), ret_raw, HALF) == HALF &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), ret_raw + HALF, HALF) == HALF;
    ECDSA_SIG_free(pair);
    return fits;
}

static bool ecdsa_to_der(const unsigned char raw[2 * HALF], unsigned char ret_der[80], size_t *ret_len)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, HALF, NULL), *s = BN_bin2bn(raw + HALF, HALF, NULL);
    int len = 0;
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* the pair's now */
        len = i2d_ECDSA_SIG(pair, &ret_der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    *ret_len = len > 0 ? (size_t)len : 0;
    return len > 0;
}

bool key_sign(const struct key *key, bp_str text, unsigned char ret_signature[KEY_SIGNATURE_MAX], size_t *ret_len)
{
    unsigned char made[KEY_SIGNATURE_MAX];
    size_t len = sizeof(made);
    EVP_MD_CTX *context = key->signs && key->pkey ? EVP_MD_CTX_new() : NULL;
    bool fine = context && EVP_DigestSignInit(context, NULL, digest_of(key), NULL, key->pkey) == 1 &&
                EVP_DigestSign(context, made, &len, (const unsigned char *)text.ptr, text.len) == 1;
    EVP_MD_CTX_free(context);
    if (fine && key->algorithm == KEY_ES256) {
        fine = ecdsa_from_der(made, len, ret_signature);
        len = (size_t)2 * HALF;
    } else if (fine) {
        memcpy(ret_signature, made, len);
    }
    ERR_clear_error();
    if (fine)
        *ret_len = len;
    return fine;
}

bool key_verify(const struct key *key, bp_str text, const unsigned char *signature, size_t len)
{
    unsigned char der[80];
    if (!key->pkey)
        return false;
    if (key->algorithm == KEY_ES256) {
        if (len != (size_t)2 * HALF || !ecdsa_to_der(signature, der, &len))
            return false;
        signature = der;
    } else if (len != (size_t)EVP_PKEY_get_size(key->pkey)) {
        return false;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool valid = context && EVP_DigestVerifyInit(context, NULL, digest_of(key), NULL, key->pkey) == 1 &&
                 EVP_DigestVerify(context, signature, len, (const unsigned char *)text.ptr, text.len) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return valid;
}
