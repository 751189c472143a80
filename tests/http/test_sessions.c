/* SPDX-License-Identifier: MIT */
/* Sessions: refresh tokens, their reuse, logging out, and what a password change or a deletion ends. */
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/account.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

#define AUTH ACCOUNT_AUTH
#define ADA "{\"email\":\"ada@example.com\",\"password\":\"Passw0rd!\"}"

static struct test_server server;

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

Test(sessions, rotation, .init = start, .fini = stop)
{
    struct account_client first, second, third;
    json_t *before, *after;
    account_sign_up(server.port, ADA, &first);
    cr_assert_eq(account_refresh(server.port, first.refresh, &second), 200);
    cr_expect_str_neq(first.refresh, second.refresh);
    cr_assert_eq(account_refresh(server.port, second.refresh, &third), 200);
    cr_expect_str_neq(second.refresh, third.refresh);
    /* It is one session, and every token of it that has not expired is good. */
    cr_expect_eq(account_call(server.port, "GET", "/api/v1/todos", &first, NULL, NULL), 200);
    cr_expect_eq(account_call(server.port, "GET", "/api/v1/todos", &third, NULL, NULL), 200);
    cr_assert_eq(account_call(server.port, "GET", AUTH "sessions", &first, NULL, &before), 200);
    cr_assert_eq(account_call(server.port, "GET", AUTH "sessions", &third, NULL, &after), 200);
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
    struct account_client client, other;
    struct http_reply reply;
    char body[256], token[128];
    account_sign_up(server.port, ADA, &client);
    static const char *const wrong[] = {"", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        snprintf(body, sizeof(body), "{\"refreshToken\":\"%s\"}", wrong[i]);
        http_call(server.port, "POST", AUTH "refresh", NULL, body, &reply);
        cr_expect_eq(reply.status, 401, "%s", reply.body);
        cr_expect_str_eq(http_header(&reply, "WWW-Authenticate"), "Bearer realm=\"api\"");
        cr_expect_str_eq(http_header(&reply, "Cache-Control"), "no-store");
        http_reply_free(&reply);
    }
    account_expect(server.port, "POST", AUTH "refresh", NULL, "{}", 400,
                   "Validation failed: Refresh token is required");
    account_expect(server.port, "POST", AUTH "refresh", NULL, "{\"refreshToken\":7}", 400,
                   "Validation failed: Refresh token is required");
    /* Expired. */
    database_execute(&server, database_kind() == DATABASE_SQLITE ? "UPDATE sessions SET expires_at = 1000"
                                                                 : "UPDATE sessions SET expires_at = 'epoch'");
    cr_expect_eq(account_refresh(server.port, client.refresh, &other), 401);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM sessions"), 1, "that is no reuse");
    /* Of an account that is disabled: neither. */
    account_log_in(server.port, ADA, &client);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM sessions"), 1, "the expired one is gone");
    database_execute(&server, "UPDATE users SET disabled = true");
    cr_expect_eq(account_refresh(server.port, client.refresh, &other), 401);
    account_expect(server.port, "POST", AUTH "login", NULL, ADA, 403, "Account is disabled");
    database_execute(&server, "UPDATE users SET disabled = false");
    cr_expect_eq(account_refresh(server.port, client.refresh, &other), 200);
    /* The family of a session with something made up is known to nobody who has not had a token of it. */
    memcpy(token, other.refresh, sizeof(token));
    memset(token + 30, 'A', 34);
    cr_expect_eq(account_refresh(server.port, token, &client), 401);
    cr_expect_eq(account_refresh(server.port, other.refresh, &client), 401, "the session was ended");
}

Test(sessions, reuse_within_the_grace, .init = start, .fini = stop)
{
    struct account_client first, second, again, next;
    account_sign_up(server.port, ADA, &first);
    cr_assert_eq(account_refresh(server.port, first.refresh, &second), 200);
    cr_assert_eq(account_refresh(server.port, first.refresh, &again), 200);
    cr_expect_str_eq(second.refresh, again.refresh);
    cr_expect_eq(account_call(server.port, "GET", "/api/v1/todos", &again, NULL, NULL), 200);
    cr_assert_eq(account_refresh(server.port, again.refresh, &next), 200);
    /* That was two ago now: somebody else has it. */
    cr_expect_eq(account_refresh(server.port, first.refresh, &again), 401);
    cr_expect_eq(account_refresh(server.port, next.refresh, &again), 401);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM sessions"), 0);
    cr_expect(server_wait_output(&server, "auth.refresh_token_reused"));
    account_expect_end(server.port, &next, service_milliseconds());
}

Test(sessions, reuse_after_the_grace)
{
    struct account_client first, second, other, again;
    start_with("plugins.auth.refresh_grace=0s");
    account_sign_up(server.port, ADA, &first);
    account_log_in(server.port, ADA, &other);
    cr_assert_eq(account_refresh(server.port, first.refresh, &second), 200);
    account_use_everywhere(server.port, &second);
    long long begin = service_milliseconds();
    while (service_milliseconds() == begin) /* 0 is within the same millisecond */
        poll(NULL, 0, 1);
    cr_expect_eq(account_refresh(server.port, first.refresh, &again), 401);
    account_expect_end(server.port, &second, service_milliseconds());
    cr_expect_eq(account_refresh(server.port, second.refresh, &again), 401);
    cr_expect_eq(account_refresh(server.port, other.refresh, &again), 200, "another session of the account goes on");
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
    struct account_client client, next;
    char body[256];
    account_sign_up(server.port, ADA, &client);
    for (int round = 0; round < 5; round++) {
        snprintf(body, sizeof(body), "{\"refreshToken\":\"%s\"}", client.refresh);
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
        cr_assert_eq(account_refresh(server.port, callers[0].refresh, &next), 200);
        client = next;
    }
}

Test(sessions, logout, .init = start, .fini = stop)
{
    struct account_client client, other, none;
    account_sign_up(server.port, ADA, &client);
    account_log_in(server.port, ADA, &other);
    account_use_everywhere(server.port, &client);
    account_expect(server.port, "POST", AUTH "logout", &client, NULL, 200, "Logged out successfully");
    account_expect_end(server.port, &client, service_milliseconds());
    cr_expect_eq(account_refresh(server.port, client.refresh, &none), 401);
    cr_expect_eq(account_call(server.port, "GET", "/api/v1/todos", &other, NULL, NULL), 200);
    account_expect(server.port, "POST", AUTH "logout", NULL, NULL, 401, "Authentication required");

    account_log_in(server.port, ADA, &client);
    account_use_everywhere(server.port, &client);
    account_use_everywhere(server.port, &other);
    account_expect(server.port, "POST", AUTH "logout-all", &client, NULL, 200, "Logged out everywhere");
    long long ended = service_milliseconds();
    account_expect_end(server.port, &other, ended);
    cr_expect_eq(account_call(server.port, "GET", "/api/v1/todos", &client, NULL, NULL), 401);
    cr_expect_eq(account_refresh(server.port, other.refresh, &none), 401);
    account_log_in(server.port, ADA, &client);
    cr_expect_eq(account_call(server.port, "GET", "/api/v1/todos", &client, NULL, NULL), 200);
}

Test(sessions, list_and_end, .init = start, .fini = stop)
{
    struct account_client ada, phone, bob;
    json_t *root;
    char target[128];
    account_sign_up(server.port, ADA, &ada);
    struct http_reply reply;
    http_call(server.port, "POST", AUTH "login", "User-Agent: phone/\xc3\xa4 1\r\n", ADA, &reply);
    root = http_json(&reply);
    account_take_tokens(root, &phone);
    json_decref(root);
    http_reply_free(&reply);
    account_sign_up(server.port, "{\"email\":\"bob@example.com\",\"password\":\"Passw0rd!\"}", &bob);

    cr_assert_eq(account_call(server.port, "GET", AUTH "sessions", &ada, NULL, &root), 200);
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

    account_expect(server.port, "DELETE", AUTH "sessions/x", &ada, NULL, 400,
                   "Validation failed: Invalid session ID format");
    account_expect(server.port, "DELETE", target, &bob, NULL, 404, "Session not found");
    account_use_everywhere(server.port, &phone);
    account_expect(server.port, "DELETE", target, &ada, NULL, 200, "Session ended successfully");
    account_expect_end(server.port, &phone, service_milliseconds());
    account_expect(server.port, "DELETE", target, &ada, NULL, 404, "Session not found");
    cr_assert_eq(account_call(server.port, "GET", AUTH "sessions", &ada, NULL, &root), 200);
    cr_expect_eq(json_array_size(http_json_at(root, "data")), 1);
    json_decref(root);
    account_expect(server.port, "GET", AUTH "sessions", NULL, NULL, 401, "Authentication required");
}

Test(sessions, are_bounded)
{
    struct account_client clients[4], none;
    start_with("plugins.auth.sessions_max=2");
    account_sign_up(server.port, ADA, &clients[0]);
    for (int i = 1; i < 4; i++)
        account_log_in(server.port, ADA, &clients[i]);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM sessions"), 2);
    cr_expect_eq(account_refresh(server.port, clients[0].refresh, &none), 401);
    cr_expect_eq(account_refresh(server.port, clients[1].refresh, &none), 401);
    cr_expect_eq(account_refresh(server.port, clients[2].refresh, &none), 200);
    cr_expect_eq(account_refresh(server.port, clients[3].refresh, &none), 200);
    server_stop(&server);
}
