/* SPDX-License-Identifier: MIT */
/* Lists of todos: a resource whose rows others refer to. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "two_accounts.h"

#define LISTS "/api/v1/lists"

/* The identifier of a new one. */
static void add(const char *who, const char *target, const char *body, char ret_id[40])
{
    json_t *root = call(who, "POST", target, body, 201);
    snprintf(ret_id, 40, "%s", http_json_text(root, "data.id"));
    json_decref(root);
}

static long long total(const char *query)
{
    char target[160];
    snprintf(target, sizeof(target), TODOS "?%s", query);
    json_t *root = call(ada, "GET", target, NULL, 200);
    long long found = http_json_integer(root, "data.meta.totalItems");
    json_decref(root);
    return found;
}

Test(lists, a_resource_of_their_own, .init = start, .fini = stop)
{
    static const struct {
        const char *body;
        unsigned status;
        const char *message;
    } bodies[] = {
        {"{\"name\":\" Home \",\"color\":\"#1E90FF\"}", 201, "List created successfully"},
        {"{\"name\":\"Work\",\"archived\":true}", 201, "List created successfully"},
        {"{}", 400, "Validation failed: Name is required"},
        {"{\"name\":\"\"}", 400, "Validation failed: Name cannot be empty"},
        {"{\"name\":\"x\",\"color\":\"red\"}", 400, "Validation failed: Color must be like #1e90ff"},
        {"{\"name\":\"x\",\"color\":\"#12345g\"}", 400, "Validation failed: Color must be like #1e90ff"},
        {"{\"name\":\"x\",\"archived\":1}", 400, "Validation failed: Archived must be a boolean"},
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        expect(ada, "POST", LISTS, bodies[i].body, bodies[i].status, bodies[i].message);
    json_t *root = call(ada, "GET", LISTS "?archived=false", NULL, 200);
    cr_expect_str_eq(http_json_text(root, "message"), "Lists retrieved successfully");
    cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), 1);
    cr_expect_str_eq(http_json_text(root, "data.data.0.name"), "Home");
    cr_expect_str_eq(http_json_text(root, "data.data.0.color"), "#1e90ff");
    char path[100], body[100], id[40];
    snprintf(path, sizeof(path), LISTS "/%s", http_json_text(root, "data.data.0.id"));
    json_decref(root);
    add(ada, LISTS, "{\"name\":\"Last\"}", id);
    strcat(path, "/move");
    snprintf(body, sizeof(body), "{\"after\":\"%s\"}", id);
    expect(ada, "POST", path, body, 200, "List moved successfully");
    root = call(ada, "GET", LISTS, NULL, 200); /* in the order given */
    cr_expect_str_eq(http_json_text(root, "data.data.0.name"), "Work");
    cr_expect_str_eq(http_json_text(root, "data.data.2.name"), "Home");
    json_decref(root);
    root = call(bob, "GET", LISTS, NULL, 200);
    cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), 0);
    json_decref(root);
}

/* A list that is somebody else's is one that does not exist. */
Test(lists, todos_only_in_ones_own, .init = start, .fini = stop)
{
    char his[40], mine[40], todo[40], path[100], body[300];
    add(bob, LISTS, "{\"name\":\"his\"}", his);
    add(ada, LISTS, "{\"name\":\"mine\"}", mine);
    add(ada, TODOS, "{\"title\":\"x\"}", todo);
    const char *const wrong[] = {his, UNKNOWN};
    for (size_t i = 0; i < 2; i++) {
        snprintf(body, sizeof(body), "{\"title\":\"x\",\"listId\":\"%s\"}", wrong[i]);
        expect(ada, "POST", TODOS, body, 404, "List not found");
        snprintf(path, sizeof(path), TODOS "/%s", todo);
        expect(ada, "PATCH", path, body, 404, "List not found");
        expect(ada, "PUT", path, body, 404, "List not found");
        strcat(path, "/move");
        expect(ada, "POST", path, body, 404, "List not found");
        for (int atomic = 0; atomic < 2; atomic++) {
            snprintf(
                body, sizeof(body),
                "{\"atomic\":%s,\"operations\":[{\"op\":\"create\",\"data\":{\"title\":\"x\",\"listId\":\"%s\"}}]}",
                atomic ? "true" : "false", wrong[i]);
            json_t *root = call(ada, "POST", TODOS "/bulk", body, atomic ? 422 : 200);
            cr_expect_eq(http_json_integer(root, "data.results.0.status"), 404);
            json_decref(root);
        }
    }
    snprintf(path, sizeof(path), TODOS "/%s", todo);
    snprintf(body, sizeof(body), "{\"listId\":\"%s\"}", mine);
    json_t *root = call(ada, "PATCH", path, body, 200);
    cr_expect_str_eq(http_json_text(root, "data.listId"), mine);
    json_decref(root);
    snprintf(body, sizeof(body), "listId=%s", mine);
    cr_expect_eq(total(body), 1);
    expect(ada, "PATCH", path, "{\"listId\":\"x\"}", 400, "Validation failed: List id must be a UUID");
    root = call(ada, "PATCH", path, "{\"listId\":null}", 200);
    cr_expect(json_is_null(http_json_at(root, "data.listId")));
    json_decref(root);
    cr_expect_eq(total(body), 0);
}

Test(lists, deleted_with_a_choice, .init = start, .fini = stop)
{
    static const struct {
        const char *query;
        long long left;
    } choices[] = {{"", 3}, {"?todos=keep", 3}, {"?todos=delete", 1}};
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        char list[40], todo[40], path[100], body[1000];
        add(ada, LISTS, "{\"name\":\"x\"}", list);
        snprintf(body, sizeof(body), "{\"title\":\"x\",\"listId\":\"%s\"}", list);
        add(ada, TODOS, body, todo);
        add(ada, TODOS, body, todo);
        add(ada, TODOS, "{\"title\":\"in none\"}", todo);
        cr_expect_eq(total("limit=1"), 3); /* and is cached now */
        snprintf(path, sizeof(path), LISTS "/%s%s", list, choices[i].query);
        expect(bob, "DELETE", path, NULL, 404, "List not found");
        snprintf(body, sizeof(body), "{\"operations\":[{\"op\":\"delete\",\"id\":\"%s\"}]}", list);
        json_t *root = call(ada, "POST", LISTS "/bulk", body, 200);
        cr_expect_eq(http_json_integer(root, "data.results.0.status"), 409);
        json_decref(root);
        snprintf(body, sizeof(body), "%sIf-Match: \"9\"\r\n", ada);
        expect(body, "DELETE", path, NULL, 412, "List has been changed meanwhile");
        cr_expect_eq(total("listId[null]=false"), 2);
        expect(ada, "DELETE", path, NULL, 200, "List deleted successfully");
        cr_expect_eq(total("limit=1"), choices[i].left, "%s", choices[i].query);
        cr_expect_eq(total("listId[null]=false"), 0);
        root = call(ada, "GET", TODOS "?sort=-updatedAt", NULL, 200);
        cr_expect_eq(http_json_integer(root, "data.data.0.version"), choices[i].left == 3 ? 2 : 1);
        size_t index;
        json_t *row;
        json_array_foreach(http_json_at(root, "data.data"), index, row)
        {
            snprintf(path, sizeof(path), TODOS "/%s", json_string_value(json_object_get(row, "id")));
            json_decref(call(ada, "DELETE", path, NULL, 200));
        }
        json_decref(root);
    }
    char list[40], path[100];
    add(ada, LISTS, "{\"name\":\"x\"}", list);
    snprintf(path, sizeof(path), LISTS "/%s?todos=sell", list);
    expect(ada, "DELETE", path, NULL, 400, "Validation failed: Todos must be one of keep, delete");
}
