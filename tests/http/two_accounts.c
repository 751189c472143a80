/* SPDX-License-Identifier: MIT */
#include "two_accounts.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/service.h"

struct test_server server;
char *ada, *bob;

void start(void)
{
    server_start(&server, &(struct server_options){.environment = (const char *[]){"BACKPLANE_WORKERS=2", NULL}});
    ada = http_login(server.port, "ada@example.com");
    bob = http_login(server.port, "bob@example.com");
}

void stop(void)
{
    free(ada);
    free(bob);
    server_stop(&server);
}

unsigned ask(const char *who, const char *method, const char *target, const char *headers, const char *body,
             json_t **ret_root)
{
    struct http_reply reply;
    char lines[2048];
    snprintf(lines, sizeof(lines), "%s%s", who, headers ? headers : "");
    http_call(server.port, method, target, lines, body, &reply);
    unsigned status = reply.status;
    if (ret_root)
        *ret_root = http_json(&reply);
    http_reply_free(&reply);
    return status;
}

json_t *call(const char *who, const char *method, const char *target, const char *body, unsigned status)
{
    json_t *root;
    unsigned found = ask(who, method, target, NULL, body, &root);
    cr_assert_eq(found, status, "%s %s %s: %u %s", method, target, body ? body : "", found,
                 http_json_text(root, "message"));
    return root;
}

void expect(const char *who, const char *method, const char *target, const char *body, unsigned status,
            const char *message)
{
    json_t *root = call(who, method, target, body, status);
    cr_expect_str_eq(http_json_text(root, "message"), message, "%s %s %s: %s", method, target, body ? body : "",
                     http_json_text(root, "message"));
    json_decref(root);
}

void add_todo(const char *who, const char *body, char ret_path[80])
{
    json_t *root = call(who, "POST", TODOS, body, 201);
    snprintf(ret_path, 80, TODOS "/%s", http_json_text(root, "data.id"));
    json_decref(root);
    service_next_millisecond();
}

const char *id_of(const char *path)
{
    return strrchr(path, '/') + 1;
}
