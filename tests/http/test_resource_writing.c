/* SPDX-License-Identifier: MIT */
/* What every resource does when it is written: patches, conditions, bulk, moves, and what nobody may assign or reach. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "two_accounts.h"

Test(writing, null_in_patches, .init = start, .fini = stop)
{
    char path[80];
    add_todo(
        ada,
        "{\"title\":\"x\",\"description\":\"d\",\"dueAt\":\"2030-01-01T00:00:00Z\",\"priority\":3,\"tags\":[\"a\",\" b "
        "\"]}",
        path);
    json_t *root = call(ada, "PATCH", path, "{\"description\":null}", 200);
    cr_expect(json_is_null(http_json_at(root, "data.description")));
    cr_expect_str_eq(http_json_text(root, "data.dueAt"), "2030-01-01T00:00:00.000Z");
    cr_expect_eq(http_json_integer(root, "data.priority"), 3);
    cr_expect_str_eq(http_json_text(root, "data.tags.1"), "b");
    json_decref(root);
    expect(ada, "PATCH", path, "{\"priority\":null}", 400,
           "Validation failed: Priority must be an integer from 0 to 4");
    expect(ada, "PATCH", path, "{\"tags\":[\"\"]}", 400, "Validation failed: Tag cannot be empty");
    root = call(ada, "PUT", path, "{\"title\":\"y\"}", 200); /* what is not given is the default again */
    cr_expect(json_is_null(http_json_at(root, "data.dueAt")));
    cr_expect_eq(http_json_integer(root, "data.priority"), 0);
    cr_expect_eq(json_array_size(http_json_at(root, "data.tags")), 0);
    cr_expect_eq(http_json_integer(root, "data.version"), 3);
    json_decref(root);
    expect(ada, "PUT", path, "{}", 400, "Validation failed: Title is required");
}

#define JSON_PATCH "Content-Type: application/json-patch+json\r\n"

static const struct {
    const char *patch;
    unsigned status;
    const char *message;
} patches[] = {
    {"[{\"op\":\"replace\",\"path\":\"/title\",\"value\":\" new \"}]", 200, "Todo updated successfully"},
    {"[{\"op\":\"test\",\"path\":\"/title\",\"value\":\"new\"},{\"op\":\"add\",\"path\":\"/tags/-\",\"value\":\"z\"}]",
     200, "Todo updated successfully"},
    {"[{\"op\":\"test\",\"path\":\"/title\",\"value\":\"old\"}]", 409,
     "JSON Patch operation 0: the value is another one"},
    {"[{\"op\":\"remove\",\"path\":\"/title\"}]", 400, "Validation failed: Title is required"},
    {"[{\"op\":\"remove\",\"path\":\"/nothing\"}]", 422, "JSON Patch operation 0: the path does not exist"},
    {"[{\"op\":\"jump\",\"path\":\"/title\"}]", 400,
     "JSON Patch operation 0: \"op\" is one of add, remove, replace, move, copy, test"},
    {"{}", 400, "JSON Patch operation 0: it must be an array of at most 100 operations"},
    {"[", 400, NULL},
    {"[{\"op\":\"replace\",\"path\":\"/id\",\"value\":\"" UNKNOWN "\"}]", 422, NULL},
    {"[{\"op\":\"add\",\"path\":\"/userId\",\"value\":\"" UNKNOWN "\"}]", 200, "Todo updated successfully"},
    {"[{\"op\":\"replace\",\"path\":\"\",\"value\":{\"title\":\"whole\",\"version\":99}}]", 200,
     "Todo updated successfully"},
};

Test(writing, json_patches, .init = start, .fini = stop)
{
    char path[80];
    add_todo(ada, "{\"title\":\"x\"}", path);
    for (size_t i = 0; i < LENGTH(patches); i++) {
        json_t *root;
        unsigned status = ask(ada, "PATCH", path, JSON_PATCH, patches[i].patch, &root);
        cr_expect_eq(status, patches[i].status, "%s: %u", patches[i].patch, status);
        if (patches[i].message)
            cr_expect_str_eq(http_json_text(root, "message"), patches[i].message, "%s",
                             http_json_text(root, "message"));
        if (status == 200)
            cr_expect_str_eq(http_json_text(root, "data.id"), id_of(path));
        json_decref(root);
    }
    json_t *root = call(ada, "GET", path, NULL, 200);
    cr_expect_str_eq(http_json_text(root, "data.title"), "whole");
    cr_expect_str_neq(http_json_text(root, "data.userId"), UNKNOWN);
    cr_expect_eq(http_json_integer(root, "data.version"), 5);
    json_decref(root);
}

/* One client of several at the same time. */
struct client {
    pthread_t thread;
    const char *method, *target, *headers, *body;
    unsigned status;
};

static void *run_client(void *argument)
{
    struct client *client = argument;
    client->status = ask(ada, client->method, client->target, client->headers, client->body, NULL);
    return NULL;
}

static void run_all(struct client *clients, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pthread_create(&clients[i].thread, NULL, run_client, &clients[i]);
    for (size_t i = 0; i < count; i++)
        pthread_join(clients[i].thread, NULL);
}

static size_t count_status(const struct client *clients, size_t count, unsigned status)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += clients[i].status == status;
    return found;
}

enum { CLIENTS = 8 };

Test(writing, conditions, .init = start, .fini = stop)
{
    static const char *const methods[] = {"PATCH", "PUT", "PATCH"};
    static const char *const types[] = {"", "", JSON_PATCH};
    static const char *const bodies[] = {"{\"title\":\"p\"}", "{\"title\":\"q\"}",
                                         "[{\"op\":\"replace\",\"path\":\"/title\",\"value\":\"r\"}]"};
    char path[80], headers[3][128];
    struct client clients[CLIENTS];
    add_todo(ada, "{\"title\":\"x\"}", path);
    for (int round = 1; round <= 5; round++) { /* exactly one wins */
        for (size_t i = 0; i < CLIENTS; i++) {
            snprintf(headers[i % 3], sizeof(headers[0]), "If-Match: \"%d\"\r\n%s", round, types[i % 3]);
            clients[i] = (struct client){
                .method = methods[i % 3], .target = path, .headers = headers[i % 3], .body = bodies[i % 3]};
        }
        run_all(clients, CLIENTS);
        cr_expect_eq(count_status(clients, CLIENTS, 200), 1);
        cr_expect_eq(count_status(clients, CLIENTS, 412), CLIENTS - 1);
    }
    static const struct {
        const char *method, *header, *body;
        unsigned status;
    } steps[] = {
        {"GET", "If-None-Match: \"6\"\r\n", NULL, 304},
        {"GET", "If-None-Match: W/\"6\", \"9\"\r\n", NULL, 304},
        {"GET", "If-None-Match: *\r\n", NULL, 304},
        {"GET", "If-None-Match: \"5\"\r\n", NULL, 200},
        {"PATCH", "If-Match: W/\"6\"\r\n", "{\"title\":\"s\"}", 412},
        {"PATCH", "If-Match: nonsense\r\n", "{\"title\":\"s\"}", 412},
        {"PATCH", "If-Match: \"5\", \"6\"\r\n", "{\"title\":\"s\"}", 200},
        {"PUT", "If-Match: *\r\n", "{\"title\":\"t\"}", 200},
        {"DELETE", "If-Match: \"7\"\r\n", NULL, 412},
        {"DELETE", "If-Match: \"8\"\r\n", NULL, 200},
        {"DELETE", "If-Match: \"8\"\r\n", NULL, 404},
        {"PUT", "If-Match: *\r\n", "{\"title\":\"t\"}", 404},
    };
    for (size_t i = 0; i < LENGTH(steps); i++) {
        struct http_reply reply;
        char lines[2048];
        snprintf(lines, sizeof(lines), "%s%s", ada, steps[i].header);
        http_call(server.port, steps[i].method, path, lines, steps[i].body, &reply);
        cr_expect_eq(reply.status, steps[i].status, "%s %s: %u", steps[i].method, steps[i].header, reply.status);
        if (steps[i].status == 304) {
            cr_expect_str_eq(http_header(&reply, "ETag"), "\"6\"");
            cr_expect_eq(reply.body_len, 0);
        }
        http_reply_free(&reply);
    }
}

/* A patch without a condition is done again when somebody was faster. */
Test(writing, concurrent_patches_lose_nothing, .init = start, .fini = stop)
{
    char path[80];
    struct client clients[4];
    add_todo(ada, "{\"title\":\"x\"}", path);
    for (int round = 0; round < 4; round++) {
        for (size_t i = 0; i < LENGTH(clients); i++)
            clients[i] = (struct client){.method = "PATCH",
                                         .target = path,
                                         .headers = JSON_PATCH,
                                         .body = "[{\"op\":\"add\",\"path\":\"/tags/-\",\"value\":\"t\"}]"};
        run_all(clients, LENGTH(clients));
        cr_expect_eq(count_status(clients, LENGTH(clients), 200), LENGTH(clients));
    }
    json_t *root = call(ada, "GET", path, NULL, 200);
    cr_expect_eq(json_array_size(http_json_at(root, "data.tags")), 16);
    json_decref(root);
}

Test(writing, bulk, .init = start, .fini = stop)
{
    char mine[80], others[80], body[1200];
    add_todo(ada, "{\"title\":\"mine\"}", mine);
    add_todo(bob, "{\"title\":\"his\"}", others);
    for (int atomic = 1; atomic >= 0; atomic--) {
        snprintf(body, sizeof(body),
                 "{\"atomic\":%s,\"operations\":[{\"op\":\"create\",\"data\":{\"title\":\"new\"}},"
                 "{\"op\":\"update\",\"id\":\"%s\",\"data\":{\"title\":\"changed\"}},"
                 "{\"op\":\"update\",\"id\":\"%s\",\"data\":{\"title\":\"stolen\"}},"
                 "{\"op\":\"create\",\"data\":{\"title\":\"\"}},"
                 "{\"op\":\"delete\",\"id\":\"%s\",\"ifMatch\":\"\\\"99\\\"\"},{\"op\":\"fly\"}]}",
                 atomic ? "true" : "false", id_of(mine), id_of(others), id_of(mine));
        json_t *root = call(ada, "POST", TODOS "/bulk", body, atomic ? 422 : 200);
        static const int statuses[] = {201, 200, 404, 400, 412, 400};
        size_t count = atomic ? 3 : LENGTH(statuses);
        cr_expect_eq(json_array_size(http_json_at(root, "data.results")), count);
        for (size_t i = 0; i < count; i++) {
            char at[48];
            snprintf(at, sizeof(at), "data.results.%zu.status", i);
            cr_expect_eq(http_json_integer(root, at), statuses[i], "operation %zu", i);
        }
        cr_expect_eq(http_json_integer(root, "data.succeeded"), atomic ? 0 : 2);
        cr_expect_str_eq(http_json_text(root, "message"),
                         atomic ? "Nothing was changed: an operation failed" : "Operations were run");
        cr_expect_str_eq(http_json_text(root, "status"), atomic ? "fail" : "");
        cr_expect_str_eq(http_json_text(root, "code"), atomic ? "bulk.undone" : "");
        cr_expect_eq(strlen(http_json_text(root, "requestId")), atomic ? 36 : 0);
        json_decref(root);
        root = call(ada, "GET", TODOS "?sort=title", NULL, 200); /* undone, or done */
        cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), atomic ? 1 : 2);
        cr_expect_str_eq(http_json_text(root, "data.data.0.title"), atomic ? "mine" : "changed");
        json_decref(root);
    }
    json_t *root = call(bob, "GET", others, NULL, 200);
    cr_expect_str_eq(http_json_text(root, "data.title"), "his");
    json_decref(root);
    root = call(ada, "POST", TODOS "/bulk",
                "{\"atomic\":true,\"operations\":[{\"op\":\"create\",\"data\":{\"title\":\"1\"}},{\"op\":\"create\","
                "\"data\":{\"title\":\"2\"}}]}",
                200);
    cr_expect_eq(http_json_integer(root, "data.succeeded"), 2);
    json_decref(root);
    expect(ada, "POST", TODOS "/bulk", "{\"operations\":[]}", 400,
           "\"operations\" must be an array of 1 to 100 operations");
}

/* A condition that cannot be understood is never none. */
Test(writing, conditions_of_operations, .init = start, .fini = stop)
{
    static const char *const no_texts[] = {"null", "1", "1.5", "true", "[]", "[\"\\\"1\\\"\"]", "{}"};
    static const char *const kinds[] = {"update", "replace", "delete"};
    char path[80], body[400];
    add_todo(ada, "{\"title\":\"mine\"}", path);
    for (size_t i = 0; i < LENGTH(no_texts); i++)
        for (size_t k = 0; k < LENGTH(kinds); k++)
            for (int atomic = 0; atomic < 2; atomic++) {
                snprintf(body, sizeof(body),
                         "{\"atomic\":%s,\"operations\":[{\"op\":\"%s\",\"id\":\"%s\",\"ifMatch\":%s,\"data\":{"
                         "\"title\":\"changed\"}}]}",
                         atomic ? "true" : "false", kinds[k], id_of(path), no_texts[i]);
                json_t *root = call(ada, "POST", TODOS "/bulk", body, atomic ? 422 : 200);
                cr_expect_eq(http_json_integer(root, "data.results.0.status"), 400, "%s", body);
                cr_expect_str_eq(http_json_text(root, "data.results.0.body.code"), "bulk.malformed", "%s", body);
                cr_expect_str_eq(http_json_text(root, "data.results.0.body.message"), "\"ifMatch\" must be a text",
                                 "%s", body);
                cr_expect_eq(http_json_integer(root, "data.failed"), 1);
                json_decref(root);
            }
    static const struct {
        const char *text; /* as JSON */
        int status;
    } texts[] = {{"\"\"", 412},          {"\"1\"", 412},
                 {"\"\\\"2\\\"\"", 412}, {"\"W/\\\"1\\\"\"", 412},
                 {"\"\\\"1\\\"\"", 200}, {"\"\\\"7\\\", \\\"2\\\"\"", 200},
                 {"\"*\"", 200}};
    for (size_t i = 0; i < LENGTH(texts); i++) {
        snprintf(body, sizeof(body),
                 "{\"operations\":[{\"op\":\"update\",\"id\":\"%s\",\"ifMatch\":%s,\"data\":{\"title\":\"changed\"}}]}",
                 id_of(path), texts[i].text);
        json_t *root = call(ada, "POST", TODOS "/bulk", body, 200);
        cr_expect_eq(http_json_integer(root, "data.results.0.status"), texts[i].status, "%s: %lld", texts[i].text,
                     http_json_integer(root, "data.results.0.status"));
        json_decref(root);
    }
    json_t *root = call(ada, "GET", path, NULL, 200);
    cr_expect_eq(http_json_integer(root, "data.version"), 4);
    json_decref(root);
}

/* A rule has one form, however it came. */
Test(writing, recurrence, .init = start, .fini = stop)
{
    static const struct {
        const char *body, *kept; /* kept NULL: the message */
        const char *message;
    } bodies[] = {
        {"{\"recurrence\":\"INTERVAL=1;BYDAY=SU,MO;FREQ=WEEKLY\"}", "FREQ=WEEKLY;BYDAY=MO,SU", NULL},
        {"{\"recurrence\":\"FREQ=DAILY;UNTIL=20271231\",\"remindAt\":\"2027-01-02T04:04:05+01:00\"}",
         "FREQ=DAILY;UNTIL=20271231T235959Z", NULL},
        {"{\"recurrence\":\"\"}", NULL, "Validation failed: Recurrence cannot be empty"},
        {"{\"recurrence\":7}", NULL, "Validation failed: Recurrence is required"},
        {"{\"recurrence\":\"FREQ=HOURLY\",\"remindAt\":\"tomorrow\"}", NULL,
         "Validation failed: Remind at must be a date such as 2026-01-31T12:00:00Z, Recurrence has \"FREQ=HOURLY\": "
         "FREQ must be DAILY, "
         "WEEKLY, MONTHLY or YEARLY"},
        {"{\"priority\":1}", "FREQ=DAILY;UNTIL=20271231T235959Z", NULL},
        {"[{\"op\":\"replace\",\"path\":\"/recurrence\",\"value\":\"COUNT=03;FREQ=YEARLY\"}]", "FREQ=YEARLY;COUNT=3",
         NULL},
    };
    char path[80], body[300];
    add_todo(ada, "{\"title\":\"x\",\"recurrence\":\"COUNT=2;FREQ=MONTHLY\"}", path);
    json_t *root = call(ada, "GET", path, NULL, 200);
    cr_expect_str_eq(http_json_text(root, "data.recurrence"), "FREQ=MONTHLY;COUNT=2");
    cr_expect(json_is_null(http_json_at(root, "data.remindAt")));
    json_decref(root);
    for (size_t i = 0; i < LENGTH(bodies); i++) {
        const char *headers = bodies[i].body[0] == '[' ? "Content-Type: application/json-patch+json\r\n" : NULL;
        unsigned status = ask(ada, "PATCH", path, headers, bodies[i].body, &root);
        cr_expect_eq(status, bodies[i].kept ? 200 : 400, "%s", bodies[i].body);
        const char *found = http_json_text(root, bodies[i].kept ? "data.recurrence" : "message");
        cr_expect_str_eq(found, bodies[i].kept ? bodies[i].kept : bodies[i].message, "%s: %s", bodies[i].body, found);
        json_decref(root);
    }
    root = call(ada, "GET", TODOS "?remindAt[lt]=2027-01-02T03:04:06Z", NULL, 200);
    cr_expect_str_eq(http_json_text(root, "data.data.0.remindAt"), "2027-01-02T03:04:05.000Z");
    json_decref(root);
    snprintf(body, sizeof(body),
             "{\"operations\":[{\"op\":\"update\",\"id\":\"%s\",\"data\":{\"recurrence\":\"BYDAY=FR;FREQ=WEEKLY\"}}]}",
             id_of(path));
    root = call(ada, "POST", TODOS "/bulk", body, 200);
    cr_expect_str_eq(http_json_text(root, "data.results.0.body.data.recurrence"), "FREQ=WEEKLY;BYDAY=FR");
    json_decref(root);
    root = call(ada, "PUT", path, "{\"title\":\"once\"}", 200);
    cr_expect(json_is_null(http_json_at(root, "data.recurrence")) && json_is_null(http_json_at(root, "data.remindAt")));
    json_decref(root);
}

/* What the server sets is never the client's to set. */
#define ASSIGNED                                                                                              \
    "\"id\":\"" UNKNOWN "\",\"userId\":\"" UNKNOWN "\",\"createdAt\":\"2001-01-01T00:00:00Z\",\"updatedAt\":" \
    "\"2001-01-01T00:00:00Z\",\"version\":77,\"position\":-5,\"completedAt\":\"2001-01-01T00:00:00Z\""

static void expect_own(json_t *root, const char *at, const char *path)
{
    static const char *const members[] = {"id", "userId", "createdAt", "updatedAt"};
    char name[64];
    for (size_t i = 0; i < LENGTH(members); i++) {
        snprintf(name, sizeof(name), "%s.%s", at, members[i]);
        cr_expect(strcmp(http_json_text(root, name), UNKNOWN) != 0 &&
                      strncmp(http_json_text(root, name), "2001", 4) != 0,
                  "%s: %s", path, name);
    }
    snprintf(name, sizeof(name), "%s.version", at);
    cr_expect_lt(http_json_integer(root, name), 20);
    snprintf(name, sizeof(name), "%s.position", at);
    cr_expect(json_number_value(http_json_at(root, name)) > 0);
    snprintf(name, sizeof(name), "%s.completedAt", at);
    cr_expect(json_is_null(http_json_at(root, name)));
    json_decref(root);
}

Test(writing, mass_assignment, .init = start, .fini = stop)
{
    char path[80], body[900];
    json_t *root;
    expect_own(call(ada, "POST", TODOS, "{\"title\":\"x\"," ASSIGNED "}", 201), "data", "POST");
    add_todo(ada, "{\"title\":\"x\"}", path);
    expect_own(call(ada, "PATCH", path, "{\"title\":\"y\"," ASSIGNED "}", 200), "data", "PATCH");
    expect_own(call(ada, "PATCH", path, "{" ASSIGNED "}", 200), "data", "PATCH of nothing");
    expect_own(call(ada, "PUT", path, "{\"title\":\"y\"," ASSIGNED "}", 200), "data", "PUT");
    cr_assert_eq(ask(ada, "PATCH", path, JSON_PATCH,
                     "[{\"op\":\"replace\",\"path\":\"\",\"value\":{\"title\":\"z\"," ASSIGNED "}}]", &root),
                 200);
    expect_own(root, "data", "JSON Patch");
    snprintf(body, sizeof(body),
             "{\"operations\":[{\"op\":\"update\",\"id\":\"%s\",\"data\":{\"title\":\"b\"," ASSIGNED "}}]}",
             id_of(path));
    expect_own(call(ada, "POST", TODOS "/bulk", body, 200), "data.results.0.body.data", "bulk");
    snprintf(body, sizeof(body), "%s/move", path);
    expect_own(call(ada, "POST", body, "{\"after\":null," ASSIGNED "}", 200), "data", "move");
}

Test(writing, foreign_identifiers, .init = start, .fini = stop)
{
    char path[80], move[100];
    add_todo(bob, "{\"title\":\"his\"}", path);
    static const struct {
        const char *method, *headers, *body;
    } verbs[] = {
        {"GET", NULL, NULL},
        {"PATCH", NULL, "{\"title\":\"x\"}"},
        {"PATCH", NULL, "{}"},
        {"PATCH", JSON_PATCH, "[{\"op\":\"test\",\"path\":\"/title\",\"value\":\"his\"}]"},
        {"PUT", NULL, "{\"title\":\"x\"}"},
        {"PUT", "If-Match: \"1\"\r\n", "{\"title\":\"x\"}"},
        {"DELETE", NULL, NULL},
        {"DELETE", "If-Match: \"1\"\r\n", NULL},
    };
    for (size_t i = 0; i < LENGTH(verbs); i++) {
        json_t *root;
        cr_expect_eq(ask(ada, verbs[i].method, path, verbs[i].headers, verbs[i].body, &root), 404, "%s",
                     verbs[i].method);
        cr_expect_str_eq(http_json_text(root, "message"), "Todo not found");
        json_decref(root);
    }
    snprintf(move, sizeof(move), "%s/move", path);
    expect(ada, "POST", move, "{\"after\":null}", 404, "Todo not found");
    json_t *root = call(bob, "GET", path, NULL, 200);
    cr_expect_eq(http_json_integer(root, "data.version"), 1);
    json_decref(root);
}

/* ---- the order ---- */

/* The titles, by position. */
static void expect_order(const char *titles)
{
    char found[256] = "";
    json_t *root = call(ada, "GET", TODOS "?sort=position&limit=100&fields=title", NULL, 200), *row;
    size_t i;
    json_array_foreach(http_json_at(root, "data.data"), i, row)
        strncat(found, json_string_value(json_object_get(row, "title")), sizeof(found) - strlen(found) - 1);
    cr_expect_str_eq(found, titles, "%s", found);
    json_decref(root);
}

static void move(const char *path, const char *body, unsigned status)
{
    char target[100];
    snprintf(target, sizeof(target), "%s/move", path);
    json_decref(call(ada, "POST", target, body, status));
}

Test(writing, moves, .init = start, .fini = stop)
{
    char todos[5][80], body[200], target[5][100];
    for (int i = 0; i < 5; i++) {
        snprintf(body, sizeof(body), "{\"title\":\"%c\"}", 'a' + i);
        add_todo(ada, body, todos[i]);
    }
    expect_order("abcde");
    move(todos[4], "{\"after\":null}", 200);
    expect_order("eabcd");
    move(todos[4], "{}", 200);
    expect_order("abcde");
    snprintf(body, sizeof(body), "{\"before\":\"%s\"}", id_of(todos[1]));
    move(todos[3], body, 200);
    expect_order("adbce");
    snprintf(body, sizeof(body), "{\"after\":\"%s\",\"before\":null}", id_of(todos[1]));
    move(todos[0], body, 200);
    expect_order("dbace");
    snprintf(body, sizeof(body), "{\"after\":\"%s\",\"before\":\"%s\"}", id_of(todos[4]), id_of(todos[3]));
    move(todos[0], body, 409);
    snprintf(body, sizeof(body), "{\"after\":\"%s\"}", id_of(todos[0]));
    move(todos[0], body, 400);
    move(todos[0], "{\"after\":\"" UNKNOWN "\"}", 404);
    move(todos[0], "{\"after\":7}", 400);
    move(todos[0], "{\"listId\":\"" UNKNOWN "\"}", 404);
    expect_order("dbace");

    /* Into the same gap until it is exhausted, and at the same time. */
    struct client clients[4];
    for (int round = 0; round < 20; round++) {
        snprintf(body, sizeof(body), "{\"after\":\"%s\"}", id_of(todos[3]));
        for (size_t i = 0; i < 4; i++) {
            static const int who[] = {0, 1, 2, 4};
            snprintf(target[i], sizeof(target[i]), "%s/move", todos[who[i]]);
            clients[i] = (struct client){.method = "POST", .target = target[i], .body = body};
        }
        run_all(clients, 4);
        cr_assert_eq(count_status(clients, 4, 200), 4);
    }
    /* All are there, each with a place of its own, and the first is first. */
    json_t *root = call(ada, "GET", TODOS "?sort=position", NULL, 200);
    cr_expect_str_eq(http_json_text(root, "data.data.0.title"), "d");
    cr_expect_eq(json_array_size(http_json_at(root, "data.data")), 5);
    for (int i = 1; i < 5; i++) {
        char low[40], high[40];
        snprintf(low, sizeof(low), "data.data.%d.position", i - 1);
        snprintf(high, sizeof(high), "data.data.%d.position", i);
        cr_expect(json_number_value(http_json_at(root, low)) < json_number_value(http_json_at(root, high)), "%d", i);
    }
    json_decref(root);
    add_todo(ada, "{\"title\":\"f\"}", target[0]);
    root = call(ada, "GET", TODOS "?sort=-position&limit=1", NULL, 200);
    cr_expect_str_eq(http_json_text(root, "data.data.0.title"), "f");
    json_decref(root);
}
