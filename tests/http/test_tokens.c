/* SPDX-License-Identifier: MIT */
/* Tokens: who is let in, and for how long. */
#include <criterion/criterion.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define NOBODY "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f"

static struct test_server server;

static void start(void)
{
    server_start(&server, &(struct server_options){
                              .environment = (const char *[]){"BACKPLANE_WORKERS=2", "JWT_SECRET=" SECRET, NULL}});
}

static void stop(void)
{
    server_stop(&server);
}

static void add_base64(char *to, const void *bytes, size_t len)
{
    char text[1024];
    sodium_bin2base64(text, sizeof(text), bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    strcat(to, text);
}

/* "Authorization: Bearer …" with any header and payload, signed by HS256 with the secret of the server. */
static char *forge(const char *header, const char *payload)
{
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    char token[2048] = "", *line;
    crypto_auth_hmacsha256_state state;
    add_base64(token, header, strlen(header));
    strcat(token, ".");
    add_base64(token, payload, strlen(payload));
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)SECRET, strlen(SECRET));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)token, strlen(token));
    crypto_auth_hmacsha256_final(&state, mac);
    strcat(token, ".");
    add_base64(token, mac, sizeof(mac));
    cr_assert(asprintf(&line, "Authorization: Bearer %s\r\n", token) > 0);
    return line;
}

static unsigned list_status(const char *headers)
{
    struct http_reply reply;
    http_call(server.port, "GET", "/api/v1/todos", headers, NULL, &reply);
    unsigned status = reply.status;
    http_reply_free(&reply);
    return status;
}

static void expect_unauthorized(const char *method, const char *target, const char *headers, const char *body,
                                const char *message)
{
    struct http_reply reply;
    http_call(server.port, method, target, headers, body, &reply);
    json_t *root = http_json(&reply);
    const char *challenge = http_header(&reply, "WWW-Authenticate");
    cr_expect_eq(reply.status, 401, "%s %s: %u %s", target, headers ? headers : "", reply.status, reply.body);
    cr_expect_str_eq(http_json_text(root, "message"), message);
    cr_expect_str_eq(http_json_text(root, "status"), "fail");
    cr_assert(challenge, "%s", reply.head);
    cr_expect(strncmp(challenge, "Bearer ", 7) == 0, "%s", challenge);
    cr_expect((strstr(challenge, "error=\"invalid_token\"") != NULL) == (strncmp(message, "Invalid", 7) == 0), "%s",
              challenge);
    json_decref(root);
    http_reply_free(&reply);
}

static char *user_id(const char *email)
{
    struct http_reply reply;
    char body[128];
    snprintf(body, sizeof(body), "{\"email\":\"%s\",\"password\":\"Passw0rd!\"}", email);
    http_call(server.port, "POST", "/api/v1/auth/sign-up", NULL, body, &reply);
    json_t *root = http_json(&reply);
    char *id = strdup(http_json_text(root, "data.id"));
    json_decref(root);
    http_reply_free(&reply);
    return id;
}

Test(tokens, missing, .init = start, .fini = stop)
{
    static const char *const headers[] = {NULL, "Authorization: Basic YTpi\r\n", "Authorization: Bearer\r\n",
                                          "Authorization: \r\n"};
    static const struct {
        const char *method, *target, *body;
    } calls[] = {{"GET", "/api/v1/todos", NULL},
                 {"POST", "/api/v1/todos", "{}"},
                 {"PATCH", "/api/v1/todos/nonsense", "{"},
                 {"DELETE", "/api/v1/todos/" NOBODY, NULL}};
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        for (size_t j = 0; j < sizeof(calls) / sizeof(calls[0]); j++)
            expect_unauthorized(calls[j].method, calls[j].target, headers[i], calls[j].body, "Authentication required");
}

static void fill_in(const char *template, const char *id, long now, char *to, size_t size)
{
    FILE *out = fmemopen(to, size, "w");
    for (const char *at = template; *at; at += *at == '<' ? strcspn(at, ">") + 1 : 1) {
        if (strncmp(at, "<id>", 4) == 0)
            fputs(id, out);
        else if (*at == '<')
            fprintf(out, "%ld", at[1] == 'n' ? now : now + 60);
        else
            fputc(*at, out);
    }
    fclose(out);
}

Test(tokens, forged, .init = start, .fini = stop)
{
    static const struct {
        const char *header, *payload; /* <id>: of an account; <now>, <later>: seconds */
        bool good;
    } cases[] = {
        {HEADER, "{\"id\":\"<id>\",\"sub\":\"<id>\",\"iat\":<now>,\"exp\":<later>}", true},
        {"{\"alg\":\"HS256\"}", "{\"id\":\"<id>\",\"iat\":<now>,\"exp\":<later>}", true},
        {HEADER, "{\"id\":\"<id>\",\"iat\":<now>,\"exp\":<later>,\"role\":\"admin\"}", true},
        {HEADER, "{\"id\":\"<id>\",\"iat\":<now>}", false},
        {HEADER, "{\"id\":\"<id>\",\"exp\":<now>}", false},
        {HEADER, "{\"id\":\"<id>\",\"iat\":<now>,\"exp\":\"<later>\"}", false},
        {HEADER, "{\"sub\":\"<id>\",\"iat\":<now>,\"exp\":<later>}", false},
        {HEADER, "{\"id\":7,\"iat\":<now>,\"exp\":<later>}", false},
        {HEADER, "{\"id\":\"<id>\",\"sub\":\"" NOBODY "\",\"iat\":<now>,\"exp\":<later>}", false},
        {HEADER, "{\"id\":\"" NOBODY "\",\"iat\":<now>,\"exp\":<later>}", false}, /* no such account */
        {"{\"alg\":\"none\"}", "{\"id\":\"<id>\",\"iat\":<now>,\"exp\":<later>}", false},
        {"{\"alg\":\"HS512\"}", "{\"id\":\"<id>\",\"iat\":<now>,\"exp\":<later>}", false},
        {"{\"alg\":\"RS256\"}", "{\"id\":\"<id>\",\"iat\":<now>,\"exp\":<later>}", false},
        {"{\"alg\":\"HS256\",\"crit\":[\"x\"],\"x\":1}", "{\"id\":\"<id>\",\"iat\":<now>,\"exp\":<later>}", false},
        {"{\"alg\":\"HS256\",\"kid\":\"2\"}", "{\"id\":\"<id>\",\"iat\":<now>,\"exp\":<later>}", false},
        {"{\"alg\":\"HS256\",\"typ\":\"JWE\"}", "{\"id\":\"<id>\",\"iat\":<now>,\"exp\":<later>}", false},
    };
    char *id = user_id("ada@example.com"), payload[512];
    long now = (long)time(NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fill_in(cases[i].payload, id, now, payload, sizeof(payload));
        char *header = forge(cases[i].header, payload);
        for (int again = 0; again < 2; again++) { /* what is remembered is answered alike */
            if (cases[i].good)
                cr_expect_eq(list_status(header), 200, "%s %s", cases[i].header, payload);
            else
                expect_unauthorized("GET", "/api/v1/todos", header, NULL, "Invalid or expired token");
        }
        free(header);
    }
    static const char *const nonsense[] = {
        "Authorization: Bearer x\r\n", "Authorization: Bearer ..\r\n", "Authorization: Bearer a.b.c.d\r\n",
        "Authorization: bearer eyJhbGciOiJub25lIn0.e30.\r\n", "Authorization: Bearer a, Bearer b\r\n"};
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
        expect_unauthorized("GET", "/api/v1/todos", nonsense[i], NULL, "Invalid or expired token");
    free(id);
}

/* The claims of a token that the server made. */
static json_t *claims_of(const char *header)
{
    unsigned char bytes[1024];
    size_t len;
    const char *payload = strchr(header, '.') + 1;
    cr_assert_eq(sodium_base642bin(bytes, sizeof(bytes), payload, strcspn(payload, "."), NULL, &len, NULL,
                                   sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                 0);
    json_t *claims = json_loadb((const char *)bytes, len, 0, NULL);
    cr_assert(claims);
    return claims;
}

Test(tokens, lifetime)
{
    static const struct {
        const char *environment;
        long long seconds;
    } cases[] = {
        {"JWT_EXPIRES_IN=3600", 3600}, {"JWT_EXPIRES_IN=15m", 900}, {"JWT_EXPIRES_IN=7d", 604800}, {"A=b", 3600}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        server_start(&server, &(struct server_options){.environment = (const char *[]){cases[i].environment, NULL}});
        char *id = user_id("ada@example.com"), *header = http_login(server.port, "ada@example.com");
        json_t *claims = claims_of(header);
        cr_expect_eq(http_json_integer(claims, "exp") - http_json_integer(claims, "iat"), cases[i].seconds, "%s",
                     cases[i].environment);
        cr_expect_str_eq(http_json_text(claims, "id"), id);
        cr_expect_str_eq(http_json_text(claims, "sub"), id);
        cr_expect_eq(strlen(http_json_text(claims, "sid")), 36);
        cr_expect_eq(json_object_size(claims), 5);
        json_decref(claims);
        free(header);
        free(id);
        server_stop(&server);
    }
}

/* A remembered token ends when it says so. */
Test(tokens, expire)
{
    server_start(&server, &(struct server_options){.environment = (const char *[]){"JWT_EXPIRES_IN=2", NULL}});
    char *header = http_login(server.port, "ada@example.com");
    json_t *claims = claims_of(header);
    long long expires = http_json_integer(claims, "exp") * 1000;
    struct timespec before, after;
    unsigned good = 0, status = 200;
    while (status == 200) {
        clock_gettime(CLOCK_REALTIME, &before);
        status = list_status(header);
        clock_gettime(CLOCK_REALTIME, &after);
        long long from = before.tv_sec * 1000LL + before.tv_nsec / 1000000,
                  to = after.tv_sec * 1000LL + after.tv_nsec / 1000000;
        if (status == 200)
            cr_assert(from < expires, "taken after its end");
        else
            cr_assert(to >= expires, "refused before its end");
        good += status == 200;
        poll(NULL, 0, 5);
    }
    cr_expect_eq(status, 401);
    cr_expect(good > 1);
    json_decref(claims);
    free(header);
    server_stop(&server);
}

static long long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* A token of an account that is gone: by default each worker notices after a second at most (and a bit, for the last question that was
 * still under way). */
Test(tokens, account_gone, .init = start, .fini = stop)
{
    char *header = http_login(server.port, "ada@example.com");
    for (int i = 0; i < 10; i++)
        cr_assert_eq(list_status(header), 200);
    database_execute(&server, "DELETE FROM users");
    long long deleted = milliseconds(), begin;
    do {
        begin = milliseconds() - deleted;
        unsigned status = list_status(header);
        cr_assert(status == 401 || (status == 200 && begin < 1200), "%u after %lld ms", status, begin);
        poll(NULL, 0, 10);
    } while (begin < 1400);
    expect_unauthorized("GET", "/api/v1/todos", header, NULL, "Invalid or expired token");
    free(header);
}

/* A write notices at once, and the worker forgets what it remembered. */
Test(tokens, account_gone_is_noticed_by_a_write)
{
    struct http_reply reply;
    server_start(&server, &(struct server_options){
                              .environment = (const char *[]){"BACKPLANE_WORKERS=1", NULL},
                              .arguments = (const char *[]){"--set", "plugins.auth.account_check_interval=60s", NULL}});
    char *header = http_login(server.port, "ada@example.com");
    cr_assert_eq(list_status(header), 200);
    database_execute(&server, "DELETE FROM users");
    http_call(server.port, "GET", "/api/v1/todos", header, NULL, &reply);
    cr_expect_eq(reply.status, 200, "remembered: %s", reply.body);
    http_reply_free(&reply);
    expect_unauthorized("POST", "/api/v1/todos", header, "{\"title\":\"x\"}", "Invalid or expired token");
    expect_unauthorized("GET", "/api/v1/todos", header, NULL, "Invalid or expired token");
    free(header);
    server_stop(&server);
}
