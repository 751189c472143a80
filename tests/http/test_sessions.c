/* SPDX-License-Identifier: MIT */
/* Sessions: refresh tokens, their reuse, logging out, and what a password change or a deletion ends. */
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

#define AUTH "/api/v1/auth/"
#define ADA "{\"email\":\"ada@example.com\",\"password\":\"Passw0rd!\"}"
#define INVALID "Invalid or expired refresh token"

static struct test_server server;

struct client {
    char authorization[1024]; /* "Authorization: Bearer …\r\n" */
    char refresh[128];
};

static void start_with(const char *option)
{
    server_start(&server,
                 &(struct server_options){.environment = (const char *[]){"BACKPLANE_WORKERS=2", NULL},
                                          .arguments = option ? (const char *[]){"--set", option, NULL} : NULL});
}

static void start(void)
{
    start_with(NULL);
}

static void stop(void)
{
    server_stop(&server);
}

/* *ret_root may be NULL. */
static unsigned call(const char *method, const char *target, const struct client *client, const char *body,
                     json_t **ret_root)
{
    struct http_reply reply;
    http_call(server.port, method, target, client ? client->authorization : NULL, body, &reply);
    if (strncmp(target, AUTH, strlen(AUTH)) == 0 && reply.status == 200)
        cr_expect_str_eq(http_header(&reply, "Cache-Control"), "no-store", "%s %s: %u", method, target, reply.status);
    unsigned status = reply.status;
    if (ret_root)
        *ret_root = http_json(&reply);
    http_reply_free(&reply);
    return status;
}

static void expect(const char *method, const char *target, const struct client *client, const char *body,
                   unsigned status, const char *message)
{
    json_t *root;
    unsigned got = call(method, target, client, body, &root);
    cr_expect(got == status, "%s %s: %u, not %u", method, target, got, status);
    cr_expect_str_eq(http_json_text(root, "message"), message);
    json_decref(root);
}

static void take_tokens(const json_t *root, struct client *ret_client)
{
    cr_assert(strlen(http_json_text(root, "token")) > 100);
    cr_assert_eq(strlen(http_json_text(root, "refreshToken")), 64);
    cr_expect_eq(http_json_integer(root, "expiresIn"), 3600);
    snprintf(ret_client->authorization, sizeof(ret_client->authorization), "Authorization: Bearer %s\r\n",
             http_json_text(root, "token"));
    snprintf(ret_client->refresh, sizeof(ret_client->refresh), "%s", http_json_text(root, "refreshToken"));
}

static void log_in(const char *body, struct client *ret_client)
{
    json_t *root;
    cr_assert_eq(call("POST", AUTH "login", NULL, body, &root), 200);
    take_tokens(root, ret_client);
    json_decref(root);
}

static void sign_up(const char *body, struct client *ret_client)
{
    cr_assert_eq(call("POST", AUTH "sign-up", NULL, body, NULL), 201);
    log_in(body, ret_client);
}

static void refresh_body(const char *token, char ret_body[256])
{
    snprintf(ret_body, 256, "{\"refreshToken\":\"%s\"}", token);
}

static unsigned refresh(const char *token, struct client *ret_client)
{
    char body[256];
    json_t *root;
    refresh_body(token, body);
    unsigned status = call("POST", AUTH "refresh", NULL, body, &root);
    if (status == 200) {
        cr_expect_str_eq(http_json_text(root, "message"), "Token refreshed successfully");
        take_tokens(root, ret_client);
    } else {
        cr_expect_str_eq(http_json_text(root, "message"), INVALID);
    }
    json_decref(root);
    return status;
}

static unsigned todos_status(const struct client *client)
{
    return call("GET", "/api/v1/todos", client, NULL, NULL);
}

static long long milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Both workers may have seen the token; each must notice within the interval of a second, and a bit for a question under way. */
static void expect_ends(const struct client *client, long long ended)
{
    long long begin;
    do {
        begin = milliseconds() - ended;
        unsigned status = todos_status(client);
        cr_assert(status == 401 || (status == 200 && begin < 1200), "%u after %lld ms", status, begin);
        poll(NULL, 0, 10);
    } while (begin < 1300);
}

/* So that every worker has it in its memory. */
static void use_everywhere(const struct client *client)
{
    for (int i = 0; i < 12; i++)
        cr_assert_eq(todos_status(client), 200);
}

Test(sessions, rotation, .init = start, .fini = stop)
{
    struct client first, second, third;
    json_t *before, *after;
    sign_up(ADA, &first);
    cr_assert_eq(refresh(first.refresh, &second), 200);
    cr_expect_str_neq(first.refresh, second.refresh);
    cr_assert_eq(refresh(second.refresh, &third), 200);
    cr_expect_str_neq(second.refresh, third.refresh);
    /* It is one session, and every token of it that has not expired is good. */
    cr_expect_eq(todos_status(&first), 200);
    cr_expect_eq(todos_status(&third), 200);
    cr_assert_eq(call("GET", AUTH "sessions", &first, NULL, &before), 200);
    cr_assert_eq(call("GET", AUTH "sessions", &third, NULL, &after), 200);
    cr_expect_eq(json_array_size(http_json_at(before, "data")), 1);
    cr_expect(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    /* Nothing that is good is in the database. */
    char *kept = database_ask(&server, "SELECT family || token_hash || previous_hash || successor FROM sessions");
    cr_expect_not(strstr(kept, first.refresh) || strstr(kept, second.refresh) || strstr(kept, third.refresh));
    cr_expect_not(strstr(kept, third.refresh + 24), "%s", kept);
    cr_expect_eq(strlen(kept), 4 * 43);
    free(kept);
}

Test(sessions, refresh_is_refused, .init = start, .fini = stop)
{
    struct client client, other;
    struct http_reply reply;
    char body[256], token[128];
    sign_up(ADA, &client);
    static const char *const wrong[] = {"", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        refresh_body(wrong[i], body);
        http_call(server.port, "POST", AUTH "refresh", NULL, body, &reply);
        cr_expect_eq(reply.status, 401, "%s", reply.body);
        cr_expect_str_eq(http_header(&reply, "WWW-Authenticate"), "Bearer realm=\"api\"");
        cr_expect_str_eq(http_header(&reply, "Cache-Control"), "no-store");
        http_reply_free(&reply);
    }
    expect("POST", AUTH "refresh", NULL, "{}", 400, "Validation failed: Refresh token is required");
    expect("POST", AUTH "refresh", NULL, "{\"refreshToken\":7}", 400, "Validation failed: Refresh token is required");
    /* Expired. */
    database_execute(&server, database_kind() == DATABASE_SQLITE ? "UPDATE sessions SET expires_at = 1000"
                                                                 : "UPDATE sessions SET expires_at = 'epoch'");
    cr_expect_eq(refresh(client.refresh, &other), 401);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM sessions"), 1, "that is no reuse");
    /* Of an account that is disabled: neither. */
    log_in(ADA, &client);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM sessions"), 1, "the expired one is gone");
    database_execute(&server, "UPDATE users SET disabled = true");
    cr_expect_eq(refresh(client.refresh, &other), 401);
    expect("POST", AUTH "login", NULL, ADA, 403, "Account is disabled");
    database_execute(&server, "UPDATE users SET disabled = false");
    cr_expect_eq(refresh(client.refresh, &other), 200);
    /* The family of a session with something made up is known to nobody who has not had a token of it. */
    memcpy(token, other.refresh, sizeof(token));
    memset(token + 30, 'A', 34);
    cr_expect_eq(refresh(token, &client), 401);
    cr_expect_eq(refresh(other.refresh, &client), 401, "the session was ended");
}

Test(sessions, reuse_within_the_grace, .init = start, .fini = stop)
{
    struct client first, second, again, next;
    sign_up(ADA, &first);
    cr_assert_eq(refresh(first.refresh, &second), 200);
    cr_assert_eq(refresh(first.refresh, &again), 200);
    cr_expect_str_eq(second.refresh, again.refresh);
    cr_expect_eq(todos_status(&again), 200);
    cr_assert_eq(refresh(again.refresh, &next), 200);
    /* That was two ago now: somebody else has it. */
    cr_expect_eq(refresh(first.refresh, &again), 401);
    cr_expect_eq(refresh(next.refresh, &again), 401);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM sessions"), 0);
    cr_expect(server_wait_output(&server, "auth.refresh_token_reused"));
    expect_ends(&next, milliseconds());
}

Test(sessions, reuse_after_the_grace)
{
    struct client first, second, other, again;
    start_with("plugins.auth.refresh_grace=0s");
    sign_up(ADA, &first);
    log_in(ADA, &other);
    cr_assert_eq(refresh(first.refresh, &second), 200);
    use_everywhere(&second);
    long long begin = milliseconds();
    while (milliseconds() == begin) /* 0 is within the same millisecond */
        poll(NULL, 0, 1);
    cr_expect_eq(refresh(first.refresh, &again), 401);
    expect_ends(&second, milliseconds());
    cr_expect_eq(refresh(second.refresh, &again), 401);
    cr_expect_eq(refresh(other.refresh, &again), 200, "another session of the account goes on");
    server_stop(&server);
}

enum { CALLERS = 12 };

struct caller {
    pthread_t thread;
    const char *body;
    unsigned status;
    char refresh[128];
};

static pthread_barrier_t barrier;

static void *refresh_at_once(void *argument)
{
    struct caller *caller = argument;
    struct http_reply reply;
    pthread_barrier_wait(&barrier);
    if (!http_try(server.port, "POST", AUTH "refresh", NULL, caller->body, &reply))
        return NULL;
    caller->status = reply.status;
    json_t *root = http_json(&reply);
    snprintf(caller->refresh, sizeof(caller->refresh), "%s", http_json_text(root, "refreshToken"));
    json_decref(root);
    http_reply_free(&reply);
    return NULL;
}

/* Whoever comes second is told what the first one got: one successor, whichever worker answers. */
Test(sessions, concurrent_refreshes, .init = start, .fini = stop)
{
    struct caller callers[CALLERS];
    struct client client, next;
    char body[256];
    sign_up(ADA, &client);
    for (int round = 0; round < 5; round++) {
        refresh_body(client.refresh, body);
        pthread_barrier_init(&barrier, NULL, CALLERS);
        for (int i = 0; i < CALLERS; i++) {
            callers[i] = (struct caller){.body = body};
            cr_assert_eq(pthread_create(&callers[i].thread, NULL, refresh_at_once, &callers[i]), 0);
        }
        for (int i = 0; i < CALLERS; i++)
            pthread_join(callers[i].thread, NULL);
        pthread_barrier_destroy(&barrier);
        for (int i = 0; i < CALLERS; i++) {
            cr_expect_eq(callers[i].status, 200);
            cr_expect_str_eq(callers[i].refresh, callers[0].refresh);
        }
        cr_assert_eq(refresh(callers[0].refresh, &next), 200);
        client = next;
    }
}

Test(sessions, logout, .init = start, .fini = stop)
{
    struct client client, other, none;
    sign_up(ADA, &client);
    log_in(ADA, &other);
    use_everywhere(&client);
    expect("POST", AUTH "logout", &client, NULL, 200, "Logged out successfully");
    expect_ends(&client, milliseconds());
    cr_expect_eq(refresh(client.refresh, &none), 401);
    cr_expect_eq(todos_status(&other), 200);
    expect("POST", AUTH "logout", NULL, NULL, 401, "Authentication required");

    log_in(ADA, &client);
    use_everywhere(&client);
    use_everywhere(&other);
    expect("POST", AUTH "logout-all", &client, NULL, 200, "Logged out everywhere");
    long long ended = milliseconds();
    expect_ends(&other, ended);
    cr_expect_eq(todos_status(&client), 401);
    cr_expect_eq(refresh(other.refresh, &none), 401);
    log_in(ADA, &client);
    cr_expect_eq(todos_status(&client), 200);
}

Test(sessions, list_and_end, .init = start, .fini = stop)
{
    struct client ada, phone, bob;
    json_t *root;
    char target[128];
    sign_up(ADA, &ada);
    struct http_reply reply;
    http_call(server.port, "POST", AUTH "login", "User-Agent: phone/\xc3\xa4 1\r\n", ADA, &reply);
    root = http_json(&reply);
    take_tokens(root, &phone);
    json_decref(root);
    http_reply_free(&reply);
    sign_up("{\"email\":\"bob@example.com\",\"password\":\"Passw0rd!\"}", &bob);

    cr_assert_eq(call("GET", AUTH "sessions", &ada, NULL, &root), 200);
    cr_expect_str_eq(http_json_text(root, "message"), "Sessions retrieved successfully");
    cr_assert_eq(json_array_size(http_json_at(root, "data")), 2);
    cr_expect_str_eq(http_json_text(root, "data.0.userAgent"), "phone/?? 1");
    cr_expect_str_eq(http_json_text(root, "data.0.address"), "127.0.0.1");
    cr_expect(json_is_false(http_json_at(root, "data.0.current")));
    cr_expect(json_is_true(http_json_at(root, "data.1.current")));
    cr_expect_eq(strlen(http_json_text(root, "data.0.createdAt")), 24);
    cr_expect_str_eq(http_json_text(root, "data.0.lastUsedAt"), http_json_text(root, "data.0.createdAt"));
    cr_expect(strcmp(http_json_text(root, "data.0.expiresAt"), http_json_text(root, "data.0.createdAt")) > 0);
    cr_expect_eq(json_object_size(http_json_at(root, "data.0")), 7, "no hashes, no user");
    snprintf(target, sizeof(target), AUTH "sessions/%s", http_json_text(root, "data.0.id"));
    json_decref(root);

    expect("DELETE", AUTH "sessions/x", &ada, NULL, 400, "Validation failed: Invalid session ID format");
    expect("DELETE", target, &bob, NULL, 404, "Session not found");
    use_everywhere(&phone);
    expect("DELETE", target, &ada, NULL, 200, "Session ended successfully");
    expect_ends(&phone, milliseconds());
    expect("DELETE", target, &ada, NULL, 404, "Session not found");
    cr_assert_eq(call("GET", AUTH "sessions", &ada, NULL, &root), 200);
    cr_expect_eq(json_array_size(http_json_at(root, "data")), 1);
    json_decref(root);
    expect("GET", AUTH "sessions", NULL, NULL, 401, "Authentication required");
}

Test(sessions, are_bounded)
{
    struct client clients[4], none;
    start_with("plugins.auth.sessions_max=2");
    sign_up(ADA, &clients[0]);
    for (int i = 1; i < 4; i++)
        log_in(ADA, &clients[i]);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM sessions"), 2);
    cr_expect_eq(refresh(clients[0].refresh, &none), 401);
    cr_expect_eq(refresh(clients[1].refresh, &none), 401);
    cr_expect_eq(refresh(clients[2].refresh, &none), 200);
    cr_expect_eq(refresh(clients[3].refresh, &none), 200);
    server_stop(&server);
}
