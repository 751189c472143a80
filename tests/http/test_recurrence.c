/* SPDX-License-Identifier: MIT */
/* Todos that come back. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "reminders_site.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/service.h"

static long long todos(void)
{
    json_t *root = site_call("GET", TODOS "?limit=1", NULL, 200);
    long long total = http_json_integer(root, "data.meta.totalItems");
    json_decref(root);
    return total;
}

/* The one that is not completed, once there are so many in all. */
static json_t *next_one(long long total)
{
    for (long long begun = 0; todos() < total;)
        cr_assert(service_patience(&begun, 30000), "%lld todos, not %lld", todos(), total);
    json_t *root = site_call("GET", TODOS "?completed=false", NULL, 200);
    cr_assert_eq(http_json_integer(root, "data.meta.totalItems"), 1);
    json_t *next = json_incref((json_t *)(uintptr_t)http_json_at(root, "data.data.0"));
    json_decref(root);
    return next;
}

static void copy_id(const json_t *todo, char ret_id[40])
{
    (void)snprintf(ret_id, 40, "%s", http_json_text(todo, "id"));
}

static void expect_member(const json_t *todo, const char *member, const char *expected)
{
    if (expected)
        cr_expect_str_eq(http_json_text(todo, member), expected, "%s: %s", member, http_json_text(todo, member));
    else
        cr_expect(json_is_null(http_json_at(todo, member)), "%s: %s", member, http_json_text(todo, member));
}

Test(recurrence, as_the_one_before, .init = site_start, .fini = site_stop)
{
    char id[40], list[40], body[600];
    json_t *root = site_call("POST", "/api/v1/lists", "{\"name\":\"Home\"}", 201);
    (void)snprintf(list, sizeof(list), "%s", http_json_text(root, "data.id"));
    json_decref(root);
    (void)snprintf(body, sizeof(body),
                   "{\"title\":\"Water "
                   "\\\"it\\\"\",\"description\":\"all\",\"priority\":3,\"tags\":[\"a,b\",\"\\\"q\\\"\"],\"listId\":"
                   "\"%s\",\"dueAt\":\"2030-01-31T09:30:00.250Z\",\"remindAt\":\"2030-01-30T20:00:00Z\",\"recurrence\":"
                   "\"FREQ=MONTHLY;COUNT=3\"}",
                   list);
    site_add(body, id);
    json_decref(site_change(id, "{\"completed\":true}"));
    json_t *next = next_one(2);
    expect_member(next, "title", "Water \"it\"");
    expect_member(next, "description", "all");
    expect_member(next, "listId", list);
    expect_member(next, "tags.0", "a,b");
    expect_member(next, "tags.1", "\"q\"");
    expect_member(next, "dueAt", "2030-03-31T09:30:00.250Z");
    expect_member(next, "remindAt", "2030-03-30T20:00:00.000Z");
    expect_member(next, "recurrence", "FREQ=MONTHLY;COUNT=2");
    expect_member(next, "completedAt", NULL);
    cr_expect_eq(http_json_integer(next, "priority"), 3);
    cr_expect_eq(http_json_integer(next, "version"), 1);
    cr_expect_str_eq(http_json_text(next, "createdAt"), http_json_text(next, "updatedAt"));
    json_decref(next);
    database_wait(&site, SCHEDULED, 1); /* that of the next one */

    /* Once only, also when it is opened and completed again. */
    json_decref(site_change(id, "{\"completed\":false}"));
    json_decref(site_change(id, "{\"completed\":true}"));
    database_wait(&site, "SELECT count(*) FROM events WHERE type = 'todo.completed'", 2);
    next = next_one(2);
    copy_id(next, id);
    json_decref(next);
    /* Its list is gone: then in none. The last but one, the last, and no more. */
    (void)snprintf(body, sizeof(body), "/api/v1/lists/%s", list);
    json_decref(site_call("DELETE", body, NULL, 200));
    json_decref(site_change(id, "{\"completed\":true}"));
    next = next_one(3);
    expect_member(next, "listId", NULL);
    expect_member(next, "dueAt", "2030-05-31T09:30:00.250Z");
    expect_member(next, "recurrence", "FREQ=MONTHLY;COUNT=1");
    copy_id(next, id);
    json_decref(next);
    json_decref(site_change(id, "{\"completed\":true}"));
    site_add("{\"title\":\"Fence\",\"recurrence\":\"FREQ=DAILY\"}", id);
    json_decref(site_change(id, "{\"completed\":true}"));
    next = next_one(5);
    expect_member(next, "title", "Fence");
    json_decref(next);
}

/* What the dates come to; each is completed, and what follows it deleted. */
Test(recurrence, dates, .init = site_start, .fini = site_stop)
{
    static const struct {
        const char *members, *due, *remind; /* of the next one; both NULL: there is none */
    } cases[] = {
        {"\"recurrence\":\"FREQ=DAILY\",\"dueAt\":\"2020-02-28T00:00:00Z\"", "2020-02-29T00:00:00.000Z", NULL},
        {"\"recurrence\":\"FREQ=DAILY\",\"remindAt\":\"2030-12-31T23:00:00Z\"", NULL, "2031-01-01T23:00:00.000Z"},
        {"\"recurrence\":\"FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR\",\"dueAt\":\"2026-11-27T08:00:00Z\"",
         "2026-12-07T08:00:00.000Z", NULL},
        {"\"recurrence\":\"FREQ=YEARLY\",\"dueAt\":\"2028-02-29T08:00:00Z\",\"remindAt\":\"2028-03-01T08:00:00Z\"",
         "2032-02-29T08:00:00.000Z", "2032-03-01T08:00:00.000Z"},
        {"\"recurrence\":\"FREQ=DAILY;UNTIL=20300102\",\"dueAt\":\"2030-01-01T08:00:00Z\"", "2030-01-02T08:00:00.000Z",
         NULL},
        {"\"recurrence\":\"FREQ=DAILY;UNTIL=20300101\",\"dueAt\":\"2030-01-01T08:00:00Z\"", NULL, NULL},
        {"\"recurrence\":\"FREQ=DAILY;COUNT=1\",\"dueAt\":\"2030-01-01T08:00:00Z\"", NULL, NULL},
        {"\"recurrence\":\"FREQ=DAILY\",\"dueAt\":\"9999-12-31T08:00:00Z\"", NULL, NULL},
        {"\"recurrence\":\"FREQ=DAILY\",\"dueAt\":\"9999-12-30T08:00:00Z\",\"remindAt\":\"9999-12-30T23:59:59.999Z\"",
         "9999-12-31T08:00:00.000Z", "9999-12-31T23:59:59.999Z"},
        {"\"recurrence\":\"FREQ=DAILY\",\"dueAt\":\"9999-12-30T08:00:00Z\",\"remindAt\":\"9999-12-31T00:00:00Z\"", NULL,
         NULL}, /* there is no day for its remindAt */
        {"\"dueAt\":\"2030-01-01T08:00:00Z\"", NULL, NULL},
    };
    char id[40], fence[40], body[300];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)snprintf(body, sizeof(body), "{\"title\":\"x\",%s}", cases[i].members);
        bool none = !cases[i].due && !cases[i].remind;
        long long before = todos();
        site_add(body, id);
        json_decref(site_change(id, "{\"completed\":true}"));
        if (none) { /* nothing came of it by the time that something came of what followed */
            site_add("{\"title\":\"Fence\",\"recurrence\":\"FREQ=DAILY;COUNT=2\",\"dueAt\":\"2030-01-01T08:00:00Z\"}",
                     fence);
            json_decref(site_change(fence, "{\"completed\":true}"));
        }
        json_t *next = next_one(before + (none ? 3 : 2));
        expect_member(next, "title", none ? "Fence" : "x");
        expect_member(next, "dueAt", none ? "2030-01-02T08:00:00.000Z" : cases[i].due);
        expect_member(next, "remindAt", cases[i].remind);
        copy_id(next, id);
        json_decref(next);
        json_decref(site_change(id, NULL));
    }
    /* Without a date: from when it was done. */
    const long long before = todos();
    site_add("{\"title\":\"x\",\"recurrence\":\"FREQ=DAILY;INTERVAL=3\"}", id);
    json_t *root = site_change(id, "{\"completed\":true}");
    char expected[32];
    struct tm tm = {0};
    const char *completed = http_json_text(root, "data.completedAt");
    cr_assert(strptime(completed, "%Y-%m-%dT%H:%M:%S", &tm));
    (void)site_date((long long)timegm(&tm) * 1000 + 3 * DAY, expected);
    (void)snprintf(expected + 19, sizeof(expected) - 19, "%s", completed + 19);
    json_t *next = next_one(before + 2);
    expect_member(next, "dueAt", expected);
    json_decref(next);
    json_decref(root);
}

Test(recurrence, dates_that_were_missed)
{
    char id[40], wanted[32];
    site_start_with((const char *[]){"--set", "plugins.reminders.skip_missed=true", NULL});
    site_add("{\"title\":\"x\",\"recurrence\":\"FREQ=DAILY;COUNT=5\",\"dueAt\":\"0001-01-01T00:00:00Z\"}", id);
    json_t *root = site_change(id, "{\"completed\":true}"), *next = next_one(2);
    struct tm tm = {0};
    cr_assert(strptime(http_json_text(root, "data.completedAt"), "%Y-%m-%dT", &tm));
    expect_member(next, "dueAt", site_date((long long)timegm(&tm) * 1000 + DAY, wanted));
    expect_member(next, "recurrence", "FREQ=DAILY;COUNT=4");
    json_decref(next);
    json_decref(root);
    site_stop();
}

/* Completed, and everything dies at once; again and again. */
Test(recurrence, once_whatever_dies)
{
    enum { ROUNDS = 4, EACH = 8 };
    char id[40], sql[200];
    site_start_with((const char *[]){SOON_RESCUED, NULL});
    for (int round = 1; round <= ROUNDS; round++) {
        for (int i = 0; i < EACH; i++) {
            site_add("{\"title\":\"again\",\"recurrence\":\"FREQ=DAILY\",\"dueAt\":\"2030-01-01T08:00:00Z\"}", id);
            json_decref(site_change(id, "{\"completed\":true}"));
        }
        site_restart();
        (void)snprintf(sql, sizeof(sql),
                       "SELECT count(*) FROM todos WHERE recurrence = 'FREQ=DAILY' AND NOT completed");
        database_wait(&site, sql, (long long)round * EACH);
    }
    cr_expect_eq(todos(), 2LL * ROUNDS * EACH);
    site_stop();
}
