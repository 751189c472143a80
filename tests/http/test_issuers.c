/* SPDX-License-Identifier: MIT */
/* Tokens of an external issuer: its keys are fetched from a server of this test. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

#define TODOS "/api/v1/todos"
#define ME "/api/v1/auth/me"
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* --- the issuer --- */

static struct {
    int listener, port;
    pthread_t thread;
    _Atomic(const char *) document; /* NULL: it answers with 500 */
    atomic_uint fetches;
} provider;

static void *serve(void *argument)
{
    (void)argument;
    for (;;) {
        char request[4096], head[256];
        int fd = accept(provider.listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        atomic_fetch_add(&provider.fetches, 1);
        (void)!read(fd, request, sizeof(request));
        const char *document = provider.document;
        int len = snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                           document ? "200 OK" : "500 Oops", document ? strlen(document) : 0);
        (void)!write(fd, head, (size_t)len);
        if (document)
            (void)!write(fd, document, strlen(document));
        close(fd);
    }
}

static void provider_start(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    provider.listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(provider.listener, (struct sockaddr *)&address, len), 0);
    cr_assert_eq(listen(provider.listener, 64), 0);
    cr_assert_eq(getsockname(provider.listener, (struct sockaddr *)&address, &len), 0);
    provider.port = ntohs(address.sin_port);
    cr_assert_eq(pthread_create(&provider.thread, NULL, serve, NULL), 0);
}

/* --- its keys and tokens --- */

static void add_base64(char *to, const void *bytes, size_t len)
{
    sodium_bin2base64(to + strlen(to), sodium_base64_ENCODED_LEN(len, BASE64), bytes, len, BASE64);
}

static void jwk_of(EVP_PKEY *key, const char *kid, char *to)
{
    static const char *const coordinates[] = {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y};
    (void)sprintf(to, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"use\":\"sig\",\"kid\":\"%s\"", kid);
    for (size_t i = 0; i < 2; i++) {
        BIGNUM *number = NULL;
        unsigned char bytes[32];
        cr_assert_eq(EVP_PKEY_get_bn_param(key, coordinates[i], &number), 1);
        cr_assert_eq(BN_bn2binpad(number, bytes, 32), 32);
        (void)sprintf(to + strlen(to), ",\"%c\":\"", "xy"[i]);
        add_base64(to, bytes, 32);
        strcat(to, "\"");
        BN_free(number);
    }
    strcat(to, "}");
}

static void sign(EVP_PKEY *key, const char *text, unsigned char ret_raw[64])
{
    unsigned char der[128];
    const unsigned char *at = der;
    size_t len = sizeof(der);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    cr_assert_eq(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    cr_assert_eq(EVP_DigestSign(context, der, &len, (const unsigned char *)text, strlen(text)), 1);
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), ret_raw, 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), ret_raw + 32, 32);
    ECDSA_SIG_free(pair);
    EVP_MD_CTX_free(context);
}

/* The header line of a token. */
static char *token_of(EVP_PKEY *key, const char *header, const char *payload)
{
    char token[4096] = "", *line;
    unsigned char signature[64];
    add_base64(token, header, strlen(header));
    strcat(token, ".");
    add_base64(token, payload, strlen(payload));
    sign(key, token, signature);
    strcat(token, ".");
    add_base64(token, signature, sizeof(signature));
    cr_assert(asprintf(&line, "Authorization: Bearer %s\r\n", token) > 0);
    return line;
}

/* "<exp>" and "<now>" in a payload are times in seconds. */
static char *payload_of(const char *template)
{
    char text[2048] = "";
    long now = (long)time(NULL);
    for (const char *at = template; *at;) {
        size_t len = strlen(text);
        if (strncmp(at, "<exp>", 5) == 0 || strncmp(at, "<now>", 5) == 0) {
            (void)sprintf(text + len, "%ld", at[1] == 'e' ? now + 600 : now);
            at += 5;
        } else {
            text[len] = *at++;
        }
    }
    return strdup(text);
}

/* --- the server --- */

static struct test_server server;
static EVP_PKEY *first, *second;

#define CONFIG                                                                                                       \
    "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1; };\n"     \
    "plugins: ( { use = \"health\"; }, { use = \"todos\"; }, { use = \"http_client\"; },\n"                          \
    "  { use = \"sqlite\"; name = \"main\"; file = \"todo.db\"; },\n"                                                \
    "  { use = \"auth\"; secret = \"0123456789abcdef0123456789abcdef\"; issuers = ( { issuer = "                     \
    "\"https://id.example.com\"; audience = \"todo-api\"; jwks_url = \"http://127.0.0.1:%d/keys\"; refetch_after = " \
    "\"300ms\"; create_users = %s; } ); } );\n"                                                                      \
    "pipelines: { api = ( \"auth\" ); open = (); };\n"                                                               \
    "routes: ( { match = \"/health/*\"; pipeline = \"open\"; }, { match = \"/api/v1/auth/sign-up\"; pipeline = "     \
    "\"open\"; }, { match = \"/api/v1/*\"; pipeline = \"api\"; }, { match = \"/*\"; pipeline = \"open\"; } );\n"

/* The provider may still be reading the one before. */
static char first_set[1024], second_set[1024];

static char *set_of(EVP_PKEY *key, const char *kid, char text[1024])
{
    strcpy(text, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"s\",\"k\":\"AAAA\"},");
    jwk_of(key, kid, text + strlen(text));
    strcat(text, "]}");
    return text;
}

static void start_with(const char *create_users)
{
    char config[4096];
    provider_start();
    first = EVP_EC_gen("P-256");
    second = EVP_EC_gen("P-256");
    provider.document = set_of(first, "one", first_set);
    (void)snprintf(config, sizeof(config), CONFIG, provider.port, create_users);
    server_start(&server, &(struct server_options){.config = config,
                                                   .environment = (const char *[]){"BACKPLANE_WORKERS=1", NULL}});
}

static void start(void)
{
    start_with("true");
}

static void stop(void)
{
    server_stop(&server);
}

static unsigned status_with(const char *line, const char *target, char id[64])
{
    struct http_reply reply;
    http_call(server.port, "GET", target, line, NULL, &reply);
    unsigned status = reply.status;
    if (id) {
        json_t *root = http_json(&reply);
        (void)snprintf(id, 64, "%s", http_json_text(root, "data.id"));
        json_decref(root);
    }
    http_reply_free(&reply);
    return status;
}

#define HEADER "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"one\"}"
#define GOOD "{\"iss\":\"https://id.example.com\",\"aud\":\"todo-api\",\"sub\":\"ada\",\"iat\":<now>,\"exp\":<exp>}"

static unsigned try(EVP_PKEY *key, const char *header, const char *template, char id[64])
{
    char *payload = payload_of(template), *line = token_of(key, header, payload);
    unsigned status = status_with(line, id ? ME : TODOS, id);
    free(payload);
    free(line);
    return status;
}

static const struct {
    const char *header, *payload;
    unsigned status;
} cases[] = {
    {HEADER, GOOD, 200},
    {"{\"alg\":\"ES256\",\"kid\":\"one\",\"typ\":\"at+jwt\"}", GOOD, 200},
    {HEADER, "{\"iss\":\"https://id.example.com\",\"aud\":[\"x\",\"todo-api\"],\"sub\":\"ada\",\"exp\":<exp>}", 200},
    {HEADER, "{\"iss\":\"https://id.example.com\",\"aud\":\"other\",\"sub\":\"ada\",\"exp\":<exp>}", 401},
    {HEADER, "{\"iss\":\"https://id.example.com\",\"aud\":[],\"sub\":\"ada\",\"exp\":<exp>}", 401},
    {HEADER, "{\"iss\":\"https://id.example.com\",\"sub\":\"ada\",\"exp\":<exp>}", 401},
    {HEADER, "{\"iss\":\"https://id.example.com/\",\"aud\":\"todo-api\",\"sub\":\"ada\",\"exp\":<exp>}", 401},
    {HEADER, "{\"iss\":\"https://evil.example\",\"aud\":\"todo-api\",\"sub\":\"ada\",\"exp\":<exp>}", 401},
    {HEADER, "{\"aud\":\"todo-api\",\"sub\":\"ada\",\"exp\":<exp>}", 401},
    {HEADER, "{\"iss\":\"https://id.example.com\",\"aud\":\"todo-api\",\"sub\":\"ada\",\"exp\":<now>}", 401},
    {HEADER, "{\"iss\":\"https://id.example.com\",\"aud\":\"todo-api\",\"sub\":\"ada\"}", 401},
    {HEADER, "{\"iss\":\"https://id.example.com\",\"aud\":\"todo-api\",\"sub\":\"ada\",\"exp\":\"<exp>\"}", 401},
    {HEADER, "{\"iss\":\"https://id.example.com\",\"aud\":\"todo-api\",\"sub\":\"ada\",\"nbf\":<exp>,\"exp\":<exp>}",
     401},
    {HEADER, "{\"iss\":\"https://id.example.com\",\"aud\":\"todo-api\",\"sub\":\"ada\",\"iat\":<exp>,\"exp\":<exp>}",
     401},
    {HEADER, "{\"iss\":\"https://id.example.com\",\"aud\":\"todo-api\",\"sub\":\"\",\"exp\":<exp>}", 401},
    {HEADER, "{\"iss\":\"https://id.example.com\",\"aud\":\"todo-api\",\"exp\":<exp>}", 401},
    {"{\"alg\":\"ES256\"}", GOOD, 401},
    {"{\"alg\":\"ES256\",\"kid\":\"s\"}", GOOD, 401},
    {"{\"alg\":\"none\",\"kid\":\"one\"}", GOOD, 401},
    {"{\"alg\":\"HS256\",\"kid\":\"one\"}", GOOD, 401},
    {"{\"alg\":\"RS256\",\"kid\":\"one\"}", GOOD, 401},
    {"{\"alg\":\"EdDSA\",\"kid\":\"one\"}", GOOD, 401},
    {"{\"alg\":\"ES256\",\"kid\":\"one\",\"crit\":[\"exp\"]}", GOOD, 401},
    {"{\"alg\":\"ES256\",\"kid\":\"one\",\"typ\":\"logout+jwt\"}", GOOD, 401},
    {"{\"alg\":\"ES256\",\"kid\":7}", GOOD, 401},
};

Test(issuers, forged, .init = start, .fini = stop)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned status = try(first, cases[i].header, cases[i].payload, NULL);
        cr_expect_eq(status, cases[i].status, "%s %s: %u", cases[i].header, cases[i].payload, status);
    }
    cr_expect_eq(try(second, HEADER, GOOD, NULL), 401, "signed by another key");
    /* Unknown names of keys made it fetch, but not each time. */
    cr_expect(atomic_load(&provider.fetches) < 8, "%u", atomic_load(&provider.fetches));
}

Test(issuers, accounts, .init = start, .fini = stop)
{
    char ada[64], again[64], eve[64];
    cr_expect_eq(try(first, HEADER, GOOD, ada), 200);
    cr_expect_eq(strlen(ada), 36, "%s", ada);
    cr_expect_eq(try(first, HEADER,
                     "{\"iss\":\"https://id.example.com\",\"aud\":\"todo-api\",\"sub\":\"ada\",\"exp\":<exp>,\"n\":1}",
                     again),
                 200);
    cr_expect_str_eq(again, ada);
    /* Somebody else, who says that the address of a local account is his, does not become it. */
    struct http_reply reply;
    http_call(server.port, "POST", "/api/v1/auth/sign-up", NULL,
              "{\"email\":\"bob@example.com\",\"password\":\"Passw0rd!\"}", &reply);
    json_t *root = http_json(&reply);
    cr_expect_eq(reply.status, 201);
    cr_expect_eq(try(first, HEADER,
                     "{\"iss\":\"https://id.example.com\",\"aud\":\"todo-api\",\"sub\":\"eve\",\"exp\":<exp>,"
                     "\"email\":\"bob@example.com\",\"email_verified\":true}",
                     eve),
                 200);
    cr_expect_str_neq(eve, http_json_text(root, "data.id"));
    cr_expect_str_neq(eve, ada);
    json_decref(root);
    http_reply_free(&reply);
}

/* A new key of the issuer is found; the old one is gone then. */
Test(issuers, rotation, .init = start, .fini = stop)
{
    const char *header = "{\"alg\":\"ES256\",\"kid\":\"two\"}";
    unsigned status = 401;
    cr_expect_eq(try(first, HEADER, GOOD, NULL), 200);
    cr_expect_eq(try(second, header, GOOD, NULL), 401);
    provider.document = set_of(second, "two", second_set);
    for (long long begun = 0; status == 401 && service_patience(&begun, 5000);)
        status = try(second, header, GOOD, NULL);
    cr_expect_eq(status, 200);
    cr_expect_eq(try(first, HEADER,
                     "{\"iss\":\"https://id.example.com\",\"aud\":\"todo-api\",\"sub\":\"ada\",\"exp\":<exp>,\"n\":2}",
                     NULL),
                 401);
    /* It fails: what is known stays. */
    provider.document = NULL;
    cr_expect_eq(try(second, "{\"alg\":\"ES256\",\"kid\":\"three\"}", GOOD, NULL), 401);
    cr_expect_eq(try(second, header,
                     "{\"iss\":\"https://id.example.com\",\"aud\":\"todo-api\",\"sub\":\"ada\",\"exp\":<exp>,\"n\":3}",
                     NULL),
                 200);
}

static void start_closed(void)
{
    start_with("false");
}

Test(issuers, strangers_refused, .init = start_closed, .fini = stop)
{
    cr_expect_eq(try(first, HEADER, GOOD, NULL), 401);
}

static void start_broken(void)
{
    start_with("true");
    provider.document = NULL;
}

/* Whether a token is good cannot be known: that is no verdict about the token. */
Test(issuers, away, .init = start_broken, .fini = stop)
{
    cr_expect_eq(try(first, HEADER, GOOD, NULL), 503);
    cr_expect(server_wait_output(&server, "it answered with 500"));
    cr_expect_eq(
        try(first, HEADER, "{\"iss\":\"https://id.example.com\",\"aud\":\"no\",\"sub\":\"a\",\"exp\":<exp>}", NULL),
        401);
}

Test(issuers, nothing_to_fetch_with)
{
    char config[4096], *output, *client;
    (void)snprintf(config, sizeof(config), CONFIG, 1, "true");
    client = strstr(config, " { use = \"http_client\"; },");
    cr_assert(client);
    memset(client, ' ', strlen(" { use = \"http_client\"; },"));
    cr_expect_neq(server_refuses(&(struct server_options){.config = config}, &output), 0);
    cr_expect(strstr(output, "plugins.auth.issuers: needs a service \"http_client\", which no instance provides: add { "
                             "use = \"http_client\"; } to plugins"),
              "%s", output);
    free(output);
}
