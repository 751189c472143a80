/* SPDX-License-Identifier: MIT */
/* Reminders of todos at their time, and todos that come back. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mailbox.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

#define TODOS "/api/v1/todos"
#define DAY 86400000LL
#define SECRET "JWT_SECRET=the-same-secret-on-all-of-them-0123456789"
#define SCHEDULED "SELECT count(*) FROM jobs WHERE kind = 'reminders.send' AND state IN ('scheduled', 'waiting')"

static struct test_server server;
static char *ada;

static void start_with(const char *folder, const char *const *arguments)
{
    server_start(&server, &(struct server_options){
                              .environment = (const char *[]){"BACKPLANE_WORKERS=2", SECRET, "JOB_WORKERS=3", NULL},
                              .arguments = arguments,
                              .folder = folder});
}

static void start(void)
{
    start_with(NULL, (const char *[]){"--set", "plugins.reminders.link=https://app.example.com/", NULL});
    ada = http_login(server.port, "ada@example.com");
}

static void stop(void)
{
    free(ada);
    server_stop(&server);
}

/* Of those that are killed: what a dead worker had is soon run by others. */
static const char *const killed[] = {"--set", "plugins.queue.lease=1s", NULL};

/* kill -9, and all of it again. */
static void restart(void)
{
    char folder[sizeof(server.folder)];
    server_kill(&server);
    memcpy(folder, server.folder, sizeof(folder));
    start_with(folder, killed);
}

static json_t *call(const char *method, const char *target, const char *body, unsigned status)
{
    struct http_reply reply;
    http_call(server.port, method, target, ada, body, &reply);
    cr_assert_eq(reply.status, status, "%s %s %s: %u %s", method, target, body ? body : "", reply.status, reply.body);
    json_t *root = http_json(&reply);
    http_reply_free(&reply);
    return root;
}

/* The identifier of a new one. */
static void add(const char *body, char ret_id[40])
{
    json_t *root = call("POST", TODOS, body, 201);
    (void)snprintf(ret_id, 40, "%s", http_json_text(root, "data.id"));
    json_decref(root);
}

static json_t *change(const char *id, const char *body)
{
    char path[80];
    (void)snprintf(path, sizeof(path), TODOS "/%s", id);
    return call(body ? "PATCH" : "DELETE", path, body, 200);
}

static long long now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_REALTIME, &time);
    return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* RFC 3339. */
static const char *date(long long milliseconds, char space[32])
{
    struct tm tm;
    time_t seconds = (time_t)(milliseconds / 1000);
    (void)gmtime_r(&seconds, &tm);
    size_t len = strftime(space, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(space + len, 32 - len, ".%03dZ", (int)(milliseconds % 1000));
    return space;
}

/* {"title":…, "<member>":<so many milliseconds from now>} */
static const char *dated(const char *title, const char *member, long long from_now, char space[300])
{
    char text[32];
    (void)snprintf(space, 300, "{\"title\":\"%s\",\"%s\":\"%s\"}", title, member, date(now() + from_now, text));
    return space;
}

static void wait_for(const char *sql, long long expected)
{
    for (long long begun = 0; database_integer(&server, sql) != expected;)
        cr_assert(service_patience(&begun, 30000), "%s: %lld, not %lld", sql, database_integer(&server, sql), expected);
}

/* The only reminder among the events shows the todo as GET does. */
static void expect_event(const char *id)
{
    char path[80], *text = database_ask(&server, "SELECT data FROM events WHERE type = 'todo.reminder'");
    (void)snprintf(path, sizeof(path), TODOS "/%s", id);
    json_t *root = call("GET", path, NULL, 200), *data = json_loads(text, 0, NULL);
    char *shown = json_dumps(json_object_get(root, "data"), 0);
    cr_assert(data, "%s", text);
    cr_expect(json_equal(data, json_object_get(root, "data")), "%s\n%s", text, shown);
    free(shown);
    free(text);
    json_decref(data);
    json_decref(root);
}

Test(reminders, at_their_time, .init = start, .fini = stop)
{
    struct mailbox box;
    char id[40], other[40], body[300], due[32], expected[400];
    long long at = now() + 700;
    (void)snprintf(body, sizeof(body),
                   "{\"title\":\"Gr\xc3\xbc\xc3\x9f"
                   "e an alle\",\"remindAt\":\"%s\",\"dueAt\":\"2030-12-24T17:00:00Z\"}",
                   date(at, due));
    add(body, id);
    mailbox_wait(&server, 1, &box);
    cr_expect_str_eq(box.mails[0].to, "ada@example.com");
    cr_expect_str_eq(box.mails[0].subject, "Reminder: Gr\xc3\xbc\xc3\x9f"
                                           "e an alle");
    (void)snprintf(expected, sizeof(expected),
                   "You wanted to be reminded of:\n\n    Gr\xc3\xbc\xc3\x9f"
                   "e an alle\n\nDue: Tuesday, 24 December 2030, "
                   "17:00 UTC\n\nhttps://app.example.com/%s\n",
                   id);
    cr_expect_str_eq(box.mails[0].text, expected);
    cr_expect_geq(box.mails[0].written, at - 20); /* file systems' clocks tick */
    wait_for("SELECT count(*) FROM events WHERE type = 'todo.reminder'", 1);
    expect_event(id);

    /* Written anew with the same time: not again. One without remindAt: when it is due. */
    json_decref(change(id, "{\"title\":\"Still there\"}"));
    add(dated("Due", "dueAt", 400, body), other);
    mailbox_wait(&server, 2, &box);
    cr_expect_eq(mailbox_count(&box, "Reminder: Due"), 1);
    /* Moved to a time that is still to come: again. */
    (void)snprintf(body, sizeof(body), "{\"remindAt\":\"%s\"}", date(now() + 400, due));
    json_decref(change(id, body));
    mailbox_wait(&server, 3, &box);
    cr_expect_eq(mailbox_count(&box, "Reminder: Still there"), 1);
    wait_for("SELECT count(*) FROM events WHERE type = 'todo.reminder'", 3);
    wait_for(SCHEDULED, 0);
}

Test(reminders, moved_and_dropped, .init = start, .fini = stop)
{
    static const char *const drops[] = {"{\"completed\":true}", "{\"remindAt\":null}", NULL /* deleted */,
                                        "{\"remindAt\":\"2001-01-01T00:00:00Z\"}",
                                        "{\"title\":\"x\",\"completed\":true,\"remindAt\":null}"};
    struct mailbox box;
    char ids[5][40], id[40], body[300], text[32];
    for (size_t i = 0; i < 5; i++)
        add(dated("Never", "remindAt", DAY, body), ids[i]);
    wait_for(SCHEDULED, 5);
    for (size_t i = 0; i < 5; i++) {
        json_decref(change(ids[i], drops[i]));
        wait_for(SCHEDULED, (long long)(4 - i));
    }
    wait_for("SELECT count(*) FROM reminders", 0);

    /* Of a time that has passed when it is written, nobody is reminded; nor of what is completed from the beginning. */
    add(dated("Never", "remindAt", -DAY, body), id);
    (void)snprintf(body, sizeof(body), "{\"title\":\"Never\",\"completed\":true,\"remindAt\":\"%s\"}",
                   date(now() + DAY, text));
    add(body, id);
    /* Not completed after all: planned again. And brought forward. */
    json_decref(change(ids[0], "{\"title\":\"Opened again\",\"completed\":false}"));
    wait_for(SCHEDULED, 1);
    (void)snprintf(body, sizeof(body), "{\"remindAt\":\"%s\"}", date(now() + 500, text));
    json_decref(change(ids[0], body));
    mailbox_wait(&server, 1, &box);
    cr_expect_str_eq(box.mails[0].subject, "Reminder: Opened again");
    wait_for(SCHEDULED, 0);
    mailbox_read(&server, &box);
    cr_expect_eq(box.count, 1);
}

/* Many at one moment, and several to run them. */
Test(reminders, once)
{
    enum { MANY = 30 };
    struct mailbox box, others = {.count = 0};
    struct test_server replica;
    char id[40], body[300], title[32], text[32], url[SERVER_URL_SIZE + 16];
    start();
    bool shared = server.database[0] != '\0'; /* SQLite: three jobs workers of one server */
    (void)snprintf(url, sizeof(url), "DATABASE_URL=%s", server.database);
    if (shared)
        server_start(&replica, &(struct server_options){
                                   .environment = (const char *[]){"BACKPLANE_WORKERS=1", SECRET, url, NULL}});
    const long long at = now() + 1500;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(body, sizeof(body), "{\"title\":\"Nr %d\",\"remindAt\":\"%s\"}", i, date(at, text));
        add(body, id);
    }
    wait_for("SELECT count(*) FROM events WHERE type = 'todo.reminder'", MANY);
    wait_for("SELECT count(*) FROM jobs WHERE kind = 'mailer.send' AND state = 'done'", MANY);
    mailbox_read(&server, &box);
    if (shared)
        mailbox_read(&replica, &others);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(title, sizeof(title), "Reminder: Nr %d", i);
        cr_expect_eq(mailbox_count(&box, title) + mailbox_count(&others, title), 1, "%s", title);
    }
    cr_expect_eq(box.count + others.count, MANY);
    if (shared)
        server_stop(&replica);
    stop();
}

Test(reminders, survive_the_server)
{
    struct mailbox box;
    char id[40], body[300];
    start_with(NULL, killed);
    ada = http_login(server.port, "ada@example.com");
    add(dated("After all", "remindAt", 1000, body), id); /* perhaps not even planned yet */
    restart();
    mailbox_wait(&server, 1, &box);
    cr_expect_str_eq(box.mails[0].subject, "Reminder: After all");
    wait_for(SCHEDULED, 0);
    restart();
    add(dated("Fence", "remindAt", 500, body), id);
    mailbox_wait(&server, 2, &box);
    cr_expect_eq(box.count, 2);
    cr_expect_eq(mailbox_count(&box, "Reminder: Fence"), 1);
    stop();
}

/* Killed while they are sent, again and again: all of them, each once. */
Test(reminders, once_whatever_dies)
{
    enum { ROUNDS = 4, EACH = 12 };
    static struct mailbox box;
    char id[40], body[300], title[40];
    start_with(NULL, killed);
    ada = http_login(server.port, "ada@example.com");
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < EACH; i++) {
            (void)snprintf(title, sizeof(title), "%d of round %d", i, round);
            add(dated(title, "remindAt", 0, body), id);
        }
        for (long long begun = 0;
             round % 2 == 0 && database_integer(&server, "SELECT count(*) FROM events WHERE type = "
                                                         "'todo.reminder'") < round * EACH + 1;)
            cr_assert(service_patience(&begun, 30000), "nothing is sent");
        restart();
    }
    mailbox_wait(&server, ROUNDS * EACH, &box);
    wait_for("SELECT count(*) FROM events WHERE type = 'todo.reminder'", ROUNDS * EACH);
    wait_for("SELECT count(*) FROM jobs WHERE kind = 'mailer.send' AND state = 'done'", ROUNDS * EACH);
    mailbox_read(&server, &box);
    cr_expect_eq(box.count, ROUNDS * EACH);
    for (int i = 0; i < ROUNDS * EACH; i++) {
        (void)snprintf(title, sizeof(title), "Reminder: %d of round %d", i % EACH, i / EACH);
        cr_expect_eq(mailbox_count(&box, title), 1, "%s", title);
    }
    stop();
}

/* Only events; and only to those who are to have messages. */
Test(reminders, as_configured)
{
    struct mailbox box;
    char id[40], body[300];
    start_with(NULL, (const char *[]){"--set", "plugins.reminders.verified_only=true", "--set",
                                      "plugins.reminders.due=false", NULL});
    ada = http_login(server.port, "ada@example.com");
    add(dated("Only due", "dueAt", DAY, body), id);
    add(dated("Not verified", "remindAt", 500, body), id);
    wait_for("SELECT count(*) FROM events WHERE type = 'todo.reminder'", 1);
    database_execute(&server, "UPDATE users SET email_verified_at = created_at");
    add(dated("Verified", "remindAt", 500, body), id);
    mailbox_wait(&server, 1, &box);
    cr_expect_str_eq(box.mails[0].subject, "Reminder: Verified");
    wait_for(SCHEDULED, 0);
    stop();
}

static long long todos(void)
{
    json_t *root = call("GET", TODOS "?limit=1", NULL, 200);
    long long total = http_json_integer(root, "data.meta.totalItems");
    json_decref(root);
    return total;
}

/* The one that is not completed, once there are so many in all. */
static json_t *next_one(long long total)
{
    for (long long begun = 0; todos() < total;)
        cr_assert(service_patience(&begun, 30000), "%lld todos, not %lld", todos(), total);
    json_t *root = call("GET", TODOS "?completed=false", NULL, 200);
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

Test(recurrence, as_the_one_before, .init = start, .fini = stop)
{
    char id[40], list[40], body[600];
    json_t *root = call("POST", "/api/v1/lists", "{\"name\":\"Home\"}", 201);
    (void)snprintf(list, sizeof(list), "%s", http_json_text(root, "data.id"));
    json_decref(root);
    (void)snprintf(body, sizeof(body),
                   "{\"title\":\"Water "
                   "\\\"it\\\"\",\"description\":\"all\",\"priority\":3,\"tags\":[\"a,b\",\"\\\"q\\\"\"],\"listId\":"
                   "\"%s\",\"dueAt\":\"2030-01-31T09:30:00.250Z\",\"remindAt\":\"2030-01-30T20:00:00Z\",\"recurrence\":"
                   "\"FREQ=MONTHLY;COUNT=3\"}",
                   list);
    add(body, id);
    json_decref(change(id, "{\"completed\":true}"));
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
    wait_for(SCHEDULED, 1); /* that of the next one */

    /* Once only, also when it is opened and completed again. */
    json_decref(change(id, "{\"completed\":false}"));
    json_decref(change(id, "{\"completed\":true}"));
    wait_for("SELECT count(*) FROM events WHERE type = 'todo.completed'", 2);
    next = next_one(2);
    copy_id(next, id);
    json_decref(next);
    /* Its list is gone: then in none. The last but one, the last, and no more. */
    (void)snprintf(body, sizeof(body), "/api/v1/lists/%s", list);
    json_decref(call("DELETE", body, NULL, 200));
    json_decref(change(id, "{\"completed\":true}"));
    next = next_one(3);
    expect_member(next, "listId", NULL);
    expect_member(next, "dueAt", "2030-05-31T09:30:00.250Z");
    expect_member(next, "recurrence", "FREQ=MONTHLY;COUNT=1");
    copy_id(next, id);
    json_decref(next);
    json_decref(change(id, "{\"completed\":true}"));
    add("{\"title\":\"Fence\",\"recurrence\":\"FREQ=DAILY\"}", id);
    json_decref(change(id, "{\"completed\":true}"));
    next = next_one(5);
    expect_member(next, "title", "Fence");
    json_decref(next);
}

/* What the dates come to; each is completed, and what follows it deleted. */
Test(recurrence, dates, .init = start, .fini = stop)
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
        add(body, id);
        json_decref(change(id, "{\"completed\":true}"));
        if (none) { /* nothing came of it by the time that something came of what followed */
            add("{\"title\":\"Fence\",\"recurrence\":\"FREQ=DAILY;COUNT=2\",\"dueAt\":\"2030-01-01T08:00:00Z\"}",
                fence);
            json_decref(change(fence, "{\"completed\":true}"));
        }
        json_t *next = next_one(before + (none ? 3 : 2));
        expect_member(next, "title", none ? "Fence" : "x");
        expect_member(next, "dueAt", none ? "2030-01-02T08:00:00.000Z" : cases[i].due);
        expect_member(next, "remindAt", cases[i].remind);
        copy_id(next, id);
        json_decref(next);
        json_decref(change(id, NULL));
    }
    /* Without a date: from when it was done. */
    const long long before = todos();
    add("{\"title\":\"x\",\"recurrence\":\"FREQ=DAILY;INTERVAL=3\"}", id);
    json_t *root = change(id, "{\"completed\":true}");
    char expected[32];
    struct tm tm = {0};
    const char *completed = http_json_text(root, "data.completedAt");
    cr_assert(strptime(completed, "%Y-%m-%dT%H:%M:%S", &tm));
    (void)date((long long)timegm(&tm) * 1000 + 3 * DAY, expected);
    (void)snprintf(expected + 19, sizeof(expected) - 19, "%s", completed + 19);
    json_t *next = next_one(before + 2);
    expect_member(next, "dueAt", expected);
    json_decref(next);
    json_decref(root);
}

Test(recurrence, dates_that_were_missed)
{
    char id[40], wanted[32];
    start_with(NULL, (const char *[]){"--set", "plugins.reminders.skip_missed=true", NULL});
    ada = http_login(server.port, "ada@example.com");
    add("{\"title\":\"x\",\"recurrence\":\"FREQ=DAILY;COUNT=5\",\"dueAt\":\"0001-01-01T00:00:00Z\"}", id);
    json_t *root = change(id, "{\"completed\":true}"), *next = next_one(2);
    struct tm tm = {0};
    cr_assert(strptime(http_json_text(root, "data.completedAt"), "%Y-%m-%dT", &tm));
    expect_member(next, "dueAt", date((long long)timegm(&tm) * 1000 + DAY, wanted));
    expect_member(next, "recurrence", "FREQ=DAILY;COUNT=4");
    json_decref(next);
    json_decref(root);
    stop();
}

/* Completed, and everything dies at once; again and again. */
Test(recurrence, once_whatever_dies)
{
    enum { ROUNDS = 4, EACH = 8 };
    char id[40], sql[200];
    start_with(NULL, killed);
    ada = http_login(server.port, "ada@example.com");
    for (int round = 1; round <= ROUNDS; round++) {
        for (int i = 0; i < EACH; i++) {
            add("{\"title\":\"again\",\"recurrence\":\"FREQ=DAILY\",\"dueAt\":\"2030-01-01T08:00:00Z\"}", id);
            json_decref(change(id, "{\"completed\":true}"));
        }
        restart();
        (void)snprintf(sql, sizeof(sql),
                       "SELECT count(*) FROM todos WHERE recurrence = 'FREQ=DAILY' AND NOT completed");
        wait_for(sql, (long long)round * EACH);
    }
    cr_expect_eq(todos(), 2LL * ROUNDS * EACH);
    stop();
}
