/* SPDX-License-Identifier: MIT */
/* The outbox, as a consumer sees it: what is written of each change, and that each event is given once, in order, whatever fails. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "events_site.h"
#include "tests/support/service.h"

TestSuite(events, .timeout = 120);

/* --- what is written --- */

static char path_space[160];
static const char *path(const char *base, const char *id, const char *rest)
{
    snprintf(path_space, sizeof(path_space), "%s/%s%s", base, id, rest);
    return path_space;
}

static long long count;

/* The last event is of this type and subject, and shows what GET shows (base NULL: the subject is gone). */
static void expect_last(const char *type, const char *base, const char *id)
{
    struct site_events events;
    site_await("first", ++count);
    site_read(&events);
    const struct site_event *last = &events.items[events.len - 1];
    cr_expect_str_eq(last->type, type);
    cr_expect_str_eq(last->subject, id, "%s: %s", type, last->subject);
    if (base) {
        json_t *root = site_call(ada, "GET", path(base, id, ""), NULL, NULL, 200);
        char *text = json_dumps(last->data, 0), *wanted = json_dumps(json_object_get(root, "data"), 0);
        cr_expect(site_same(last->data, json_object_get(root, "data")), "%s: %s\n%s", type, text, wanted);
        free(text);
        free(wanted);
        json_decref(root);
    } else {
        cr_expect_eq(json_object_size(last->data), 1);
        cr_expect_str_eq(http_json_text(last->data, "id"), id);
    }
    site_events_free(&events);
}

/* The types of the last events, of any subjects, sorted by subject where order is not given. */
static void expect_types(const char *wanted, size_t len)
{
    struct site_events events;
    char found[512] = "";
    count += (long long)len;
    site_await("first", count);
    site_read(&events);
    for (size_t i = events.len - len; i < events.len; i++)
        snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s ", events.items[i].type);
    cr_expect_str_eq(found, wanted);
    site_events_free(&events);
}

static void single_todo_writes(void)
{
    static const char *const bodies[] = {
        "{\"title\":\"plain\"}",
        "{\"title\":\"\\\"quoted\\\" \\\\ \\u0001\\n\\t\\u00e9 \\ud83d\\ude00 %s %d\",\"description\":\"line\\nline\","
        "\"completed\":true,\"priority\":4,\"dueAt\":\"1969-12-31T23:59:59.999Z\",\"tags\":[\"a "
        "\\\"b\\\"\",\"\\u00e9\"],"
        "\"remindAt\":\"9999-12-31T23:59:59.999Z\",\"recurrence\":\"FREQ=WEEKLY;BYDAY=MO\"}",
        "{\"title\":\"old\",\"dueAt\":\"0000-02-29T00:00:00.001Z\"}",
    };
    static const struct {
        const char *body, *headers, *type;
    } patches[] = {
        {"{\"title\":\"other\",\"dueAt\":\"2026-01-02T03:04:05.678+01:00\"}", NULL, "todo.updated"},
        {"{\"description\":null}", NULL, "todo.updated"},
        {"{\"completed\":true}", NULL, "todo.completed"},
        {"{\"completed\":true}", NULL, "todo.updated"},
        {"{\"completed\":false}", NULL, "todo.updated"},
        {"[{\"op\":\"add\",\"path\":\"/tags/-\",\"value\":\"new\"},{\"op\":\"replace\",\"path\":\"/"
         "completed\",\"value\":"
         "true}]",
         "Content-Type: application/json-patch+json\r\n", "todo.completed"},
        {"{\"recurrence\":\"FREQ=DAILY\",\"remindAt\":\"2026-01-02T03:04:05Z\"}",
         "Content-Type: application/merge-patch+json\r\n", "todo.updated"},
    };
    char id[40], other[40], body[200];
    for (size_t i = 0; i < LENGTH(bodies); i++) {
        site_add(ada, TODOS, bodies[i], id);
        expect_last("todo.created", TODOS, id);
    }
    for (size_t i = 0; i < LENGTH(patches); i++) {
        json_decref(site_call(ada, "PATCH", path(TODOS, id, ""), patches[i].headers, patches[i].body, 200));
        expect_last(patches[i].type, TODOS, id);
    }
    site_do(ada, "PUT", path(TODOS, id, ""), "{\"title\":\"put\"}", 200);
    expect_last("todo.updated", TODOS, id);
    site_add(ada, TODOS, "{\"title\":\"neighbour\"}", other);
    expect_last("todo.created", TODOS, other);
    /* Between two others its place becomes a fraction. */
    for (int i = 0; i < 3; i++) {
        snprintf(body, sizeof(body), "{\"%s\":\"%s\"}", i % 2 ? "before" : "after", other);
        site_do(ada, "POST", path(TODOS, id, "/move"), body, 200);
        expect_last("todo.updated", TODOS, id);
    }
    site_do(ada, "DELETE", path(TODOS, id, ""), NULL, 200);
    expect_last("todo.deleted", NULL, id);
}

static void list_writes(void)
{
    char list[40], todo[40], body[200];
    site_add(ada, LISTS, "{\"name\":\"Home \\\"1\\\"\",\"color\":\"#1e90ff\"}", list);
    expect_last("list.created", LISTS, list);
    site_do(ada, "PATCH", path(LISTS, list, ""), "{\"archived\":true,\"color\":null}", 200);
    expect_last("list.updated", LISTS, list);
    snprintf(body, sizeof(body), "{\"title\":\"in it\",\"listId\":\"%s\"}", list);
    site_add(ada, TODOS, body, todo);
    expect_last("todo.created", TODOS, todo);
    site_do(ada, "DELETE", path(LISTS, list, "?todos=keep"), NULL, 200);
    expect_types("todo.updated list.deleted ", 2);
    site_do(ada, "PATCH", path(TODOS, todo, ""), "{\"title\":\"kept\"}", 200);
    expect_last("todo.updated", TODOS, todo);
    site_add(ada, LISTS, "{\"name\":\"Work\"}", list);
    expect_last("list.created", LISTS, list);
    snprintf(body, sizeof(body), "{\"listId\":\"%s\"}", list);
    site_do(ada, "POST", path(TODOS, todo, "/move"), body, 200);
    expect_last("todo.updated", TODOS, todo);
    site_do(ada, "DELETE", path(LISTS, list, "?todos=delete"), NULL, 200);
    expect_types("todo.deleted list.deleted ", 2);
}

static void bulk_writes(void)
{
    char body[1024], id[40];
    site_add(ada, TODOS, "{\"title\":\"in bulk\"}", id);
    expect_last("todo.created", TODOS, id);
    for (int atomic = 0; atomic < 2; atomic++) {
        snprintf(body, sizeof(body),
                 "{\"atomic\":%s,\"operations\":[{\"op\":\"create\",\"data\":{\"title\":\"a\"}},"
                 "{\"op\":\"update\",\"id\":\"%s\",\"data\":{\"title\":\"b\"}},"
                 "{\"op\":\"update\",\"id\":\"%s\",\"data\":{\"completed\":%s}}]}",
                 atomic ? "true" : "false", id, id, atomic ? "false" : "true");
        site_do(ada, "POST", TODOS "/bulk", body, 200);
        expect_types(atomic ? "todo.created todo.updated todo.updated " : "todo.created todo.updated todo.completed ",
                     3);
    }
}

/* What changes nothing that clients see makes no event; neither does what is undone or refused. */
static void nothing(void)
{
    char id[40], body[1024];
    site_add(ada, TODOS, "{\"title\":\"still here\"}", id);
    expect_last("todo.created", TODOS, id);
    site_do(ada, "GET", TODOS "?q=still", NULL, 200); /* indexes its words */
    site_do(ada, "POST", TODOS, "{\"title\":\"\"}", 400);
    json_decref(site_call(ada, "PATCH", path(TODOS, id, ""), "If-Match: \"9\"\r\n", "{\"title\":\"x\"}", 412));
    site_do(bob, "PATCH", path(TODOS, id, ""), "{\"title\":\"x\"}", 404);
    snprintf(body, sizeof(body),
             "{\"atomic\":true,\"operations\":[{\"op\":\"create\",\"data\":{\"title\":\"undone\"}},"
             "{\"op\":\"update\",\"id\":\"%s\",\"data\":{\"title\":\"undone\"}},"
             "{\"op\":\"delete\",\"id\":\"0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f\"}]}",
             id);
    site_do(ada, "POST", TODOS "/bulk", body, 422);
    site_do(ada, "PATCH", path(TODOS, id, ""), "{\"title\":\"then this\"}", 200);
    expect_last("todo.updated", TODOS, id);
}

Test(events, every_write_is_told_as_the_api_shows_it, .init = site_start, .fini = site_stop)
{
    single_todo_writes();
    list_writes();
    bulk_writes();
    nothing();
    site_await("second", count);
    cr_expect_eq(database_integer(&site, "SELECT count(DISTINCT position) FROM observed"), count);
}

/* Whatever stands in a row that somebody wrote past the API: what is told is JSON. */
Test(events, what_is_told_is_json, .init = site_start, .fini = site_stop)
{
    static const char *const by_hand[][2] = {
        {"title = char(1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,34,92,127)",
         "title = E'\\x01\\x02\\b\\t\\n\\x0b\\f\\r\\x1b\\x1f\"\\\\\\x7f'"},
        {"description = char(65,0,66), recurrence = char(1)", "description = E'\\x01', recurrence = E'\\x01'"},
        {"due_at = 253402300800000, remind_at = -1000000000000000, completed_at = 9223372036854775807",
         "due_at = '10000-01-01', remind_at = '-infinity', completed_at = 'infinity'"},
        {"created_at = 253402300800000, updated_at = 9223372036854775807",
         "created_at = 'infinity', updated_at = '0044-03-15 BC'"},
        {"position = 9e999", "position = 'infinity'"},
        {"position = -9e999", "position = 'NaN'"},
        {"position = 1e300", "position = 1e300"},
        {"position = 0.1", "position = -1e-300"},
        {"tags = '[\"a'", "tags = '\"a\"'"},
    };
    int sqlite = database_kind() == DATABASE_SQLITE ? 0 : 1;
    char id[40], list[40], sql[512];
    site_add(ada, TODOS, "{\"title\":\"x\"}", id);
    site_add(ada, LISTS, "{\"name\":\"x\"}", list);
    for (size_t i = 0; i < LENGTH(by_hand); i++) {
        snprintf(sql, sizeof(sql), "UPDATE todos SET version = version + 1, %s", by_hand[i][sqlite]);
        database_execute(&site, sql);
    }
    database_execute(&site, sqlite == 0 ? "UPDATE lists SET version = version + 1, position = 9e999, name = char(7)"
                                        : "UPDATE lists SET version = version + 1, position = 'NaN', name = E'\\x07'");
    site_await("first", LENGTH(by_hand) + 3);
    struct site_events events;
    site_read(&events); /* which fails when one is no object */
    cr_assert_eq(events.len, LENGTH(by_hand) + 3);
    cr_expect(strstr(http_json_text(events.items[2].data, "title"), "\x1b"));
    cr_expect(strstr(http_json_text(events.items[2].data, "title"), "\"\\\x7f"));
    cr_expect_str_eq(http_json_text(events.items[LENGTH(by_hand) + 2].data, "name"), "\a");
    site_events_free(&events);
}

/* --- users who go --- */

Test(events, of_a_user_who_is_gone_nothing_is_left, .init = site_start, .fini = site_stop)
{
    char id[40];
    for (int i = 0; i < 3; i++)
        site_add(ada, TODOS, "{\"title\":\"hers\"}", id);
    site_add(bob, LISTS, "{\"name\":\"his\"}", id);
    site_add(bob, TODOS, "{\"title\":\"his, the last one\"}", id);
    site_await("first", 5);
    long long last = database_integer(&site, "SELECT max(position) FROM observed");
    site_do(bob, "DELETE", "/api/v1/auth/me", "{\"currentPassword\":\"Passw0rd!\"}", 200);
    cr_expect_eq(database_integer(&site, "SELECT count(*) FROM events WHERE type <> 'account.changed'"), 3);
    cr_expect_eq(database_integer(&site, "SELECT count(*) FROM events WHERE type = 'account.changed' AND data = '{}'"),
                 1); /* for whoever still listens */
    cr_expect_eq(database_integer(&site, "SELECT count(*) FROM events WHERE type = 'todo.deleted'"), 0);
    site_add(ada, TODOS, "{\"title\":\"after him\"}", id);
    site_await("first", 6);
    cr_expect_gt(database_integer(&site, "SELECT max(position) FROM observed"), last);
}

/* --- published --- */

static void publish(const char *owner, const char *type, const char *data, const char *end, const char *wanted)
{
    char target[512];
    snprintf(target, sizeof(target), "/publish?owner=%s&type=%s&data=%s&end=%s", owner, type, data, end);
    json_t *root = site_call(NULL, "POST", target, NULL, NULL, 200);
    cr_expect_str_eq(http_json_text(root, "message"), wanted, "%s: %s", target, http_json_text(root, "message"));
    json_decref(root);
}

Test(events, other_plugins_publish, .init = site_start, .fini = site_stop)
{
    static const struct {
        const char *type, *data, *end, *status;
    } cases[] = {
        {"todo.reminder", "{\"a\":1}", "", "BP_OK"},
        {"todo.reminder", "%20{\"a\":2}%0A", "commit", "BP_OK"},
        {"todo.reminder", "{\"a\":3}", "rollback", "BP_OK"},
        {"", "{}", "", "BP_MISUSE"},
        {"to%0Ado", "{}", "", "BP_MISUSE"},
        {"Todo.reminder", "{}", "", "BP_MISUSE"},
        {"resync", "{}", "", "BP_MISUSE"},
        {"account.changed", "{}", "commit", "BP_MISUSE"},
        {"a234567890123456789012345678901234567890123456789012345678901234x", "{}", "", "BP_MISUSE"},
        {"todo.reminder", "[]", "", "BP_MISUSE"},
        {"todo.reminder", "{\"a\":", "commit", "BP_MISUSE"},
        {"todo.reminder", "", "", "BP_MISUSE"},
    };
    json_t *root = site_call(ada, "GET", "/api/v1/auth/me", NULL, NULL, 200);
    char owner[40];
    snprintf(owner, sizeof(owner), "%s", http_json_text(root, "data.id"));
    json_decref(root);
    for (size_t i = 0; i < LENGTH(cases); i++)
        publish(owner, cases[i].type, cases[i].data, cases[i].end, cases[i].status);
    cr_expect(server_wait_output(&site, "What was published has a type that is reserved"));
    publish("0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f", "todo.reminder", "{}", "", "BP_OK"); /* to nobody */
    publish(owner, "todo.reminder", "{\"a\":4}", "commit", "BP_OK");
    struct site_events events;
    site_await("first", 3);
    site_read(&events);
    for (size_t i = 0; i < events.len; i++) {
        cr_expect_str_eq(events.items[i].type, "todo.reminder");
        cr_expect_str_eq(events.items[i].subject, owner);
    }
    cr_expect_eq(http_json_integer(events.items[0].data, "a"), 1);
    cr_expect_eq(http_json_integer(events.items[1].data, "a"), 2);
    cr_expect_eq(http_json_integer(events.items[2].data, "a"), 4);
    site_events_free(&events);
    json_t *changes = site_call(ada, "GET", CHANGES "?since=0", NULL, NULL, 200);
    cr_expect_eq(json_array_size(http_json_at(changes, "data.changes")), 0); /* no change of a todo */
    json_decref(changes);
}

/* --- consumers that fail --- */

static void add_todos(const char *who, int amount)
{
    char id[40];
    for (int i = 0; i < amount; i++)
        site_add(who, TODOS, "{\"title\":\"one more\"}", id);
}

Test(events, a_consumer_that_fails_is_given_the_same_again, .init = site_start, .fini = site_stop)
{
    site_touch("fail");
    add_todos(ada, 10);
    cr_expect(server_wait_output(&site, "events.consumer_failed"));
    site_await("second", 10); /* others go on */
    cr_expect_eq(site_observed("first"), 0);
    site_remove("fail");
    site_await("first", 10);
    cr_expect_eq(database_integer(&site, "SELECT count(DISTINCT position) FROM observed WHERE name = 'first'"), 10);
    cr_expect_eq(database_integer(&site, "SELECT count(*) FROM event_consumers"), 2);
    cr_expect_eq(database_integer(&site, "SELECT count(DISTINCT position) FROM event_consumers"), 1);
}

/* What a consumer that was killed had written is undone, and written once. */
Test(events, killed_in_the_middle, .init = site_start)
{
    char folder[64];
    site_touch("hold");
    add_todos(ada, 5);
    site_await_file("waiting");
    if (database_kind() ==
        DATABASE_SQLITE) { /* a worker alone: its connection holds the file's lock, as any writer's */
        pid_t pids[4];
        cr_assert_eq(server_job_workers(&site, pids, LENGTH(pids)), 1);
        cr_assert_eq(kill(pids[0], SIGKILL), 0);
    }
    server_kill(&site);
    snprintf(folder, sizeof(folder), "%s", site.folder);
    site_remove("hold");
    site_remove("waiting");
    site_start_with("", folder);
    add_todos(ada, 1);
    site_await("first", 6);
    site_await("second", 6);
    cr_expect_eq(database_integer(&site, "SELECT count(DISTINCT position) FROM observed WHERE name = 'first'"), 6);
    site_stop();
}

/* --- many writers --- */

enum { WRITERS = 6, WRITES = 40 };
struct writer {
    pthread_t thread;
    const char *who;
    int port;
    char shared[40]; /* a todo that others update, too */
    unsigned number, acknowledged;
};

static unsigned send_one(const struct writer *writer, const char *method, const char *target, const char *body)
{
    struct http_reply reply;
    if (!http_try(writer->port, method, target, writer->who, body, &reply))
        return 0;
    unsigned status = reply.status;
    http_reply_free(&reply);
    return status;
}

static void *write_on(void *argument)
{
    struct writer *writer = argument;
    char body[160], target[100];
    snprintf(target, sizeof(target), TODOS "/%s", writer->shared);
    for (unsigned i = 0; i < WRITES; i++) {
        snprintf(body, sizeof(body), "{\"title\":\"%u of %u\",\"completed\":%s}", i, writer->number,
                 i % 3 ? "true" : "false");
        unsigned status = i % 4 == 3 ? send_one(writer, "POST", TODOS, body) : send_one(writer, "PATCH", target, body);
        writer->acknowledged += status == 200 || status == 201;
    }
    return NULL;
}

/* Of one subject versions go up by one. */
static void expect_order(const struct site_events *events)
{
    for (size_t i = 0; i < events->len; i++) {
        long long version = http_json_integer(events->items[i].data, "version");
        for (size_t j = i + 1; j < events->len; j++) {
            if (strcmp(events->items[j].subject, events->items[i].subject) != 0)
                continue;
            cr_expect_eq(http_json_integer(events->items[j].data, "version"), version + 1);
            break;
        }
        cr_expect(i == 0 || events->items[i].position > events->items[i - 1].position);
    }
}

/* What a client has that goes on asking for changes, page by page. */
struct copy {
    json_t *todos;
    long long since;
};

static void follow(struct copy *copy, const char *who)
{
    for (bool more = true; more;) {
        char target[100];
        size_t i;
        json_t *item;
        snprintf(target, sizeof(target), CHANGES "?since=%lld&limit=7", copy->since);
        json_t *root = site_call(who, "GET", target, NULL, NULL, 200);
        long long before = copy->since;
        json_array_foreach(http_json_at(root, "data.changes"), i, item)
        {
            const char *id = http_json_text(item, "id");
            const json_t *known = json_object_get(copy->todos, id);
            long long position = http_json_integer(item, "position");
            cr_expect_gt(position, before);
            before = position;
            if (json_is_true(json_object_get(item, "deleted"))) {
                cr_expect(json_is_null(json_object_get(item, "todo")));
                json_object_del(copy->todos, id);
                continue;
            }
            if (known)
                cr_expect_gt(http_json_integer(item, "todo.version"), http_json_integer(known, "version"));
            json_object_set(copy->todos, id, json_object_get(item, "todo"));
        }
        cr_expect_geq(http_json_integer(root, "data.nextSince"), before);
        copy->since = http_json_integer(root, "data.nextSince");
        more = json_is_true(http_json_at(root, "data.hasMore"));
        json_decref(root);
    }
}

static void expect_copy(const struct copy *copy, const char *who)
{
    json_t *root = site_call(who, "GET", TODOS "?limit=100", NULL, NULL, 200), *todo;
    const json_t *todos = http_json_at(root, "data.data");
    size_t i;
    cr_expect_eq(json_array_size(todos), json_object_size(copy->todos));
    json_array_foreach(todos, i, todo)
    {
        cr_expect(site_same(todo, json_object_get(copy->todos, http_json_text(todo, "id"))));
    }
    json_decref(root);
}

static void write_at_once(const struct test_server *servers, size_t server_count)
{
    struct writer writers[WRITERS] = {0};
    char shared[2][40];
    struct copy copy = {.todos = json_object()};
    unsigned acknowledged = 2;
    site_add(ada, TODOS, "{\"title\":\"hers\"}", shared[0]);
    site_add(bob, TODOS, "{\"title\":\"his\"}", shared[1]);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.who = i % 2 ? bob : ada, .port = servers[i / 2 % server_count].port, .number = i};
        memcpy(writers[i].shared, shared[i % 2], sizeof(shared[0]));
        cr_assert_eq(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
    }
    for (int i = 0; i < 20; i++)
        follow(&copy, ada);
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        cr_expect_eq(writers[i].acknowledged, WRITES);
        acknowledged += writers[i].acknowledged;
    }
    follow(&copy, ada); /* what was acknowledged before is seen */
    expect_copy(&copy, ada);
    json_decref(copy.todos);
    struct site_events events;
    site_await("first", acknowledged);
    site_await("second", acknowledged);
    site_read(&events);
    cr_expect_eq(events.len, acknowledged);
    expect_order(&events);
    site_events_free(&events);
}

/* Through two servers where a database can have them; each event is given to one of them. */
Test(events, many_writers, .init = site_start, .fini = site_stop)
{
    struct test_server servers[2] = {site};
    bool replicas = database_kind() != DATABASE_SQLITE;
    if (replicas)
        site_start_replica(&servers[1]);
    write_at_once(servers, replicas ? 2 : 1);
    cr_expect_eq(database_integer(&site, "SELECT count(*) - count(DISTINCT name || position) FROM observed"), 0);
    if (replicas)
        cr_expect_eq(server_stop(&servers[1]), 0);
}
