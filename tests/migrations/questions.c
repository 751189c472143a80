/* SPDX-License-Identifier: MIT */
#include "questions.h"

#include <criterion/criterion.h>
#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http.h"
#include "tests/support/service.h"

#define MISSING "00000000-0000-4000-8000-00000000000f"

/* Behind a resource's path; "{id}" is one of its rows that were made first. A list is asked for each filter and each key to sort by, and with cursors. */
struct request {
    const char *method, *target, *headers, *body;
    unsigned status;
};

static const struct request todo_requests[] = {
    {"GET", "", NULL, NULL, 200},
    {"GET", "?page=2&limit=3", NULL, NULL, 200},
    {"GET", "?page=99", NULL, NULL, 200},
    {"GET", "?total=false", NULL, NULL, 200},
    {"GET", "?fields=id,title", NULL, NULL, 200},
    {"GET", "?completed=true", NULL, NULL, 200},
    {"GET", "?priority[gte]=2&completed=false", NULL, NULL, 200},
    {"GET", "?createdAt[gt]=2020-01-01T00:00:00Z&createdAt[lt]=2040-01-01T00:00:00Z", NULL, NULL, 200},
    {"GET", "?dueAt[null]=true", NULL, NULL, 200},
    {"GET", "?sort=title", NULL, NULL, 200},
    {"GET", "?sort=-title&page=2", NULL, NULL, 200},
    {"GET", "?sort=completed,-priority", NULL, NULL, 200},
    {"GET", "?sort=createdAt", NULL, NULL, 200},
    {"GET", "?sort=-updatedAt", NULL, NULL, 200},
    {"GET", "?sort=dueAt&dueAt[lte]=2040-01-01T00:00:00Z", NULL, NULL, 200},
    {"GET", "?sort=-completedAt", NULL, NULL, 200},
    {"GET", "?tag=a&completed=true", NULL, NULL, 200},
    {"GET", "?q=x", NULL, NULL, 200},
    {"GET", "?listId=" MISSING, NULL, NULL, 200},
    {"GET", "?listId[null]=false&sort=position", NULL, NULL, 200},
    {"POST", "/{id}/move", NULL, "{\"after\":null}", 200},
    {"POST", "/{id}/move", NULL, "{\"listId\":null}", 200},
    {"POST", "/{id}/move", NULL, "{\"after\":\"" MISSING "\"}", 404},
    {"POST", "", NULL, "{\"title\":\"x\",\"listId\":\"" MISSING "\"}", 404},
    {"GET", "/changes", NULL, NULL, 200},
    {"GET", "/changes?since=0&limit=2", NULL, NULL, 200},
    {"GET", "/{id}", NULL, NULL, 200},
    {"GET", "/{id}?fields=title", NULL, NULL, 200},
    {"GET", "/" MISSING, NULL, NULL, 404},
    {"POST", "", NULL, "{\"title\":\"One\"}", 201},
    {"POST", "", NULL, "{\"title\":\"Two\",\"completed\":true,\"priority\":3,\"dueAt\":\"2030-01-01T00:00:00Z\"}", 201},
    {"PATCH", "/{id}", NULL, "{\"completed\":true}", 200},
    {"PATCH", "/{id}", NULL, "{\"title\":\"x\",\"description\":\"y\",\"priority\":1,\"dueAt\":null}", 200},
    {"PATCH", "/" MISSING, NULL, "{\"completed\":true}", 404},
    {"PATCH", "/{id}", "If-Match: \"9999\"\r\n", "{\"completed\":false}", 412},
    {"PATCH", "/{id}", "Content-Type: application/json-patch+json\r\n",
     "[{\"op\":\"replace\",\"path\":\"/title\",\"value\":\"z\"}]", 200},
    {"PUT", "/{id}", NULL, "{\"title\":\"whole\"}", 200},
    {"POST", "/bulk", NULL,
     "{\"operations\":[{\"op\":\"create\",\"data\":{\"title\":\"a\"}},"
     "{\"op\":\"update\",\"id\":\"{id}\",\"data\":{\"title\":\"b\"}},{\"op\":\"replace\",\"id\":\"{id}\",\"data\":{"
     "\"title\":\"c\"}},{\"op\":\"delete\",\"id\":\"{id}\"}]}",
     200},
    {"DELETE", "/{id}", "If-Match: \"9999\"\r\n", NULL, 412},
    {"DELETE", "/{id}", NULL, NULL, 200},
};

static const struct request list_requests[] = {
    {"GET", "", NULL, NULL, 200},
    {"GET", "?page=2&limit=3", NULL, NULL, 200},
    {"GET", "?page=99", NULL, NULL, 200},
    {"GET", "?total=false", NULL, NULL, 200},
    {"GET", "?fields=id,name", NULL, NULL, 200},
    {"GET", "?archived=false", NULL, NULL, 200},
    {"GET", "?createdAt[gt]=2020-01-01T00:00:00Z&createdAt[lt]=2040-01-01T00:00:00Z", NULL, NULL, 200},
    {"GET", "?updatedAt[gte]=2020-01-01T00:00:00Z&updatedAt[lte]=2040-01-01T00:00:00Z&archived=true", NULL, NULL, 200},
    {"GET", "?sort=name", NULL, NULL, 200},
    {"GET", "?sort=-name&page=2", NULL, NULL, 200},
    {"GET", "?sort=archived,-position", NULL, NULL, 200},
    {"GET", "?sort=-createdAt", NULL, NULL, 200},
    {"GET", "?sort=updatedAt", NULL, NULL, 200},
    {"GET", "/{id}", NULL, NULL, 200},
    {"GET", "/{id}?fields=name", NULL, NULL, 200},
    {"GET", "/" MISSING, NULL, NULL, 404},
    {"POST", "", NULL, "{\"name\":\"Two\",\"color\":\"#1e90ff\",\"archived\":true}", 201},
    {"PATCH", "/{id}", NULL, "{\"archived\":true}", 200},
    {"PATCH", "/{id}", NULL, "{\"name\":\"x\",\"color\":null}", 200},
    {"PATCH", "/" MISSING, NULL, "{\"archived\":true}", 404},
    {"PATCH", "/{id}", "If-Match: \"9999\"\r\n", "{\"archived\":false}", 412},
    {"PATCH", "/{id}", "Content-Type: application/json-patch+json\r\n",
     "[{\"op\":\"replace\",\"path\":\"/name\",\"value\":\"z\"}]", 200},
    {"PUT", "/{id}", NULL, "{\"name\":\"whole\"}", 200},
    {"POST", "/{id}/move", NULL, "{\"after\":null}", 200},
    {"POST", "/{id}/move", NULL, "{\"before\":null}", 200},
    {"POST", "/{id}/move", NULL, "{\"after\":\"" MISSING "\"}", 404},
    {"POST", "/bulk", NULL,
     "{\"operations\":[{\"op\":\"create\",\"data\":{\"name\":\"a\"}},"
     "{\"op\":\"update\",\"id\":\"{id}\",\"data\":{\"name\":\"b\"}},{\"op\":\"replace\",\"id\":\"{id}\",\"data\":{"
     "\"name\":\"c\"}},{\"op\":\"delete\",\"id\":\"{id}\"}]}",
     200},
    {"DELETE", "/{id}", "If-Match: \"9999\"\r\n", NULL, 412},
    {"DELETE", "/{id}", NULL, NULL, 200},
    {"DELETE", "/{id}?todos=delete", NULL, NULL, 200},
    {"DELETE", "/" MISSING "?todos=keep", NULL, NULL, 404},
};

static const struct {
    const char *path, *body; /* of a row to ask about */
    const struct request *requests;
    size_t count;
    const char *sorts[4]; /* of pages behind a cursor: the order that is the default, and others */
} resources[] = {
    {"/api/v1/todos",
     "{\"title\":\"x\"}",
     todo_requests,
     sizeof(todo_requests) / sizeof(*todo_requests),
     {"", "&sort=title", "&sort=-priority,title"}},
    {"/api/v1/lists",
     "{\"name\":\"x\"}",
     list_requests,
     sizeof(list_requests) / sizeof(*list_requests),
     {"", "&sort=-name", "&sort=archived,-createdAt"}},
};

static void expect_status(int port, const char *method, const char *target, const char *headers, const char *body,
                          unsigned status, char ret_id[40])
{
    struct http_reply reply;
    http_call(port, method, target, headers, body, &reply);
    cr_assert_eq(reply.status, status, "%s %s: %u %s", method, target, reply.status, reply.body);
    if (ret_id) {
        json_t *json = http_json(&reply);
        snprintf(ret_id, 40, "%s", http_json_text(json, "data.id"));
        json_decref(json);
    }
    http_reply_free(&reply);
}

static char *with_id(const char *text, const char *id)
{
    char *out = calloc(1, 4096);
    for (const char *found; text && (found = strstr(text, "{id}")); text = found + 4)
        snprintf(out + strlen(out), 4096 - strlen(out), "%.*s%s", (int)(found - text), text, id);
    if (text)
        strncat(out, text, 4095 - strlen(out));
    return out;
}

/* A page behind a cursor. */
static void ask_next(int port, const char *token, const char *path, const char *sort)
{
    struct http_reply reply;
    char target[1024];
    snprintf(target, sizeof(target), "%s?limit=2%s", path, sort);
    http_call(port, "GET", target, token, NULL, &reply);
    json_t *json = http_json(&reply);
    const char *cursor = http_json_text(json, "data.meta.nextCursor");
    cr_assert(cursor[0], "%s: %s", target, reply.body);
    snprintf(target, sizeof(target), "%s?limit=2%s&cursor=%s", path, sort, cursor);
    expect_status(port, "GET", target, token, NULL, 200, NULL);
    json_decref(json);
    http_reply_free(&reply);
}

static void ask_api(int port, const struct place *place)
{
    char *token = http_login(port, "ada@example.com"), id[40], headers[1024], hash[256];
    struct crypt_data *data = calloc(1, sizeof(*data));
    snprintf(hash, sizeof(hash), "UPDATE users SET password_hash = '%s'",
             crypt_rn("Passw0rd!", "$2b$04$abcdefghijklmnopqrstuu", data, sizeof(*data)));
    free(data);
    place_execute(place, hash);
    expect_status(port, "POST", "/api/v1/auth/login", NULL,
                  "{\"email\":\"ada@example.com\",\"password\":\"Passw0rd!\"}", 200, NULL);
    for (size_t r = 0; r < sizeof(resources) / sizeof(*resources); r++) {
        for (size_t i = 0; i < resources[r].count; i++) {
            const struct request *request = &resources[r].requests[i];
            expect_status(port, "POST", resources[r].path, token, resources[r].body, 201, id);
            char *target = with_id(request->target, id), *body = with_id(request->body, id), whole[4200];
            snprintf(whole, sizeof(whole), "%s%s", resources[r].path, target);
            snprintf(headers, sizeof(headers), "%s%s", token, request->headers ? request->headers : "");
            expect_status(port, request->method, whole, headers, request->body ? body : NULL, request->status, NULL);
            free(target);
            free(body);
        }
        for (const char *const *sort = resources[r].sorts; *sort; sort++)
            ask_next(port, token, resources[r].path, *sort);
    }
    free(token);
}

static void await(const struct place *place, const char *sql, long long expected)
{
    for (long long begun = 0; place_integer(place, sql) != expected;)
        cr_assert(service_patience(&begun, 30000), "%s: %lld, not %lld", sql, place_integer(place, sql), expected);
}

/* What the plugins do by themselves: each has done it at least once. */
static void ask_background(int port, const struct place *place)
{
    static const struct request requests[] = {
        {"GET", "", NULL, NULL, 200},
        {"GET", "/{id}", NULL, NULL, 200},
        {"PATCH", "/{id}", NULL, "{\"description\":\"x\"}", 200},
        {"GET", "/{id}/secret", NULL, NULL, 200},
        {"POST", "/{id}/rotate", NULL, NULL, 200},
        {"POST", "/{id}/test", NULL, NULL, 202},
        {"GET", "/{id}/deliveries", NULL, NULL, 200},
        {"GET", "/{id}/deliveries?state=pending&limit=1", NULL, NULL, 200},
        {"GET", "/{id}/deliveries/" MISSING, NULL, NULL, 404},
        {"POST", "/{id}/deliveries/" MISSING "/redeliver", NULL, NULL, 404},
    };
    static const struct request jobs[] = {
        {"GET", "/jobs/" MISSING, NULL, NULL, 404},
        {"POST", "/jobs/" MISSING "/retry", NULL, NULL, 404},
        {"POST", "/jobs/" MISSING "/cancel", NULL, NULL, 404},
        {"GET", "/queues", NULL, NULL, 200},
        {"POST", "/queues/default/pause", NULL, NULL, 200},
        {"POST", "/queues/default/resume", NULL, NULL, 200},
    };
    char *token = http_login(port, "grace@example.com"), id[40], path[200], headers[1024], hook[40];
    snprintf(headers, sizeof(headers), "%sIdempotency-Key: once\r\n", token);
    expect_status(port, "POST", "/api/v1/webhooks", token, "{\"url\":\"http://127.0.0.1:1/\"}", 201, hook);
    expect_status(port, "POST", "/api/v1/todos", headers, "{\"title\":\"a\",\"remindAt\":\"2100-01-01T00:00:00Z\"}",
                  201, id);
    expect_status(port, "POST", "/api/v1/todos", headers, "{\"title\":\"a\",\"remindAt\":\"2100-01-01T00:00:00Z\"}",
                  201, id);
    snprintf(path, sizeof(path), "/api/v1/todos/%s", id);
    await(place, "SELECT count(*) FROM reminders WHERE sent_at IS NULL", 1);
    expect_status(port, "PATCH", path, token, "{\"remindAt\":null}", 200, NULL);
    await(place, "SELECT count(*) FROM reminders", 0);
    expect_status(port, "POST", "/api/v1/todos", token,
                  "{\"title\":\"b\",\"remindAt\":\"2100-01-01T00:00:00Z\",\"recurrence\":\"FREQ=DAILY\"}", 201, id);
    snprintf(path, sizeof(path), "/api/v1/todos/%s", id);
    await(place, "SELECT count(*) FROM reminders", 1);
    place_execute(place, "UPDATE jobs SET run_at = enqueued_at WHERE kind = 'reminders.send' AND state = 'scheduled'");
    await(place, "SELECT count(*) FROM reminders WHERE sent_at IS NOT NULL", 1);
    expect_status(port, "PATCH", path, token, "{\"completed\":true}", 200, NULL);
    await(place, "SELECT count(*) FROM todos WHERE title = 'b'", 2);
    await(place, "SELECT count(*) FROM (SELECT 1 FROM webhook_deliveries WHERE attempts > 0 LIMIT 1) d", 1);
    for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
        char *target = with_id(requests[i].target, hook);
        snprintf(path, sizeof(path), "/api/v1/webhooks%s", target);
        expect_status(port, requests[i].method, path, token, requests[i].body, requests[i].status, NULL);
        free(target);
    }
    place_execute(place, "UPDATE users SET role = 'admin' WHERE email = 'grace@example.com'");
    free(token);
    token = http_login(port, "grace@example.com");
    for (size_t i = 0; i < sizeof(jobs) / sizeof(*jobs); i++) {
        snprintf(path, sizeof(path), "/api/v1/admin%s", jobs[i].target);
        expect_status(port, jobs[i].method, path, token, jobs[i].body, jobs[i].status, NULL);
    }
    free(token);
    /* What is due once a day. */
    place_execute(place, place->url[0] ? "UPDATE job_schedules SET next_at = to_timestamp(0)"
                                       : "UPDATE job_schedules SET next_at = 0");
    await(place, "SELECT count(*) FROM jobs WHERE kind IN ('reminders.clean', 'webhooks.prune') AND state = 'done'", 2);
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof(path),
                 "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE kind = '%s' AND state = 'done' LIMIT 1) j",
                 i == 0 ? "idempotency.clean" : "auth.clean");
        await(place, path, 1);
    }
}

void questions_ask(int port, const struct place *place)
{
    ask_api(port, place);
    ask_background(port, place);
}
