/* SPDX-License-Identifier: MIT */
/* Delta sync: what a client that keeps a copy asks for; and how long it may stay away. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events_site.h"
#include "tests/support/service.h"

TestSuite(changes, .timeout = 120);

static json_t *changes(const char *who, const char *query)
{
    char target[160];
    snprintf(target, sizeof(target), CHANGES "%s", query);
    return site_call(who, "GET", target, NULL, NULL, 200);
}

static json_t *changes_since(const char *who, long long since, const char *rest)
{
    char query[80];
    snprintf(query, sizeof(query), "?since=%lld%s", since, rest);
    return changes(who, query);
}

static long long now(const char *who)
{
    json_t *root = changes(who, "");
    long long since = http_json_integer(root, "data.nextSince");
    cr_expect_str_eq(http_json_text(root, "message"), "Changes retrieved successfully");
    cr_expect_eq(json_array_size(http_json_at(root, "data.changes")), 0);
    cr_expect(json_is_false(http_json_at(root, "data.hasMore")));
    json_decref(root);
    return since;
}

static void patch(const char *who, const char *id, const char *body)
{
    char target[100];
    snprintf(target, sizeof(target), TODOS "/%s", id);
    site_do(who, "PATCH", target, body, 200);
}

static void remove_todo(const char *who, const char *id)
{
    char target[100];
    snprintf(target, sizeof(target), TODOS "/%s", id);
    site_do(who, "DELETE", target, NULL, 200);
}

Test(changes, a_page_at_a_time, .init = site_start, .fini = site_stop)
{
    char id[5][40], body[80];
    cr_expect_eq(now(ada), 0);
    for (int i = 0; i < 5; i++) {
        snprintf(body, sizeof(body), "{\"title\":\"number %d\"}", i);
        site_add(ada, TODOS, body, id[i]);
    }
    long long middle = now(ada);
    patch(ada, id[1], "{\"title\":\"changed once\"}");
    patch(ada, id[1], "{\"title\":\"changed twice\"}");
    remove_todo(ada, id[0]);
    site_add(bob, TODOS, "{\"title\":\"his\"}", body);
    site_do(ada, "POST", LISTS, "{\"name\":\"no todo\"}", 201);
    long long last = now(ada);
    cr_expect_eq(now(bob), last);

    /* Since the middle: each once, with what it is now. */
    json_t *root = changes_since(ada, middle, "");
    cr_assert_eq(json_array_size(http_json_at(root, "data.changes")), 2);
    cr_expect_str_eq(http_json_text(root, "data.changes.0.id"), id[1]);
    cr_expect_str_eq(http_json_text(root, "data.changes.0.todo.title"), "changed twice");
    cr_expect_eq(http_json_integer(root, "data.changes.0.todo.version"), 3);
    cr_expect(json_is_false(http_json_at(root, "data.changes.0.deleted")));
    cr_expect_str_eq(http_json_text(root, "data.changes.1.id"), id[0]);
    cr_expect(json_is_true(http_json_at(root, "data.changes.1.deleted")));
    cr_expect(json_is_null(http_json_at(root, "data.changes.1.todo")));
    cr_expect_eq(http_json_integer(root, "data.nextSince"), last);
    cr_expect(json_is_false(http_json_at(root, "data.hasMore")));
    json_decref(root);

    /* From the beginning, two at a time: in the order of the last change, the deleted one, too. */
    static const int order[] = {2, 3, 4, 1, 0};
    long long since = 0;
    for (size_t seen = 0; seen < LENGTH(order);) {
        root = changes_since(ada, since, "&limit=2");
        const json_t *items = http_json_at(root, "data.changes");
        cr_assert_eq(json_array_size(items), seen == 4 ? 1 : 2);
        for (size_t i = 0; i < json_array_size(items); i++, seen++)
            cr_expect_str_eq(http_json_text(json_array_get(items, i), "id"), id[order[seen]]);
        since = http_json_integer(root, "data.nextSince");
        cr_expect_eq(json_is_true(http_json_at(root, "data.hasMore")), seen < LENGTH(order));
        json_decref(root);
    }
    cr_expect_eq(since, last);

    root = changes_since(bob, 0, "");
    cr_assert_eq(json_array_size(http_json_at(root, "data.changes")), 1); /* nobody else's */
    cr_expect_str_eq(http_json_text(root, "data.changes.0.todo.title"), "his");
    json_decref(root);
    root = changes_since(ada, last, "");
    cr_expect_eq(json_array_size(http_json_at(root, "data.changes")), 0);
    cr_expect_eq(http_json_integer(root, "data.nextSince"), last);
    json_decref(root);
}

/* What was acknowledged is in the very next reply, of whichever worker. */
Test(changes, reads_its_writes, .init = site_start, .fini = site_stop)
{
    long long since = now(ada);
    for (int i = 0; i < 30; i++) {
        char id[40];
        site_add(ada, TODOS, "{\"title\":\"at once\"}", id);
        json_t *root = changes_since(ada, since, "");
        cr_assert_eq(json_array_size(http_json_at(root, "data.changes")), 1);
        cr_expect_str_eq(http_json_text(root, "data.changes.0.id"), id);
        since = http_json_integer(root, "data.nextSince");
        json_decref(root);
    }
}

Test(changes, what_is_refused, .init = site_start, .fini = site_stop)
{
    static const struct {
        const char *query, *message;
        unsigned status;
    } cases[] = {
        {"?since=-1", "Validation failed: Since must be an integer of at least 0", 400},
        {"?since=x", "Validation failed: Since must be an integer of at least 0", 400},
        {"?limit=0", "Validation failed: Limit must be an integer from 1 to 1000", 400},
        {"?limit=1001", "Validation failed: Limit must be an integer from 1 to 1000", 400},
        {"?since=9", "Changes since then are not known any more: begin again, without since, and read all todos", 410},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char target[100];
        snprintf(target, sizeof(target), CHANGES "%s", cases[i].query);
        json_t *root = site_call(ada, "GET", target, NULL, NULL, cases[i].status);
        cr_expect_str_eq(http_json_text(root, "message"), cases[i].message, "%s: %s", cases[i].query,
                         http_json_text(root, "message"));
        if (cases[i].status == 410)
            cr_expect_str_eq(http_json_text(root, "code"), "sync.expired");
        json_decref(root);
    }
    site_do(NULL, "GET", CHANGES, NULL, 401);
    site_do(ada, "POST", CHANGES, "{}", 405);
}

/* --- what is much --- */

/* A page ends with the todo with which there is 1 MiB, and says that there is more. */
Test(changes, pages_are_bounded_by_bytes, .init = site_start, .fini = site_stop)
{
    enum { TODOS_LEN = 30, SIZE = 50000 };
    long long since = 0;
    unsigned seen = 0;
    char *sql = malloc(1000 + SIZE);
    cr_assert(sql);
    json_t *me = site_call(ada, "GET", "/api/v1/auth/me", NULL, NULL, 200);
    char owner[40] = "";
    for (const char *id = http_json_text(me, "data.id"); *id; id++)
        if (*id != '-')
            owner[strlen(owner)] = *id;
    for (int i = 0; i < TODOS_LEN; i++) {
        const char *id = database_kind() == DATABASE_SQLITE ? "X" : "";
        int len = sprintf(sql,
                          "INSERT INTO todos (id, title, user_id, created_at, updated_at, description) VALUES"
                          " (%s'0190a8b45c3e7d219f6000000000%04d', 'much', %s'%s', %s, %s, '",
                          id, i, id, owner, *id ? "1" : "now()", *id ? "1" : "now()");
        memset(sql + len, 'd', SIZE);
        strcpy(sql + len + SIZE, "')");
        database_execute(&site, sql);
    }
    free(sql);
    json_decref(me);
    for (bool more = true; more;) {
        json_t *root = changes_since(ada, since, "&limit=1000");
        size_t len = json_array_size(http_json_at(root, "data.changes"));
        cr_expect_eq(len, seen == 0 ? 21 : 9, "%zu", len); /* 20 of them are less than 1 MiB */
        for (size_t i = 0; i < len; i++, seen++) {
            char path[40];
            snprintf(path, sizeof(path), "data.changes.%zu.id", i);
            cr_expect_eq(atoi(http_json_text(root, path) + 32), (int)seen);
        }
        since = http_json_integer(root, "data.nextSince");
        more = json_is_true(http_json_at(root, "data.hasMore"));
        json_decref(root);
    }
    cr_expect_eq(seen, TODOS_LEN);
    cr_expect_eq(since, now(ada));
    site_await("first", TODOS_LEN); /* consumers are given all of it, too */
}

/* --- retention --- */

static void start_short(void)
{
    site_start_with("retention = \"1h\"; cleanup = \"30ms\";", NULL);
    site_log_in();
}

static long long forgotten(void)
{
    return database_integer(&site, "SELECT forgotten FROM event_head");
}

static long long kept(void)
{
    return database_integer(&site, "SELECT count(*) FROM events");
}

Test(changes, what_is_too_old_is_forgotten, .init = start_short, .fini = site_stop)
{
    char id[40];
    long long left = database_kind() == DATABASE_SQLITE ? 1 : 0; /* there the last one stays */
    for (int i = 0; i < 3; i++)
        site_add(ada, TODOS, "{\"title\":\"soon forgotten\"}", id);
    long long last = now(ada);
    cr_expect_eq(last, 3);
    site_await("first", 3);
    site_age();
    for (long long begun = 0; kept() > left;)
        cr_assert(service_patience(&begun, 10000));
    cr_expect_eq(forgotten(), last - left);
    site_do(ada, "GET", CHANGES "?since=0", NULL, 410);
    char target[80];
    snprintf(target, sizeof(target), CHANGES "?since=%lld", last - left);
    site_do(ada, "GET", target, NULL, 200);
    json_decref(changes_since(ada, last, ""));
    cr_expect_eq(now(ada), last); /* positions are not given twice */
    site_add(ada, TODOS, "{\"title\":\"new\"}", id);
    json_t *root = changes_since(ada, last, "");
    cr_expect_eq(json_array_size(http_json_at(root, "data.changes")), 1);
    cr_expect_eq(http_json_integer(root, "data.nextSince"), last + 1);
    json_decref(root);
}

/* A consumer that is behind is waited for. */
Test(changes, what_a_consumer_lacks_is_kept, .init = start_short, .fini = site_stop)
{
    char id[40];
    site_touch("fail");
    for (int i = 0; i < 3; i++)
        site_add(ada, TODOS, "{\"title\":\"to be kept\"}", id);
    site_await("second", 3);
    site_age();
    for (int i = 0; i < 3; i++) { /* several rounds of cleaning, each of which another event tells of */
        site_add(bob, LISTS, "{\"name\":\"meanwhile\"}", id);
        site_await("second", 4 + i);
    }
    cr_expect_eq(forgotten(), 0);
    cr_expect_eq(kept(), 6);
    site_remove("fail");
    site_await("first", 6);
    for (long long begun = 0; forgotten() == 0;)
        cr_assert(service_patience(&begun, 10000));
}
