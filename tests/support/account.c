/* SPDX-License-Identifier: MIT */
#include "tests/support/account.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/http.h"
#include "tests/support/service.h"

unsigned account_call(int port, const char *method, const char *target, const struct account_client *client,
                      const char *body, json_t **ret_root)
{
    struct http_reply reply;
    http_call(port, method, target, client ? client->authorization : NULL, body, &reply);
    if (strncmp(target, ACCOUNT_AUTH, strlen(ACCOUNT_AUTH)) == 0 && reply.status == 200)
        cr_expect_str_eq(http_header(&reply, "Cache-Control"), "no-store", "%s %s", method, target);
    unsigned status = reply.status;
    if (ret_root)
        *ret_root = http_json(&reply);
    http_reply_free(&reply);
    return status;
}

void account_expect(int port, const char *method, const char *target, const struct account_client *client,
                    const char *body, unsigned status, const char *message)
{
    json_t *root;
    unsigned got = account_call(port, method, target, client, body, &root);
    cr_expect(got == status, "%s %s: %u, not %u", method, target, got, status);
    cr_expect_str_eq(http_json_text(root, "message"), message);
    json_decref(root);
}

void account_take_tokens(const json_t *root, struct account_client *ret_client)
{
    cr_assert(strlen(http_json_text(root, "token")) > 100);
    cr_assert_eq(strlen(http_json_text(root, "refreshToken")), 64);
    cr_expect_eq(http_json_integer(root, "expiresIn"), 3600);
    snprintf(ret_client->authorization, sizeof(ret_client->authorization), "Authorization: Bearer %s\r\n",
             http_json_text(root, "token"));
    snprintf(ret_client->refresh, sizeof(ret_client->refresh), "%s", http_json_text(root, "refreshToken"));
}

void account_log_in(int port, const char *body, struct account_client *ret_client)
{
    json_t *root;
    cr_assert_eq(account_call(port, "POST", ACCOUNT_AUTH "login", NULL, body, &root), 200);
    account_take_tokens(root, ret_client);
    json_decref(root);
}

void account_sign_up(int port, const char *body, struct account_client *ret_client)
{
    cr_assert_eq(account_call(port, "POST", ACCOUNT_AUTH "sign-up", NULL, body, NULL), 201);
    account_log_in(port, body, ret_client);
}

unsigned account_refresh(int port, const char *refresh_token, struct account_client *ret_client)
{
    char body[256];
    json_t *root;
    snprintf(body, sizeof(body), "{\"refreshToken\":\"%s\"}", refresh_token);
    unsigned status = account_call(port, "POST", ACCOUNT_AUTH "refresh", NULL, body, &root);
    if (status == 200) {
        cr_expect_str_eq(http_json_text(root, "message"), "Token refreshed successfully");
        account_take_tokens(root, ret_client);
    } else {
        cr_expect_str_eq(http_json_text(root, "message"), "Invalid or expired refresh token");
    }
    json_decref(root);
    return status;
}

void account_use_everywhere(int port, const struct account_client *client)
{
    for (int i = 0; i < 12; i++)
        cr_assert_eq(account_call(port, "GET", "/api/v1/todos", client, NULL, NULL), 200);
}

void account_expect_end(int port, const struct account_client *client, long long ended)
{
    long long begin;
    do {
        begin = service_milliseconds() - ended;
        unsigned status = account_call(port, "GET", "/api/v1/todos", client, NULL, NULL);
        cr_assert(status == 401 || (status == 200 && begin < 1200), "%u after %lld ms", status, begin);
        poll(NULL, 0, 10);
    } while (begin < 1300);
}
