/* SPDX-License-Identifier: MIT */
/* Reading one's writes through the cache: several workers, one account, many connections that stay. Whoever begins to ask after a write
 * was answered must see it. */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/todo_load.h"

TestSuite(cache_writes, .timeout = 120);

Test(cache_writes, a_read_after_a_write_sees_it)
{
    struct test_server server;
    server_start(&server, &(struct server_options){.environment = (const char *[]){"BACKPLANE_WORKERS=4", NULL}});
    char *ada = http_login(server.port, "ada@example.com");
    const int ports[] = {server.port};
    struct todo_load load;
    todo_load_start(&load, ports, 1, ada, 4, 4);
    while (atomic_load(&load.acknowledged) < 300 && !atomic_load(&load.wrong))
        todo_load_wait();
    todo_load_stop(&load);
    cr_expect_eq(load.wrong, 0, "%s", load.problem);
    cr_expect_gt(load.reads, 100, "%u", load.reads);
    cr_expect_gt(load.hits, 20, "%u of %u reads", load.hits, load.reads);
    cr_expect_eq(load.refused, 0);
    free(ada);
    cr_assert_eq(server_stop(&server), 0);
}

Test(cache_writes, users_do_not_share)
{
    struct test_server server;
    struct http_reply reply;
    server_start(&server, &(struct server_options){.environment = (const char *[]){"BACKPLANE_WORKERS=1", NULL}});
    char *ada = http_login(server.port, "ada@example.com"), *bob = http_login(server.port, "bob@example.com");
    http_call(server.port, "POST", "/api/v1/todos", ada, "{\"title\":\"of Ada\"}", &reply);
    cr_assert_eq(reply.status, 201);
    json_t *created = http_json(&reply);
    char own[96];
    snprintf(own, sizeof(own), "/api/v1/todos/%s", http_json_text(created, "data.id"));
    json_decref(created);
    http_reply_free(&reply);
    static const struct {
        bool bob;
        bool list;
        unsigned status;
        const char *result;
        bool seen;
    } asks[] = {{false, true, 200, "MISS", true}, {true, true, 200, "MISS", false},  {false, true, 200, "HIT", true},
                {true, true, 200, "HIT", false},  {false, false, 200, "MISS", true}, {true, false, 404, "MISS", false},
                {false, false, 200, "HIT", true}, {true, false, 404, "MISS", false}};
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        http_call(server.port, "GET", asks[i].list ? "/api/v1/todos" : own, asks[i].bob ? bob : ada, NULL, &reply);
        cr_expect_eq(reply.status, asks[i].status, "%zu: %u", i, reply.status);
        cr_expect_str_eq(http_header(&reply, "X-Cache"), asks[i].result, "%zu", i);
        cr_expect_eq(strstr(reply.body, "of Ada") != NULL, asks[i].seen, "%zu: %s", i, reply.body);
        http_reply_free(&reply);
    }
    /* Another's write is not theirs: what is kept for Ada stays. */
    http_call(server.port, "POST", "/api/v1/todos", bob, "{\"title\":\"of Bob\"}", &reply);
    http_reply_free(&reply);
    http_call(server.port, "GET", "/api/v1/todos", ada, NULL, &reply);
    cr_expect_str_eq(http_header(&reply, "X-Cache"), "HIT");
    cr_expect_str_eq(http_header(&reply, "Cache-Control"), "private, no-cache");
    http_reply_free(&reply);
    http_call(server.port, "GET", "/api/v1/todos", bob, NULL, &reply);
    cr_expect_str_eq(http_header(&reply, "X-Cache"), "MISS");
    cr_expect(strstr(reply.body, "of Bob"));
    http_reply_free(&reply);
    /* A cached reply needs a valid token all the same. */
    http_call(server.port, "GET", "/api/v1/todos", "Authorization: Bearer x.y.z\r\n", NULL, &reply);
    cr_expect_eq(reply.status, 401);
    cr_expect_null(http_header(&reply, "X-Cache"));
    http_reply_free(&reply);
    free(ada);
    free(bob);
    cr_assert_eq(server_stop(&server), 0);
}

/* The list's own rules hold whatever is kept. */
Test(cache_writes, queries_of_a_list)
{
    static const struct {
        const char *target;
        unsigned status;
        const char *result;
    } asks[] = {{"/api/v1/todos", 200, "MISS"},
                {"/api/v1/todos?completed=true", 200, "MISS"},
                {"/api/v1/todos?completed=false", 200, "MISS"},
                {"/api/v1/todos?completed=true", 200, "HIT"},
                {"/api/v1/todos?limit=5&sort=title", 200, "MISS"},
                {"/api/v1/todos?sort=title&limit=5", 200, "HIT"},
                {"/api/v1/todos?sort=-title&limit=5", 200, "MISS"},
                {"/api/v1/todos?nothing=1", 400, "MISS"},
                {"/api/v1/todos?completed=true&completed=true", 400, "BYPASS"},
                {"/api/v1/todos?priority[gte]=1", 200, "MISS"},
                {"/api/v1/todos?priority[gte]=2", 200, "MISS"},
                {"/api/v1/todos?fields=title", 200, "MISS"},
                {"/api/v1/todos", 200, "HIT"}};
    struct test_server server;
    struct http_reply reply;
    server_start(&server, &(struct server_options){.environment = (const char *[]){"BACKPLANE_WORKERS=1", NULL}});
    char *ada = http_login(server.port, "ada@example.com");
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        http_call(server.port, "GET", asks[i].target, ada, NULL, &reply);
        cr_expect_eq(reply.status, asks[i].status, "%s: %u %s", asks[i].target, reply.status, reply.body);
        cr_expect_str_eq(http_header(&reply, "X-Cache"), asks[i].result, "%s", asks[i].target);
        http_reply_free(&reply);
    }
    free(ada);
    cr_assert_eq(server_stop(&server), 0);
}
