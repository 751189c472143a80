/* SPDX-License-Identifier: MIT */
/* What every resource does when it is read: pages, cursors, filters, words, members. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "two_accounts.h"

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
        add_todo(ada, body, rows[i]);
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
            add_todo(ada,
                     pages % 2 ? "{\"title\":\"a new\",\"dueAt\":\"2030-01-02T00:00:00Z\"}"
                               : "{\"title\":\"z new\",\"priority\":4}",
                     path);
        cr_assert_lt(pages++, 60, "sort %s does not end", sort);
    } while (cursor[0]);
    for (int i = 0; i < ROWS; i++)
        cr_expect_not_null(json_object_get(seen, id_of(rows[i])), "sort %s: row %d is lost", sort, i);
    json_decref(seen);
}

Test(reading, cursors_while_others_write, .init = start, .fini = stop)
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

Test(reading, cursors_are_bound, .init = start, .fini = stop)
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

/* With a secret that replicas share, a cursor is good at each of them, and after a restart. */
Test(reading, cursors_are_good_at_every_replica)
{
    const char *const environment[] = {"BACKPLANE_WORKERS=1", "JWT_SECRET=0123456789abcdef0123456789abcdef", NULL};
    char folder[sizeof(server.folder)], target[1400], path[80];
    server_start(&server, &(struct server_options){.environment = environment});
    ada = http_login(server.port, "ada@example.com");
    add_todo(ada, "{\"title\":\"a\"}", path);
    add_todo(ada, "{\"title\":\"b\"}", path);
    json_t *root = call(ada, "GET", TODOS "?limit=1&sort=title", NULL, 200);
    snprintf(target, sizeof(target), TODOS "?limit=1&sort=title&cursor=%s",
             http_json_text(root, "data.meta.nextCursor"));
    json_decref(root);
    snprintf(folder, sizeof(folder), "%s", server.folder);
    cr_assert_eq(server_stop_keep(&server), 0);
    server_start(&server, &(struct server_options){.environment = environment, .folder = folder});
    root = call(ada, "GET", target, NULL, 200);
    cr_expect_str_eq(http_json_text(root, "data.data.0.title"), "b");
    json_decref(root);
    free(ada);
    server_stop(&server);
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

Test(reading, filters, .init = start, .fini = stop)
{
    char target[256], path[80];
    add_rows();
    add_todo(bob, "{\"title\":\"a todo\",\"tags\":[\"t1\"],\"priority\":4}", path);
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
    {"completed=true&completed=false&completed=true", "Query parameter \"completed\" is repeated"},
    {"completed=yes", "completed must be a boolean"},
    {"sort=description", "Query parameter \"sort\" names a member that cannot be sorted by"},
    {"sort=title,-title", "Query parameter \"sort\" names a member twice"},
    {"sort=title,", "Query parameter \"sort\" names a member that cannot be sorted by"},
    {"sort=title,,priority", "Query parameter \"sort\" names a member that cannot be sorted by"},
    {"sort=title,priority,dueAt,createdAt,updatedAt", "Query parameter \"sort\" names more than 4 members"},
    {"fields=id,password", "Query parameter \"fields\" names \"password\", which is no member"},
};

Test(reading, queries_that_are_refused, .init = start, .fini = stop)
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

/* One todo has one parameter; and where it is was said when it was made. */
Test(reading, one_todo_and_its_query, .init = start, .fini = stop)
{
    static const struct {
        const char *query, *message; /* NULL: fine */
        size_t members;
    } queries[] = {
        {"fields=id,title", NULL, 2},
        {"&fields=%69d&", NULL, 1},
        {"fields=", NULL, 16},
        {"fields=id,", "Query parameter \"fields\" names \"\", which is no member", 0},
        {"field=id", "Unknown query parameter \"field\"", 0},
        {"x=1&fields=id", "Unknown query parameter \"x\"", 0},
        {"fields=id&fields=title", "Query parameter \"fields\" is repeated", 0},
        {"fields=id,x", "Query parameter \"fields\" names \"x\", which is no member", 0},
    };
    struct http_reply reply;
    char target[256], path[80], message[200];
    http_call(server.port, "POST", TODOS "?x=1", ada, "{\"title\":\"here\"}", &reply);
    cr_assert_eq(reply.status, 201);
    const char *location = http_header(&reply, "Location");
    cr_assert(location && strncmp(location, TODOS "/", strlen(TODOS "/")) == 0, "%s", reply.head);
    snprintf(path, sizeof(path), "%s", location);
    http_reply_free(&reply);
    for (size_t i = 0; i < LENGTH(queries); i++) {
        snprintf(target, sizeof(target), "%s?%s", path, queries[i].query);
        snprintf(message, sizeof(message), "Validation failed: %s", queries[i].message ? queries[i].message : "");
        json_t *root = call(ada, "GET", target, NULL, queries[i].message ? 400 : 200);
        cr_expect_str_eq(http_json_text(root, "message"), queries[i].message ? message : "Todo retrieved successfully",
                         "%s", queries[i].query);
        cr_expect_eq(json_object_size(http_json_at(root, "data")), queries[i].members, "%s: %zu", queries[i].query,
                     json_object_size(http_json_at(root, "data")));
        json_decref(root);
    }
}

Test(reading, fields_total_and_links, .init = start, .fini = stop)
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
