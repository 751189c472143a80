/* SPDX-License-Identifier: MIT */
/* What every resource does: reading by pages, cursors, filters and words; writing under conditions, by patches and in bulk. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http.h"
#include "tests/support/server.h"

#define TODOS "/api/v1/todos"
#define UNKNOWN "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f"
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

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

/* The status; the body in *ret_root, which may be NULL. headers: more lines. */
static unsigned ask(const char *who, const char *method, const char *target, const char *headers, const char *body,
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

static json_t *call(const char *who, const char *method, const char *target, const char *body, unsigned status)
{
    json_t *root;
    unsigned found = ask(who, method, target, NULL, body, &root);
    cr_assert_eq(found, status, "%s %s %s: %u %s", method, target, body ? body : "", found,
                 http_json_text(root, "message"));
    return root;
}

static void expect(const char *who, const char *method, const char *target, const char *body, unsigned status,
                   const char *message)
{
    json_t *root = call(who, method, target, body, status);
    cr_expect_str_eq(http_json_text(root, "message"), message, "%s %s %s: %s", method, target, body ? body : "",
                     http_json_text(root, "message"));
    json_decref(root);
}

/* The path of a new todo. */
static void add(const char *who, const char *body, char ret_path[80])
{
    json_t *root = call(who, "POST", TODOS, body, 201);
    snprintf(ret_path, 80, TODOS "/%s", http_json_text(root, "data.id"));
    json_decref(root);
}

static const char *id_of(const char *path)
{
    return strrchr(path, '/') + 1;
}

/* ---- reading ---- */

enum { ROWS = 19 };
static char rows[ROWS][80];

/* Few different values, so that identifiers decide; dates, some of which are none. */
static void add_rows(void)
{
    char body[256], due[48];
    for (int i = 0; i < ROWS; i++) {
        snprintf(due, sizeof(due), i % 3 ? "\"2030-01-0%dT00:00:00.000Z\"" : "null", 1 + i % 4);
        snprintf(body, sizeof(body),
                 "{\"title\":\"%c todo\",\"priority\":%d,\"completed\":%s,\"dueAt\":%s,\"tags\":[\"t%d\",\"all\"]}",
                 'a' + i % 5, i % 5, i % 2 ? "true" : "false", due, i % 2);
        add(ada, body, rows[i]);
    }
}

/* Each page of the list once; between pages others are added. Every row that was there is found exactly once, none twice. */
static void read_all(const char *sort)
{
    char cursor[4096] = "", target[4300], path[80];
    json_t *seen = json_object();
    int pages = 0;
    do {
        snprintf(target, sizeof(target), TODOS "?limit=4%s%s%s%s", sort[0] ? "&sort=" : "", sort,
                 cursor[0] ? "&cursor=" : "", cursor);
        json_t *root = call(ada, "GET", target, NULL, 200),
               *data = json_object_get(json_object_get(root, "data"), "data");
        size_t i;
        json_t *row;
        json_array_foreach(data, i, row)
        {
            const char *id = json_string_value(json_object_get(row, "id"));
            cr_expect_null(json_object_get(seen, id), "sort %s: %s twice", sort, id);
            json_object_set_new(seen, id, json_true());
        }
        snprintf(cursor, sizeof(cursor), "%s", http_json_text(root, "data.meta.nextCursor"));
        cr_expect_eq(json_is_true(http_json_at(root, "data.meta.hasMore")), cursor[0] != '\0');
        json_decref(root);
        if (pages < 3)
            add(ada,
                pages % 2 ? "{\"title\":\"a new\",\"dueAt\":\"2030-01-02T00:00:00Z\"}"
                          : "{\"title\":\"z new\",\"priority\":4}",
                path);
        cr_assert_lt(pages++, 60, "sort %s does not end", sort);
    } while (cursor[0]);
    for (int i = 0; i < ROWS; i++)
        cr_expect_not_null(json_object_get(seen, id_of(rows[i])), "sort %s: row %d is lost", sort, i);
    json_decref(seen);
}

Test(resource, cursors_while_others_write, .init = start, .fini = stop)
{
    static const char *const sorts[] = {"",
                                        "createdAt",
                                        "-createdAt",
                                        "title",
                                        "-title",
                                        "dueAt",
                                        "-dueAt",
                                        "position",
                                        "-position",
                                        "priority,-title",
                                        "-completed,dueAt,-title",
                                        "completedAt",
                                        "-updatedAt"};
    add_rows();
    for (size_t i = 0; i < LENGTH(sorts); i++)
        read_all(sorts[i]);
}

#define NOT_GIVEN_OUT "Validation failed: Query parameter \"cursor\" is not one that was given out for this list"

Test(resource, cursors_are_bound, .init = start, .fini = stop)
{
    char cursor[1024], target[1400];
    add_rows();
    json_t *root = call(ada, "GET", TODOS "?limit=2&sort=title&completed=false", NULL, 200);
    snprintf(cursor, sizeof(cursor), "%s", http_json_text(root, "data.meta.nextCursor"));
    json_decref(root);
    static const char *const others[] = {"sort=-title&completed=false", "sort=title&completed=true", "sort=title",
                                         "completed=false", "sort=title&completed=false&priority=1"};
    for (size_t i = 0; i < LENGTH(others); i++) {
        snprintf(target, sizeof(target), TODOS "?limit=2&%s&cursor=%s", others[i], cursor);
        expect(ada, "GET", target, NULL, 400, NOT_GIVEN_OUT);
    }
    snprintf(target, sizeof(target), TODOS "?limit=2&sort=title&completed=false&cursor=%s", cursor);
    expect(bob, "GET", target, NULL, 400, NOT_GIVEN_OUT);
    expect(ada, "GET", target, NULL, 200, "Todos retrieved successfully");
    for (size_t end = strlen(target), i = end - strlen(cursor); i < end; i += 5) {
        char was = target[i];
        target[i] = was == 'A' ? 'B' : 'A';
        expect(ada, "GET", target, NULL, 400, NOT_GIVEN_OUT);
        target[i] = was;
    }
    target[strlen(target) - 3] = '\0';
    expect(ada, "GET", target, NULL, 400, NOT_GIVEN_OUT);
    expect(
        ada, "GET", TODOS "?cursor=x&page=2", NULL, 400,
        "Validation failed: Query parameters \"page\" and \"cursor\" exclude each other, Query parameter \"cursor\" is "
        "not one that was given out for this list");
}

static const struct {
    const char *query;
    int total;
} filters[] = {
    {"completed=true", 9},
    {"completed=false", 10},
    {"priority=0", 4},
    {"priority[gt]=2", 7},
    {"priority[gte]=2", 11},
    {"priority[lt]=2", 8},
    {"priority[lte]=2", 12},
    {"priority[gte]=1&priority[lte]=2", 8},
    {"priority=4&completed=true", 1},
    {"dueAt[null]=true", 7},
    {"dueAt[null]=false", 12},
    {"dueAt=2030-01-02T00:00:00Z", 4},
    {"dueAt[gt]=2030-01-02T00:00:00.000Z", 5},
    {"dueAt[lte]=2030-01-02T01:00:00%2B01:00", 7},
    {"createdAt[gt]=2020-01-01T00:00:00Z", 19},
    {"createdAt[lt]=2020-01-01T00:00:00Z", 0},
    {"updatedAt[gte]=2020-01-01T00:00:00Z", 19},
    {"completedAt[null]=true", 10},
    {"tag=all", 19},
    {"tag=t1", 9},
    {"tag=t", 0},
    {"tag=t1%22%5D", 0},
    {"tag=t1&completed=false", 0},
    {"listId[null]=true", 19},
    {"listId=" UNKNOWN, 0},
    {"q=todo", 19},
    {"q=A", 4},
    {"q=a%20todo", 4},
    {"q=a%20b", 0},
    {"q=tod", 0},
    {"q=%22", 0},
    {"q=a%22%20OR%20%22b", 0},
    {"q=NOT%20a", 0},
    {"q=owner:a", 0},
    {"q=-b&completed=true", 2},
};

Test(resource, filters, .init = start, .fini = stop)
{
    char target[256], path[80];
    add_rows();
    add(bob, "{\"title\":\"a todo\",\"tags\":[\"t1\"],\"priority\":4}", path);
    for (size_t i = 0; i < LENGTH(filters); i++) {
        snprintf(target, sizeof(target), TODOS "?limit=1&%s", filters[i].query);
        json_t *root = call(ada, "GET", target, NULL, 200);
        cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), filters[i].total, "%s: %lld", filters[i].query,
                     http_json_integer(root, "data.meta.totalItems"));
        json_decref(root);
    }
    /* What was written is found by its new words, not by the old; what was deleted is not. */
    expect(ada, "PATCH", rows[0], "{\"description\":\"Zebra\"}", 200, "Todo updated successfully");
    json_t *root = call(ada, "GET", TODOS "?q=zebra", NULL, 200);
    cr_expect_str_eq(http_json_text(root, "data.data.0.id"), id_of(rows[0]));
    json_decref(root);
    expect(ada, "PATCH", rows[0], "{\"description\":null,\"title\":\"giraffe\"}", 200, "Todo updated successfully");
    root = call(ada, "GET", TODOS "?q=zebra", NULL, 200);
    cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), 0);
    json_decref(root);
    json_decref(call(ada, "DELETE", rows[0], NULL, 200));
    root = call(ada, "GET", TODOS "?q=giraffe", NULL, 200);
    cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), 0);
    json_decref(root);
}

static const struct {
    const char *query, *message;
} bad_queries[] = {
    {"colour=red", "Unknown query parameter \"colour\""},
    {"complete=true", "Unknown query parameter \"complete\"; did you mean \"completed\"?"},
    {"priority[ne]=1", "Unknown query parameter \"priority[ne]\"; did you mean \"priority[lte]\"?"},
    {"completed=true&completed=false", "Query parameter \"completed\" is repeated"},
    {"completed=true&%63ompleted=true", "Query parameter \"completed\" is repeated"},
    {"completed=yes", "completed must be a boolean"},
    {"sort=description", "Query parameter \"sort\" names a member that cannot be sorted by"},
    {"sort=title,-title", "Query parameter \"sort\" names a member twice"},
    {"sort=title,priority,dueAt,createdAt,updatedAt", "Query parameter \"sort\" names more than 4 members"},
    {"fields=id,password", "Query parameter \"fields\" names \"password\", which is no member"},
};

Test(resource, queries_that_are_refused, .init = start, .fini = stop)
{
    char target[256], message[256];
    for (size_t i = 0; i < LENGTH(bad_queries); i++) {
        snprintf(target, sizeof(target), TODOS "?%s", bad_queries[i].query);
        snprintf(message, sizeof(message), "Validation failed: %s", bad_queries[i].message);
        json_t *root = call(ada, "GET", target, NULL, 400);
        if (strstr(bad_queries[i].query, "[ne]"))
            cr_expect(strncmp(http_json_text(root, "message"), message, 60) == 0, "%s",
                      http_json_text(root, "message"));
        else
            cr_expect_str_eq(http_json_text(root, "message"), message, "%s", http_json_text(root, "message"));
        json_decref(root);
    }
}

Test(resource, fields_total_and_links, .init = start, .fini = stop)
{
    struct http_reply reply;
    add_rows();
    json_t *root = call(ada, "GET", TODOS "?fields=title,%20id&limit=1", NULL, 200);
    cr_expect_eq(json_object_size(http_json_at(root, "data.data.0")), 2);
    cr_expect(http_json_text(root, "data.data.0.title")[0]);
    json_decref(root);
    root = call(ada, "GET", TODOS "?total=false", NULL, 200);
    cr_expect_null(http_json_at(root, "data.meta.totalItems"));
    cr_expect_null(http_json_at(root, "data.meta.totalPages"));
    cr_expect(json_is_true(http_json_at(root, "data.meta.hasMore")));
    json_decref(root);
    http_call(server.port, "GET", TODOS "?page=2&limit=5&completed=false", ada, NULL, &reply);
    cr_expect_str_eq(http_header(&reply, "Link"), "<" TODOS "?limit=5&completed=false&page=1>; rel=\"first\", <" TODOS
                                                  "?limit=5&completed=false&page=1>; rel=\"prev\", <" TODOS
                                                  "?limit=5&completed=false&page=2>; rel=\"last\"");
    http_reply_free(&reply);
    http_call(server.port, "GET", TODOS "?limit=18&cursor=", ada, NULL, &reply);
    cr_expect_eq(reply.status, 400);
    http_reply_free(&reply);
}

/* ---- writing ---- */

Test(resource, null_in_patches, .init = start, .fini = stop)
{
    char path[80];
    add(ada,
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

Test(resource, json_patches, .init = start, .fini = stop)
{
    char path[80];
    add(ada, "{\"title\":\"x\"}", path);
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

Test(resource, conditions, .init = start, .fini = stop)
{
    static const char *const methods[] = {"PATCH", "PUT", "PATCH"};
    static const char *const types[] = {"", "", JSON_PATCH};
    static const char *const bodies[] = {"{\"title\":\"p\"}", "{\"title\":\"q\"}",
                                         "[{\"op\":\"replace\",\"path\":\"/title\",\"value\":\"r\"}]"};
    char path[80], headers[3][128];
    struct client clients[CLIENTS];
    add(ada, "{\"title\":\"x\"}", path);
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
Test(resource, concurrent_patches_lose_nothing, .init = start, .fini = stop)
{
    char path[80];
    struct client clients[4];
    add(ada, "{\"title\":\"x\"}", path);
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

Test(resource, bulk, .init = start, .fini = stop)
{
    char mine[80], others[80], body[1200];
    add(ada, "{\"title\":\"mine\"}", mine);
    add(bob, "{\"title\":\"his\"}", others);
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

Test(resource, mass_assignment, .init = start, .fini = stop)
{
    char path[80], body[900];
    json_t *root;
    expect_own(call(ada, "POST", TODOS, "{\"title\":\"x\"," ASSIGNED "}", 201), "data", "POST");
    add(ada, "{\"title\":\"x\"}", path);
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

Test(resource, foreign_identifiers, .init = start, .fini = stop)
{
    char path[80], move[100];
    add(bob, "{\"title\":\"his\"}", path);
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

Test(resource, moves, .init = start, .fini = stop)
{
    char todos[5][80], body[200], target[5][100];
    for (int i = 0; i < 5; i++) {
        snprintf(body, sizeof(body), "{\"title\":\"%c\"}", 'a' + i);
        add(ada, body, todos[i]);
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
    add(ada, "{\"title\":\"f\"}", target[0]);
    root = call(ada, "GET", TODOS "?sort=-position&limit=1", NULL, 200);
    cr_expect_str_eq(http_json_text(root, "data.data.0.title"), "f");
    json_decref(root);
}
