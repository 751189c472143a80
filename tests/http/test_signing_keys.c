/* SPDX-License-Identifier: MIT */
/* A server with keys of three algorithms, and tokens that mix them up (RFC 8725 2.1). */
#include <criterion/criterion.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/http.h"
#include "tests/support/server.h"

#define TODOS "/api/v1/todos"
#define SECRET "0123456789abcdef0123456789abcdef"
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

enum { OWN_RSA, EDWARDS, OTHER_RSA, OTHER_EDWARDS, RETIRED_RSA, PAIRS };

static struct test_server server;
static EVP_PKEY *pairs[PAIRS];
static char *publics[PAIRS];
static char id[40];

static char *pem_of(EVP_PKEY *key, bool is_private)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes;
    cr_assert_eq(
        is_private ? PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) : PEM_write_bio_PUBKEY(bio, key), 1);
    long len = BIO_get_mem_data(bio, &bytes);
    char *text = strndup(bytes, (size_t)len);
    BIO_free(bio);
    return text;
}

static const char config[] =
    "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1; };\n"
    "plugins: ( { use = \"health\"; }, { use = \"todos\"; }, { use = \"sqlite\"; name = \"main\"; file = \"todo.db\"; "
    "},\n"
    "  { use = \"auth\"; secret = \"" SECRET "\"; keys = (\n"
    "    { kid = \"rs\"; algorithm = \"RS256\"; private_key = \"${RSA_KEY}\"; },\n"
    "    { kid = \"ed\"; algorithm = \"EdDSA\"; private_key = \"${EDWARDS_KEY}\"; },\n"
    "    { kid = \"old\"; algorithm = \"RS256\"; public_key = \"${RETIRED_KEY}\"; } ); } );\n"
    "pipelines: { api = ( \"auth\" ); open = (); };\n"
    "routes: ( { match = \"/health/*\"; pipeline = \"open\"; }, { match = \"/api/v1/auth/*\"; pipeline = \"open\"; },\n"
    "  { match = \"/.well-known/*\"; pipeline = \"open\"; }, { match = \"/*\"; pipeline = \"api\"; } );\n";

static void add_base64(char *to, const void *bytes, size_t len)
{
    char text[1024];
    sodium_bin2base64(text, sizeof(text), bytes, len, BASE64);
    strcat(to, text);
}

static void start(void)
{
    char *environment[4] = {NULL};
    for (size_t i = 0; i < PAIRS; i++) {
        bool edwards = i == EDWARDS || i == OTHER_EDWARDS;
        pairs[i] = edwards ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") : EVP_RSA_gen(2048);
        cr_assert(pairs[i]);
        publics[i] = pem_of(pairs[i], false);
    }
    char *rsa = pem_of(pairs[OWN_RSA], true), *edwards = pem_of(pairs[EDWARDS], true);
    cr_assert(asprintf(&environment[0], "RSA_KEY=%s", rsa) > 0 &&
              asprintf(&environment[1], "EDWARDS_KEY=%s", edwards) > 0 &&
              asprintf(&environment[2], "RETIRED_KEY=%s", publics[RETIRED_RSA]) > 0);
    server_start(&server, &(struct server_options){
                              .config = config,
                              .environment = (const char *[]){environment[0], environment[1], environment[2], NULL}});
    struct http_reply reply;
    http_call(server.port, "POST", "/api/v1/auth/sign-up", NULL,
              "{\"email\":\"ada@example.com\",\"password\":\"Passw0rd!\"}", &reply);
    json_t *root = http_json(&reply);
    cr_assert_eq(reply.status, 201, "%s", reply.body);
    snprintf(id, sizeof(id), "%s", http_json_text(root, "data.id"));
    json_decref(root);
    http_reply_free(&reply);
    free(rsa);
    free(edwards);
    for (size_t i = 0; i < 3; i++)
        free(environment[i]);
}

static void stop(void)
{
    server_stop(&server);
    for (size_t i = 0; i < PAIRS; i++) {
        EVP_PKEY_free(pairs[i]);
        free(publics[i]);
    }
}

/* "<header>.<claims>" of the account, for a minute. */
static void begin_token(char token[4096], const char *header)
{
    char claims[256];
    long now = (long)time(NULL);
    int len = snprintf(claims, sizeof(claims), "{\"id\":\"%s\",\"sub\":\"%s\",\"iat\":%ld,\"exp\":%ld}", id, id, now,
                       now + 60);
    token[0] = '\0';
    add_base64(token, header, strlen(header));
    strcat(token, ".");
    add_base64(token, claims, (size_t)len);
}

static unsigned status_of(char *token, const void *signature, size_t len)
{
    struct http_reply reply;
    char line[4200];
    strcat(token, ".");
    add_base64(token, signature, len);
    snprintf(line, sizeof(line), "Authorization: Bearer %s\r\n", token);
    http_call(server.port, "GET", TODOS, line, NULL, &reply);
    unsigned status = reply.status;
    if (status != 200) {
        json_t *root = http_json(&reply);
        cr_expect_str_eq(http_json_text(root, "message"), "Invalid or expired token");
        cr_expect_str_eq(http_json_text(root, "code"), "auth.invalid_token");
        json_decref(root);
    }
    http_reply_free(&reply);
    return status;
}

static unsigned signed_status(const char *header, EVP_PKEY *key)
{
    char token[4096];
    unsigned char signature[512];
    size_t len = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    begin_token(token, header);
    cr_assert_eq(EVP_DigestSignInit(context, NULL, EVP_PKEY_is_a(key, "RSA") ? EVP_sha256() : NULL, NULL, key), 1);
    cr_assert_eq(EVP_DigestSign(context, signature, &len, (const unsigned char *)token, strlen(token)), 1);
    EVP_MD_CTX_free(context);
    return status_of(token, signature, len);
}

static unsigned keyed_status(const char *header, const void *key, size_t len)
{
    char token[4096];
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    begin_token(token, header);
    crypto_auth_hmacsha256_init(&state, key, len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)token, strlen(token));
    crypto_auth_hmacsha256_final(&state, mac);
    return status_of(token, mac, sizeof(mac));
}

Test(signing_keys, each_with_its_own_algorithm, .init = start, .fini = stop, .timeout = 110)
{
    static const struct {
        const char *header;
        int pair;
        unsigned status;
    } cases[] = {
        {"{\"alg\":\"RS256\",\"kid\":\"rs\"}", OWN_RSA, 200},
        {"{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"ed\"}", EDWARDS, 200},
        {"{\"alg\":\"RS256\",\"kid\":\"old\"}", RETIRED_RSA, 200},
        /* The name of another key, of the same algorithm or of another. */
        {"{\"alg\":\"RS256\",\"kid\":\"old\"}", OWN_RSA, 401},
        {"{\"alg\":\"RS256\",\"kid\":\"rs\"}", RETIRED_RSA, 401},
        {"{\"alg\":\"RS256\",\"kid\":\"ed\"}", OWN_RSA, 401},
        {"{\"alg\":\"EdDSA\",\"kid\":\"rs\"}", EDWARDS, 401},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", OWN_RSA, 401},
        {"{\"alg\":\"RS256\",\"kid\":\"rs\"}", EDWARDS, 401},
        /* Another algorithm than the key's, with its signature. */
        {"{\"alg\":\"EdDSA\",\"kid\":\"rs\"}", OWN_RSA, 401},
        {"{\"alg\":\"RS256\",\"kid\":\"ed\"}", EDWARDS, 401},
        {"{\"alg\":\"RS512\",\"kid\":\"rs\"}", OWN_RSA, 401},
        {"{\"alg\":\"PS256\",\"kid\":\"rs\"}", OWN_RSA, 401},
        {"{\"alg\":\"ES256\",\"kid\":\"rs\"}", OWN_RSA, 401},
        {"{\"alg\":\"HS256\",\"kid\":\"rs\"}", OWN_RSA, 401},
        {"{\"alg\":\"none\",\"kid\":\"rs\"}", OWN_RSA, 401},
        {"{\"alg\":\"rs256\",\"kid\":\"rs\"}", OWN_RSA, 401},
        {"{\"alg\":\"eddsa\",\"kid\":\"ed\"}", EDWARDS, 401},
        {"{\"alg\":[\"RS256\"],\"kid\":\"rs\"}", OWN_RSA, 401},
        {"{\"kid\":\"rs\"}", OWN_RSA, 401},
        /* No key, or none of ours. */
        {"{\"alg\":\"RS256\"}", OWN_RSA, 401},
        {"{\"alg\":\"EdDSA\"}", EDWARDS, 401},
        {"{\"alg\":\"RS256\",\"kid\":\"\"}", OWN_RSA, 401},
        {"{\"alg\":\"RS256\",\"kid\":\"RS\"}", OWN_RSA, 401},
        {"{\"alg\":\"RS256\",\"kid\":\"rs \"}", OWN_RSA, 401},
        {"{\"alg\":\"RS256\",\"kid\":[\"rs\"]}", OWN_RSA, 401},
        {"{\"alg\":\"RS256\",\"kid\":\"rs\"}", OTHER_RSA, 401},
        {"{\"alg\":\"EdDSA\",\"kid\":\"ed\"}", OTHER_EDWARDS, 401},
        {"{\"alg\":\"RS256\",\"kid\":\"rs\",\"crit\":[\"kid\"]}", OWN_RSA, 401},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        unsigned status = signed_status(cases[i].header, pairs[cases[i].pair]);
        cr_expect_eq(status, cases[i].status, "%s signed by %d: %u", cases[i].header, cases[i].pair, status);
    }
    /* What the server signs itself, with the first. */
    struct http_reply reply;
    char *line = http_login(server.port, "bob@example.com");
    http_call(server.port, "GET", TODOS, line, NULL, &reply);
    cr_expect_eq(reply.status, 200);
    http_reply_free(&reply);
    char header[256];
    size_t len;
    const char *token = strrchr(line, ' ') + 1;
    cr_assert_eq(sodium_base642bin((unsigned char *)header, sizeof(header) - 1, token, strcspn(token, "."), NULL, &len,
                                   NULL, BASE64),
                 0);
    header[len] = '\0';
    cr_expect(strstr(header, "\"RS256\"") && strstr(header, "\"rs\""), "%s", header);
    free(line);
}

/* What everybody can read is no secret: neither the PEM as it is, nor without its last line end, nor the key's bytes. */
Test(signing_keys, public_keys_are_no_secrets, .init = start, .fini = stop, .timeout = 110)
{
    static const char *const headers[] = {
        "{\"alg\":\"HS256\",\"kid\":\"rs\"}",  "{\"alg\":\"HS256\",\"kid\":\"ed\"}",
        "{\"alg\":\"HS256\",\"kid\":\"old\"}", "{\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"kid\":\"\"}",    "{\"alg\":\"HS256\",\"kid\":null}",
        "{\"alg\":\"RS256\",\"kid\":\"rs\"}",  "{\"alg\":\"EdDSA\",\"kid\":\"ed\"}",
        "{\"alg\":\"RS256\",\"kid\":\"old\"}", "{\"alg\":\"HS256\",\"kid\":\"none\"}"};
    static const int known[] = {OWN_RSA, EDWARDS, RETIRED_RSA};
    struct http_reply reply;
    http_call(server.port, "GET", "/.well-known/jwks.json", NULL, NULL, &reply);
    cr_assert_eq(reply.status, 200, "%s", reply.body);
    for (size_t h = 0; h < LENGTH(headers); h++) {
        for (size_t i = 0; i < LENGTH(known); i++) {
            const char *pem = publics[known[i]];
            unsigned char *der = NULL;
            int der_len = i2d_PUBKEY(pairs[known[i]], &der);
            cr_assert(der_len > 0);
            cr_expect_eq(keyed_status(headers[h], pem, strlen(pem)), 401, "%s", headers[h]);
            cr_expect_eq(keyed_status(headers[h], pem, strlen(pem) - 1), 401, "%s", headers[h]);
            cr_expect_eq(keyed_status(headers[h], der, (size_t)der_len), 401, "%s", headers[h]);
            OPENSSL_free(der);
        }
        cr_expect_eq(keyed_status(headers[h], reply.body, reply.body_len), 401, "%s", headers[h]);
        cr_expect_eq(keyed_status(headers[h], "", 0), 401, "%s", headers[h]);
    }
    http_reply_free(&reply);
    /* The secret beside the keys verifies what names none of them, and nothing else. */
    cr_expect_eq(keyed_status("{\"alg\":\"HS256\"}", SECRET, strlen(SECRET)), 200);
    cr_expect_eq(keyed_status("{\"alg\":\"HS256\",\"kid\":\"rs\"}", SECRET, strlen(SECRET)), 401);
    cr_expect_eq(keyed_status("{\"alg\":\"HS256\",\"kid\":\"ed\"}", SECRET, strlen(SECRET)), 401);
    cr_expect_eq(keyed_status("{\"alg\":\"RS256\",\"kid\":\"rs\"}", SECRET, strlen(SECRET)), 401);
    cr_expect_eq(keyed_status("{\"alg\":\"RS256\"}", SECRET, strlen(SECRET)), 401);
}
