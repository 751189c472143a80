/* SPDX-License-Identifier: MIT */
/* Todos: the contract that exists already. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

#define TODOS "/api/v1/todos"
#define UNKNOWN TODOS "/0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f"

static struct test_server server;
static char *ada, *bob;

static void start(void)
{
    server_start(&server, &(struct server_options){.environment = (const char *[]){"BACKPLANE_WORKERS=2", NULL}});
    ada = http_login(server.port, "ada@example.com");
    bob = http_login(server.port, "bob@example.com");
}

static void stop(void)
{
    free(ada);
    free(bob);
    server_stop(&server);
}

/* The reply's body, which the caller json_decref()s. */
static json_t *call(const char *who, const char *method, const char *target, const char *body, unsigned status)
{
    struct http_reply reply;
    http_call(server.port, method, target, who, body, &reply);
    cr_assert_eq(reply.status, status, "%s %s %s: %u %s", method, target, body ? body : "", reply.status, reply.body);
    json_t *root = http_json(&reply);
    cr_expect(json_is_boolean(http_json_at(root, "success")));
    cr_expect_eq(json_is_true(http_json_at(root, "success")), status < 400);
    http_reply_free(&reply);
    return root;
}

static void expect_message(const char *who, const char *method, const char *target, const char *body, unsigned status,
                           const char *message)
{
    json_t *root = call(who, method, target, body, status);
    cr_expect_str_eq(http_json_text(root, "message"), message, "%s %s: %s", method, body ? body : "",
                     http_json_text(root, "message"));
    if (status >= 400)
        cr_expect_str_eq(http_json_text(root, "status"), "fail");
    json_decref(root);
}

/* The path of a new todo; in a buffer of the caller's. */
static void add(const char *who, const char *title, char ret_path[80])
{
    char body[256];
    snprintf(body, sizeof(body), "{\"title\":\"%s\"}", title);
    json_t *root = call(who, "POST", TODOS, body, 201);
    snprintf(ret_path, 80, TODOS "/%s", http_json_text(root, "data.id"));
    json_decref(root);
}

Test(todos, create, .init = start, .fini = stop)
{
    json_t *root =
        call(ada, "POST", TODOS,
             "{\"title\":\"  Buy milk \",\"userId\":\"0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f\",\"id\":1}", 201);
    cr_expect_str_eq(http_json_text(root, "message"), "Todo created successfully");
    cr_expect_str_eq(http_json_text(root, "data.title"), "Buy milk");
    cr_expect(json_is_false(http_json_at(root, "data.completed")));
    cr_expect_eq(strlen(http_json_text(root, "data.id")), 36);
    cr_expect_eq(strlen(http_json_text(root, "data.userId")), 36);
    cr_expect_str_neq(http_json_text(root, "data.userId"), "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f");
    cr_expect_eq(strlen(http_json_text(root, "data.createdAt")), 24);
    cr_expect_str_eq(http_json_text(root, "data.createdAt"), http_json_text(root, "data.updatedAt"));
    json_decref(root);

    root = call(ada, "POST", TODOS, "{\"title\":\"\\u00e4 \\\"\\\\ \\ud83d\\ude00 \\u2028\",\"completed\":true}", 201);
    cr_expect_str_eq(http_json_text(root, "data.title"), "\xc3\xa4 \"\\ \xf0\x9f\x98\x80");
    cr_expect(json_is_true(http_json_at(root, "data.completed")));
    json_decref(root);
}

#define FAILED "Validation failed: "
static const struct {
    const char *body, *create, *update; /* messages; NULL: fine */
} bodies[] = {
    {"{}", FAILED "Title is required", NULL},
    {"{\"title\":null}", FAILED "Title is required", FAILED "Title is required"},
    {"{\"title\":5}", FAILED "Title is required", FAILED "Title is required"},
    {"{\"title\":\"\"}", FAILED "Title cannot be empty", FAILED "Title cannot be empty"},
    {"{\"title\":\" \\t\\n \"}", FAILED "Title cannot be empty", FAILED "Title cannot be empty"},
    {"{\"title\":\"x\",\"completed\":\"true\"}", FAILED "Completed must be a boolean",
     FAILED "Completed must be a boolean"},
    {"{\"title\":\"x\",\"completed\":null}", FAILED "Completed must be a boolean",
     FAILED "Completed must be a boolean"},
    {"{\"title\":null,\"completed\":1}", FAILED "Title is required, Completed must be a boolean",
     FAILED "Title is required, Completed must be a boolean"},
    {"{\"title\":\"x\",\"unknown\":1}", NULL, NULL},
    {"{\"title\":\"x\",\"completed\":true}", NULL, NULL},
};

Test(todos, validation, .init = start, .fini = stop)
{
    char path[80], title[2100] = "", body[2200];
    add(ada, "x", path);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        expect_message(ada, "POST", TODOS, bodies[i].body, bodies[i].create ? 400 : 201,
                       bodies[i].create ? bodies[i].create : "Todo created successfully");
        expect_message(ada, "PATCH", path, bodies[i].body, bodies[i].update ? 400 : 200,
                       bodies[i].update ? bodies[i].update : "Todo updated successfully");
    }
    /* 500 code points of four bytes, and white space that is not counted. */
    for (int i = 0; i < 500; i++)
        strcat(title, "\xf0\x9f\x98\x80");
    snprintf(body, sizeof(body), "{\"title\":\"  %s  \"}", title);
    expect_message(ada, "POST", TODOS, body, 201, "Todo created successfully");
    expect_message(ada, "PATCH", path, body, 200, "Todo updated successfully");
    snprintf(body, sizeof(body), "{\"title\":\"%sx\"}", title);
    expect_message(ada, "POST", TODOS, body, 400, FAILED "Title must be less than 500 characters");
    expect_message(ada, "PATCH", path, body, 400, FAILED "Title must be less than 500 characters");

    expect_message(ada, "PATCH", TODOS "/nonsense", "{}", 400, FAILED "Invalid todo ID format");
    expect_message(ada, "DELETE", TODOS "/1", NULL, 400, FAILED "Invalid todo ID format");
    expect_message(ada, "PATCH", UNKNOWN, "{\"completed\":true}", 404, "Todo not found");
    expect_message(ada, "PATCH", UNKNOWN, "{}", 404, "Todo not found");
    expect_message(ada, "DELETE", UNKNOWN, NULL, 404, "Todo not found");
}

Test(todos, update_and_delete, .init = start, .fini = stop)
{
    char path[80], updated[32], created[32];
    json_t *root = call(ada, "POST", TODOS, "{\"title\":\"first\"}", 201);
    snprintf(path, sizeof(path), TODOS "/%s", http_json_text(root, "data.id"));
    snprintf(created, sizeof(created), "%s", http_json_text(root, "data.createdAt"));
    snprintf(updated, sizeof(updated), "%s", http_json_text(root, "data.updatedAt"));
    json_decref(root);

    root = call(ada, "GET", path, NULL, 200);
    cr_expect_str_eq(http_json_text(root, "message"), "Todo retrieved successfully");
    cr_expect_str_eq(http_json_text(root, "data.title"), "first");
    cr_expect(json_object_size(http_json_at(root, "data")) >= 6); /* members may be added, none removed */
    json_decref(root);
    expect_message(ada, "GET", UNKNOWN, NULL, 404, "Todo not found");
    expect_message(ada, "GET", TODOS "/1", NULL, 400, "Validation failed: Invalid todo ID format");
    expect_message(bob, "GET", path, NULL, 404, "Todo not found");

    root = call(ada, "PATCH", path, "{}", 200);
    cr_expect_str_eq(http_json_text(root, "message"), "Todo updated successfully");
    cr_expect_str_eq(http_json_text(root, "data.title"), "first");
    cr_expect_str_eq(http_json_text(root, "data.updatedAt"), updated);
    json_decref(root);

    /* Each change is later than the one before, however fast they come. */
    static const struct {
        const char *body, *title;
        bool completed;
    } steps[] = {
        {"{\"completed\":true}", "first", true},
        {"{\"title\":\" second \"}", "second", true},
        {"{\"title\":\"third\",\"completed\":false,\"createdAt\":\"2000-01-01T00:00:00.000Z\"}", "third", false},
        {"{\"title\":\"third\"}", "third", false}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        root = call(ada, "PATCH", path, steps[i].body, 200);
        cr_expect_str_eq(http_json_text(root, "data.title"), steps[i].title);
        cr_expect_eq(json_is_true(http_json_at(root, "data.completed")), steps[i].completed);
        cr_expect_str_eq(http_json_text(root, "data.createdAt"), created);
        cr_expect(strcmp(http_json_text(root, "data.updatedAt"), updated) > 0);
        snprintf(updated, sizeof(updated), "%s", http_json_text(root, "data.updatedAt"));
        json_decref(root);
    }

    /* Nobody else's. */
    expect_message(bob, "PATCH", path, "{\"title\":\"mine\"}", 404, "Todo not found");
    expect_message(bob, "PATCH", path, "{}", 404, "Todo not found");
    expect_message(bob, "DELETE", path, NULL, 404, "Todo not found");
    root = call(bob, "GET", TODOS, NULL, 200);
    cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), 0);
    json_decref(root);

    root = call(ada, "DELETE", path, NULL, 200);
    cr_expect_str_eq(http_json_text(root, "message"), "Todo deleted successfully");
    cr_expect_eq(json_object_size(root), 2);
    json_decref(root);
    expect_message(ada, "DELETE", path, NULL, 404, "Todo not found");
    expect_message(ada, "PATCH", path, "{}", 404, "Todo not found");
}

static void expect_page(const char *query, long long page, long long limit, size_t items, const char *first_title)
{
    char target[128];
    snprintf(target, sizeof(target), TODOS "%s", query);
    json_t *root = call(ada, "GET", target, NULL, 200);
    cr_expect_str_eq(http_json_text(root, "message"), "Todos retrieved successfully");
    cr_expect_eq(json_array_size(http_json_at(root, "data.data")), items, "%s", query);
    cr_expect_str_eq(http_json_text(root, "data.data.0.title"), first_title, "%s", query);
    cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), 25);
    cr_expect_eq(http_json_integer(root, "data.meta.totalPages"), (25 + limit - 1) / limit, "%s", query);
    cr_expect_eq(http_json_integer(root, "data.meta.currentPage"), page, "%s", query);
    cr_expect_eq(http_json_integer(root, "data.meta.itemsPerPage"), limit, "%s", query);
    json_decref(root);
}

Test(todos, list, .init = start, .fini = stop)
{
    char path[80], title[16];
    json_t *root = call(ada, "GET", TODOS, NULL, 200);
    cr_expect_eq(json_array_size(http_json_at(root, "data.data")), 0);
    cr_expect(json_is_array(http_json_at(root, "data.data")));
    cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), 0);
    cr_expect_eq(http_json_integer(root, "data.meta.totalPages"), 0);
    cr_expect_eq(http_json_integer(root, "data.meta.currentPage"), 1);
    cr_expect_eq(http_json_integer(root, "data.meta.itemsPerPage"), 10);
    json_decref(root);

    add(bob, "of another", path);
    for (int i = 1; i <= 25; i++) {
        snprintf(title, sizeof(title), "todo %d", i);
        add(ada, title, path);
        service_next_millisecond(); /* of todos that two workers made within one, neither is the newer one */
    }
    static const struct {
        const char *query;
        long long page, limit;
        size_t items;
        const char *first_title;
    } pages[] = {
        {"", 1, 10, 10, "todo 25"},
        {"?page=2", 2, 10, 10, "todo 15"},
        {"?page=3&limit=10", 3, 10, 5, "todo 5"},
        {"?page=4", 4, 10, 0, ""},
        {"?limit=3&page=9", 9, 3, 1, "todo 1"},
        {"?limit=100", 1, 100, 25, "todo 25"},
        {"?limit=101", 1, 100, 25, "todo 25"},
        {"?limit=999999999999", 1, 100, 25, "todo 25"},
        {"?limit=0", 1, 10, 10, "todo 25"},
        {"?limit=-1&page=-1", 1, 10, 10, "todo 25"},
        {"?limit=ten&page=two", 1, 10, 10, "todo 25"},
        {"?limit=&page=", 1, 10, 10, "todo 25"},
        {"?page=0", 1, 10, 10, "todo 25"},
        {"?page=1.5", 1, 10, 10, "todo 25"},
        {"?page=2000000000&limit=100", 2000000000, 100, 0, ""},
        {"?page=9007199254740991&limit=100", 9007199254740991, 100, 0, ""},
        {"?page=9223372036854775807&limit=100", 9007199254740991, 100, 0, ""},
    };
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        expect_page(pages[i].query, pages[i].page, pages[i].limit, pages[i].items, pages[i].first_title);
}

/* Whoever wrote sees it at once, whichever worker answers. */
Test(todos, lists_are_never_stale, .init = start, .fini = stop)
{
    char path[80];
    for (long long i = 1; i <= 20; i++) {
        add(ada, "x", path);
        for (int j = 0; j < 3; j++) {
            json_t *root = call(ada, "GET", TODOS, NULL, 200);
            cr_assert_eq(http_json_integer(root, "data.meta.totalItems"), i);
            json_decref(root);
        }
    }
}

/* What no route answers is said to everybody: authentication guards routes. */
Test(todos, no_route_needs_no_token, .init = start, .fini = stop)
{
    static const char *const methods[] = {"PUT", "DELETE"};
    struct http_reply reply;
    for (size_t i = 0; i < 2; i++) {
        expect_message(NULL, methods[i], TODOS, NULL, 405, "Method not allowed");
        expect_message(ada, methods[i], TODOS, NULL, 405, "Method not allowed");
    }
    expect_message(NULL, "GET", "/api/v1/nowhere?x=1", NULL, 404, "Route /api/v1/nowhere?x=1 not found");
    http_call(server.port, "PUT", TODOS, NULL, NULL, &reply);
    cr_expect_str_eq(http_header(&reply, "Allow"), "GET, HEAD, POST, OPTIONS");
    http_reply_free(&reply);
}

Test(todos, replies, .init = start, .fini = stop)
{
    struct http_reply reply;
    http_call(server.port, "GET", TODOS, ada, NULL, &reply);
    cr_expect_str_eq(http_header(&reply, "Cache-Control"), "private, no-cache");
    cr_expect_str_eq(http_header(&reply, "Content-Type"), "application/json; charset=utf-8");
    http_reply_free(&reply);
    http_call(server.port, "PUT", TODOS, ada, "{}", &reply);
    cr_expect_eq(reply.status, 405);
    cr_expect(http_header(&reply, "Allow") && strstr(http_header(&reply, "Allow"), "POST"), "%s", reply.head);
    http_reply_free(&reply);
    http_call(server.port, "DELETE", TODOS, ada, NULL, &reply);
    cr_expect_eq(reply.status, 405);
    http_reply_free(&reply);
    http_call(server.port, "POST", TODOS, ada, NULL, &reply);
    cr_expect(reply.status == 400 || reply.status == 415, "no body: %u %s", reply.status, reply.body);
    http_reply_free(&reply);
}

/* Acknowledged is durable. */
Test(todos, survive_a_kill)
{
    char path[80], folder[sizeof(server.folder)];
    start();
    add(ada, "kept", path);
    server_kill(&server);
    snprintf(folder, sizeof(folder), "%s", server.folder);
    server_start(&server, &(struct server_options){.folder = folder});
    json_t *root = call(ada, "GET", TODOS, NULL, 200);
    cr_expect_str_eq(http_json_text(root, "data.data.0.title"), "kept");
    json_decref(root);
    stop();
}
