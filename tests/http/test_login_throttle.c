/* SPDX-License-Identifier: MIT */
/* Failed logins are limited, by account and by address, and nobody can lock others out; in memory, or with_services in Redis. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

#define LOGIN "/api/v1/auth/login"
#define RIGHT "Passw0rd!"
#define LIMITED "Too many failed logins. Please try again later."

static struct test_server server;

static void start_with(const char *failures, const char *window)
{
    char variables[3][320];
    const char *url = getenv("TEST_REDIS_URL");
    (void)snprintf(variables[0], sizeof(variables[0]), "LOGIN_MAX_FAILURES=%s", failures);
    (void)snprintf(variables[1], sizeof(variables[1]), "LOGIN_WINDOW=%s", window);
    (void)snprintf(variables[2], sizeof(variables[2]), "REDIS_URL=%s", url ? url : "");
    server_start(&server, &(struct server_options){
                              .environment = (const char *[]){"BACKPLANE_WORKERS=2", "TRUSTED_PROXIES=127.0.0.1",
                                                              variables[0], variables[1], variables[2], NULL}});
}

static void start(void)
{
    start_with("3", "10m");
}

static void stop(void)
{
    server_stop(&server);
}

static void sign_up(const char *email)
{
    struct http_reply reply;
    char body[128];
    (void)snprintf(body, sizeof(body), "{\"email\":\"%s\",\"password\":\"" RIGHT "\"}", email);
    http_call(server.port, "POST", "/api/v1/auth/sign-up", NULL, body, &reply);
    cr_assert_eq(reply.status, 201, "%s", reply.body);
    http_reply_free(&reply);
}

/* 429 with all that belongs to it. */
static void expect_limited(const struct http_reply *reply)
{
    const char *retry = http_header(reply, "Retry-After");
    json_t *root = http_json(reply);
    cr_expect_str_eq(http_json_text(root, "message"), LIMITED);
    cr_expect_str_eq(http_json_text(root, "status"), "fail");
    cr_assert(retry, "%s", reply->head);
    cr_expect(atoi(retry) >= 1 && atoi(retry) <= 600, "%s", retry);
    json_decref(root);
}

static unsigned login_from(const char *address, const char *email, const char *password)
{
    struct http_reply reply;
    char headers[128], body[128];
    (void)snprintf(headers, sizeof(headers), "X-Forwarded-For: %s\r\n", address);
    (void)snprintf(body, sizeof(body), "{\"email\":\"%s\",\"password\":\"%s\"}", email, password);
    http_call(server.port, "POST", LOGIN, headers, body, &reply);
    unsigned status = reply.status;
    if (status == 429)
        expect_limited(&reply);
    http_reply_free(&reply);
    return status;
}

struct step {
    const char *address, *email, *password;
    unsigned status;
};

static void walk(const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned status = login_from(steps[i].address, steps[i].email, steps[i].password);
        cr_expect_eq(status, steps[i].status, "step %zu: %u, not %u", i, status, steps[i].status);
    }
}
#define WALK(...) \
    walk((const struct step[]){__VA_ARGS__}, sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

/* The account is limited wherever they come from; the address it knows is not. */
Test(login_throttle, others_cannot_lock_out, .init = start, .fini = stop)
{
    sign_up("ada@example.com");
    WALK({"192.0.2.1", "ada@example.com", RIGHT, 200}, /* now the address is familiar */
         {"198.51.100.1", "ada@example.com", "wrong", 401}, {"198.51.100.2", "ADA@example.com", "wrong", 401},
         {"198.51.100.3", "ada@example.com", "wrong", 401}, {"198.51.100.4", "ada@example.com", "wrong", 429},
         {"198.51.100.1", "ada@example.com", RIGHT, 429}, /* nor the right one: they may not guess on */
         {"192.0.2.1", "ada@example.com", RIGHT, 200},    /* but from where it belongs */
         {"192.0.2.1", "ada@example.com", "wrong", 401}, {"192.0.2.1", "ada@example.com", "wrong", 401},
         {"192.0.2.1", "ada@example.com", RIGHT, 200}, /* forgets one's own slips */
         {"192.0.2.1", "ada@example.com", "wrong", 401}, {"192.0.2.1", "ada@example.com", "wrong", 401},
         {"192.0.2.1", "ada@example.com", "wrong", 401}, {"192.0.2.1", "ada@example.com", RIGHT, 429});
}

/* What is no account is answered like one. */
Test(login_throttle, unknown_accounts_look_alike, .init = start, .fini = stop)
{
    WALK({"198.51.100.1", "nobody@example.com", "wrong", 401}, {"198.51.100.2", "nobody@example.com", "wrong", 401},
         {"198.51.100.1", "nobody@example.com", "wrong", 401}, {"198.51.100.1", "nobody@example.com", "wrong", 429},
         {"198.51.100.9", "nobody@example.com", "wrong", 429}, {"198.51.100.1", "other@example.com", "wrong", 401});
}

static void *fail_once(void *argument)
{
    unsigned *status = argument;
    *status = login_from("198.51.100.7", "busy@example.com", "wrong");
    return NULL;
}

/* Many at the same time are not more than the limit. */
Test(login_throttle, at_the_same_time, .init = start, .fini = stop)
{
    enum { CALLS = 12 };
    pthread_t threads[CALLS];
    unsigned statuses[CALLS], refused = 0, looked_at = 0;
    for (size_t i = 0; i < CALLS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, fail_once, &statuses[i]), 0);
    for (size_t i = 0; i < CALLS; i++) {
        pthread_join(threads[i], NULL);
        looked_at += statuses[i] == 401;
        refused += statuses[i] == 429;
    }
    cr_expect_eq(looked_at, 3, "%u", looked_at);
    cr_expect_eq(refused, CALLS - 3, "%u", refused);
}

/* One call of a client that says its password again. */
static unsigned confirm(const char *method, const char *target, const char *authorization, const char *body)
{
    struct http_reply reply;
    char headers[1200];
    (void)snprintf(headers, sizeof(headers), "X-Forwarded-For: 203.0.113.1\r\n%s", authorization);
    http_call(server.port, method, target, headers, body, &reply);
    unsigned status = reply.status;
    if (status == 429)
        expect_limited(&reply);
    http_reply_free(&reply);
    return status;
}

/* Nor does a token that was stolen help to guess: whatever asks for the password counts with the logins. */
Test(login_throttle, confirmations, .init = start, .fini = stop)
{
#define CURRENT(password, more) "{\"currentPassword\":\"" password "\"" more "}"
#define NEW ",\"newPassword\":\"N3w-Passw0rd\""
    static const struct {
        const char *method, *target, *body;
        unsigned status;
    } calls[] = {
        {"PATCH", "me", CURRENT("wrong", ",\"email\":\"eve@example.com\""), 403},
        {"POST", "password", CURRENT("wrong", NEW), 403},
        {"POST", "password", CURRENT("wrong", ",\"newPassword\":\"weak\""), 400}, /* not looked at */
        {"DELETE", "me", CURRENT("wrong", ""), 403},
        {"DELETE", "me", CURRENT("wrong", ""), 429},
        {"DELETE", "me", CURRENT(RIGHT, ""), 429},
        {"POST", "password", CURRENT(RIGHT, NEW), 429},
        {"PATCH", "me", CURRENT(RIGHT, ",\"email\":\"eve@example.com\""), 429},
    };
    sign_up("carol@example.com");
    sign_up("dave@example.com");
    char *carol = http_login(server.port, "carol@example.com"), *dave = http_login(server.port, "dave@example.com");
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        char target[64];
        (void)snprintf(target, sizeof(target), "/api/v1/auth/%s", calls[i].target);
        unsigned status = confirm(calls[i].method, target, carol, calls[i].body);
        cr_expect_eq(status, calls[i].status, "%zu: %u", i, status);
    }
    WALK({"203.0.113.1", "carol@example.com", RIGHT, 429}, {"203.0.113.2", "carol@example.com", RIGHT, 429},
         {"127.0.0.1", "carol@example.com", RIGHT, 200}); /* where she has logged in from */
    /* The right one makes the address known, and does not count. */
    for (int i = 0; i < 4; i++) {
        const char *bodies[] = {CURRENT("wrong", NEW), CURRENT(RIGHT, ",\"email\":\"dave@example.com\"")};
        cr_expect_eq(confirm("POST", "/api/v1/auth/password", dave, bodies[0]), 403, "%d", i);
        cr_expect_eq(confirm("PATCH", "/api/v1/auth/me", dave, bodies[1]), 200, "%d", i);
    }
    WALK({"203.0.113.1", "dave@example.com", RIGHT, 200});
    free(carol);
    free(dave);
}

static void stop_all(void)
{
    server_stop(&server);
}

/* It ends by itself, and can be switched off. */
Test(login_throttle, window_and_off, .fini = stop_all)
{
    start_with("1", "2s");
    sign_up("late@example.com");
    WALK({"198.51.100.1", "late@example.com", "wrong", 401}, {"198.51.100.1", "late@example.com", RIGHT, 429});
    unsigned status = 429;
    for (long long begun = 0; status == 429 && service_patience(&begun, 10000);)
        status = login_from("198.51.100.1", "late@example.com", RIGHT);
    cr_expect_eq(status, 200);
    server_stop(&server);

    start_with("0", "10m");
    for (int i = 0; i < 15; i++)
        cr_expect_eq(login_from("198.51.100.1", "late@example.com", "wrong"), 401);
}
