/* SPDX-License-Identifier: MIT */
/* Endpoints of users, what is sent to them, and how it is signed. */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/database.h"
#include "tests/support/service.h"
#include "webhook_site.h"

/* "v1,<base64>", by another library than the server's. */
static const char *signature_of(const struct receiver_request *request, const char *secret)
{
    static char text[128];
    static char content[70000];
    unsigned char key[72], mac[EVP_MAX_MD_SIZE];
    unsigned mac_len = 0;
    char id[128];
    cr_assert_eq(strncmp(secret, "whsec_", 6), 0);
    cr_assert_eq(strlen(secret), 50);
    cr_assert_eq(EVP_DecodeBlock(key, (const unsigned char *)secret + 6, 44), 33);
    snprintf(id, sizeof(id), "%s", receiver_field(request, "webhook-id"));
    int len =
        snprintf(content, sizeof(content), "%s.%s.%s", id, receiver_field(request, "webhook-timestamp"), request->body);
    cr_assert(HMAC(EVP_sha256(), key, 32, (const unsigned char *)content, (size_t)len, mac, &mac_len));
    memcpy(text, "v1,", 3);
    EVP_EncodeBlock((unsigned char *)text + 3, mac, (int)mac_len);
    return text;
}

static void secret_of(const char *who, const char *id, char ret_secret[64])
{
    json_t *root = call(who, "GET", webhook_path(id, "/secret"), NULL, 200);
    snprintf(ret_secret, 64, "%s", http_json_text(root, "data.secret"));
    json_decref(root);
}

Test(webhooks, a_resource, .init = site_start_plain, .fini = site_stop)
{
    static const struct {
        const char *body;
        unsigned status;
        const char *message;
    } bodies[] = {
        {"{\"url\":\" https://example.com/a \"}", 201, "Webhook created successfully"},
        {"{}", 400, "Validation failed: URL is required"},
        {"{\"url\":\"\"}", 400, "Validation failed: URL cannot be empty"},
        {"{\"url\":7}", 400, "Validation failed: URL is required"},
        {"{\"url\":\"example.com\"}", 400, "Validation failed: URL must begin with https://"},
        {"{\"url\":\"https://a:b@example.com\"}", 400, "Validation failed: URL must not have a user name or password"},
        {"{\"url\":\"https://example.com/#a\"}", 400, "Validation failed: URL must not have a fragment"},
        {"{\"url\":\"https://\"}", 400, "Validation failed: URL must have a host"},
        {"{\"url\":\"https://a\",\"types\":[\"todo\"]}", 400,
         "Validation failed: Types must look like todo.created or todo.*"},
        {"{\"url\":\"https://a\",\"types\":\"todo.*\"}", 400,
         "Validation failed: Types must be an array of at most 20 items"},
        {"{\"url\":\"https://a\",\"enabled\":1}", 400, "Validation failed: Enabled must be a boolean"},
    };
    char id[40], secret[64], path[120], body[2300];
    for (size_t i = 0; i < LENGTH(bodies); i++)
        expect(ada, "POST", WEBHOOKS, bodies[i].body, bodies[i].status, bodies[i].message);
    snprintf(body, sizeof(body), "{\"url\":\"https://example.com/%02048d\"}", 0);
    expect(ada, "POST", WEBHOOKS, body, 400, "Validation failed: URL must be less than 2048 characters");

    json_t *root = call(ada, "POST", WEBHOOKS,
                        "{\"url\":\"https://example.com/b\",\"types\":[\"todo.*\"],\"description\":\"mine\"}", 201);
    snprintf(id, sizeof(id), "%s", http_json_text(root, "data.id"));
    snprintf(secret, sizeof(secret), "%s", http_json_text(root, "data.secret"));
    cr_expect_eq(strlen(secret), 50);
    cr_expect_str_eq(http_json_text(root, "data.types.0"), "todo.*");
    cr_expect(json_is_true(http_json_at(root, "data.enabled")));
    cr_expect(json_is_null(http_json_at(root, "data.disabledReason")));
    json_decref(root);
    root = call(ada, "GET", WEBHOOKS, NULL, 200);
    cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), 2);
    cr_expect_str_eq(http_json_text(root, "data.data.0.description"), "mine");
    char *text = json_dumps(root, 0);
    cr_expect_null(strstr(text, "whsec_"), "%s", text);
    free(text);
    json_decref(root);
    secret_of(ada, id, body);
    cr_expect_str_eq(body, secret);
    snprintf(path, sizeof(path), "%s", webhook_path(id, ""));
    expect(ada, "PATCH", path, "{\"url\":\"x\"}", 400, "Validation failed: URL must begin with https://");
    expect(ada, "PATCH", path, "{\"enabled\":false}", 200, "Webhook updated successfully");
    root = call(ada, "PUT", path, "{\"url\":\"https://example.com/c\"}", 200);
    cr_expect_eq(http_json_integer(root, "data.version"), 3);
    cr_expect_eq(json_array_size(http_json_at(root, "data.types")), 0);
    json_decref(root);
    cr_expect(server_wait_output(&server, "\"event\":\"webhooks.created\""));

    static const struct {
        const char *method, *more;
    } routes[] = {{"GET", ""},
                  {"PATCH", ""},
                  {"PUT", ""},
                  {"DELETE", ""},
                  {"GET", "/secret"},
                  {"POST", "/rotate"},
                  {"POST", "/test"},
                  {"GET", "/deliveries"},
                  {"GET", "/deliveries/" UNKNOWN},
                  {"POST", "/deliveries/" UNKNOWN "/redeliver"}};
    for (size_t i = 0; i < LENGTH(routes); i++) {
        bool has_body = routes[i].more[0] == '\0' && routes[i].method[0] == 'P';
        expect(bob, routes[i].method, webhook_path(id, routes[i].more),
               has_body ? "{\"url\":\"https://example.com\"}" : NULL, 404, "Webhook not found");
    }
    expect(ada, "GET", webhook_path("x", "/secret"), NULL, 400, "Validation failed: Invalid webhook ID format");
    expect(ada, "GET", webhook_path(id, "/deliveries/" UNKNOWN), NULL, 404, "Delivery not found");
    expect(ada, "POST", webhook_path(id, "/deliveries/" UNKNOWN "/redeliver"), NULL, 404, "Delivery not found");
    expect(ada, "GET", webhook_path(id, "/deliveries/x"), NULL, 400, "Validation failed: Invalid delivery ID format");
    expect(ada, "GET", webhook_path(id, "/deliveries?limit=101"), NULL, 400,
           "Validation failed: Limit must be an integer from 1 to 100");
    expect(ada, "DELETE", path, NULL, 200, "Webhook deleted successfully");
    expect(ada, "GET", path, NULL, 404, "Webhook not found");
    cr_expect(server_wait_output(&server, "\"event\":\"webhooks.deleted\""));
    for (int i = 1; i < 25; i++)
        expect(ada, "POST", WEBHOOKS, "{\"url\":\"https://example.com/\"}", 201, "Webhook created successfully");
    expect(ada, "POST", WEBHOOKS, "{\"url\":\"https://example.com/\"}", 409, "Too many webhooks: delete one first");
    expect(bob, "POST", WEBHOOKS, "{\"url\":\"https://example.com/\"}", 201, "Webhook created successfully");
}

/* The body of the last event that the path was sent, which must be of this type. */
static json_t *event_of(const char *path, unsigned count, const char *type, struct receiver_request *request)
{
    receiver_wait(path, count, request);
    json_t *event = json_loads(request->body, 0, NULL);
    cr_assert(event, "%s", request->body);
    cr_expect_str_eq(http_json_text(event, "type"), type);
    return event;
}

Test(webhooks, events_of_ones_own, .init = site_start_plain, .fini = site_stop)
{
    static struct receiver_request request;
    char all[40], lists[40], his[40], secret[64], todo[80], version[64];
    add_webhook(ada, "/ok/all", NULL, all);
    add_webhook(ada, "/ok/lists", "[\"list.created\",\"list.deleted\"]", lists);
    add_webhook(bob, "/ok/bob", NULL, his);
    secret_of(ada, all, secret);
    add_todo(ada, "{\"title\":\"B\\u00fccher \\\"1\\\"\",\"tags\":[\"a\"]}", todo);
    json_t *event = event_of("/ok/all", 1, "todo.created", &request), *got = call(ada, "GET", todo, NULL, 200);
    cr_expect(json_equal(http_json_at(event, "data"), http_json_at(got, "data")), "%s", request.body);
    cr_expect_eq(strlen(http_json_text(event, "timestamp")), 24);
    json_decref(event);
    json_decref(got);

    cr_expect_eq(strncmp(request.head, "POST /ok/all HTTP/1.1\r\n", 23), 0, "%s", request.head);
    cr_expect_str_eq(receiver_field(&request, "content-type"), "application/json");
    cr_expect_eq(strncmp(receiver_field(&request, "user-agent"), "backplane/", 10), 0);
    cr_expect_str_eq(receiver_field(&request, "traceparent"), "");
    cr_expect_lt(llabs((long long)time(NULL) - atoll(receiver_field(&request, "webhook-timestamp"))), 30);
    snprintf(version, sizeof(version), "%s", signature_of(&request, secret));
    cr_expect_str_eq(receiver_field(&request, "webhook-signature"), version);

    got = wait_delivery(ada, all, "delivered", 1);
    char id[64];
    snprintf(id, sizeof(id), "msg_%s", http_json_text(got, "data.id"));
    cr_expect_str_eq(receiver_field(&request, "webhook-id"), id);
    cr_expect_str_eq(http_json_text(got, "data.type"), "todo.created");
    cr_expect_str_eq(http_json_text(got, "data.body"), request.body);
    cr_expect_eq(http_json_integer(got, "data.responseStatus"), 200);
    cr_expect_str_eq(http_json_text(got, "data.responseBody"), "thank you \xef\xbf\xbd");
    cr_expect(json_is_null(http_json_at(got, "data.error")) && json_is_null(http_json_at(got, "data.nextAttemptAt")));
    cr_expect_gt(http_json_integer(got, "data.eventId"), 0);
    json_decref(got);

    json_decref(call(ada, "PATCH", todo, "{\"completed\":true}", 200));
    json_decref(event_of("/ok/all", 2, "todo.completed", &request));
    json_decref(call(ada, "DELETE", todo, NULL, 200));
    event = event_of("/ok/all", 3, "todo.deleted", &request);
    cr_expect_str_eq(http_json_text(event, "data.id"), id_of(todo));
    json_decref(event);
    json_decref(call(ada, "POST", "/api/v1/lists", "{\"name\":\"x\"}", 201));
    json_decref(event_of("/ok/lists", 1, "list.created", &request));
    json_decref(event_of("/ok/all", 4, "list.created", &request));
    cr_expect_eq(receiver_count("/ok/lists"), 1);
    cr_expect_eq(receiver_count("/ok/bob"), 0);
    got = call(ada, "GET", webhook_path(all, "/deliveries?limit=3"), NULL, 200);
    cr_expect_eq(json_array_size(http_json_at(got, "data.data")), 3);
    cr_expect_null(http_json_at(got, "data.data.0.body"));
    char more[120];
    snprintf(more, sizeof(more), "/deliveries?limit=3&before=%s", http_json_text(got, "data.meta.nextBefore"));
    json_decref(got);
    got = call(ada, "GET", webhook_path(all, more), NULL, 200);
    cr_expect_eq(json_array_size(http_json_at(got, "data.data")), 1);
    cr_expect_str_eq(http_json_text(got, "data.data.0.type"), "todo.created");
    cr_expect(json_is_null(http_json_at(got, "data.meta.nextBefore")));
    json_decref(got);
    got = call(ada, "GET", webhook_path(all, "/deliveries?state=failed"), NULL, 200);
    cr_expect_eq(json_array_size(http_json_at(got, "data.data")), 0);
    json_decref(got);
}

Test(webhooks, a_new_secret, .init = site_start_plain, .fini = site_stop)
{
    static struct receiver_request request;
    char id[40], old[64], fresh[64], signatures[128];
    add_webhook(ada, "/ok/rotated", NULL, id);
    secret_of(ada, id, old);
    json_t *root = call(ada, "POST", webhook_path(id, "/rotate"), NULL, 200);
    snprintf(fresh, sizeof(fresh), "%s", http_json_text(root, "data.secret"));
    cr_expect_str_neq(fresh, old);
    cr_expect_str_eq(http_json_text(root, "data.previous"), old);
    cr_expect_eq(strlen(http_json_text(root, "data.previousUntil")), 24);
    json_decref(root);
    cr_expect(server_wait_output(&server, "\"event\":\"webhooks.secret_rotated\""));
    json_decref(call(ada, "POST", webhook_path(id, "/test"), NULL, 202));
    json_decref(event_of("/ok/rotated", 1, "webhook.test", &request));
    int len = snprintf(signatures, sizeof(signatures), "%s ", signature_of(&request, fresh));
    snprintf(signatures + len, sizeof(signatures) - (size_t)len, "%s", signature_of(&request, old));
    cr_expect_str_eq(receiver_field(&request, "webhook-signature"), signatures);
    /* The day is over. */
    database_execute(&server, "UPDATE webhooks SET previous_until = created_at");
    json_decref(call(ada, "POST", webhook_path(id, "/test"), NULL, 202));
    receiver_wait("/ok/rotated", 2, &request);
    snprintf(signatures, sizeof(signatures), "%s", signature_of(&request, fresh));
    cr_expect_str_eq(receiver_field(&request, "webhook-signature"), signatures);
    root = call(ada, "GET", webhook_path(id, "/secret"), NULL, 200);
    cr_expect(json_is_null(http_json_at(root, "data.previous")));
    json_decref(root);
}

/* To an endpoint that is not enabled only test events are sent; when it was disabled meanwhile, its deliveries have failed. */
Test(webhooks, not_enabled, .init = site_start_plain, .fini = site_stop)
{
    char id[40], todo[80];
    add_webhook(ada, "/status/500", NULL, id);
    add_todo(ada, "{\"title\":\"x\"}", todo);
    json_decref(wait_delivery(ada, id, "pending", 1));
    json_decref(call(ada, "PATCH", webhook_path(id, ""), "{\"enabled\":false}", 200));
    hurry();
    json_t *root = wait_delivery(ada, id, "failed", 1); /* it was not tried again */
    cr_expect_str_eq(http_json_text(root, "data.error"), "the webhook is not enabled");
    cr_expect_eq(http_json_integer(root, "data.responseStatus"), 500);
    cr_expect(json_is_null(http_json_at(root, "data.nextAttemptAt")));
    json_decref(root);
    cr_expect_eq(receiver_count("/status/500"), 1);
    add_todo(ada, "{\"title\":\"y\"}", todo);
    json_decref(call(ada, "POST", webhook_path(id, "/test"), NULL, 202));
    root = wait_delivery(ada, id, "pending", 1);
    cr_expect_str_eq(http_json_text(root, "data.type"), "webhook.test");
    json_decref(root);
    root = call(ada, "GET", webhook_path(id, "/deliveries"), NULL, 200);
    cr_expect_eq(json_array_size(http_json_at(root, "data.data")), 2);
    json_decref(root);
    /* What is deleted is not tried again. */
    json_decref(call(ada, "DELETE", webhook_path(id, ""), NULL, 200));
    hurry();
    for (long long begun = 0;
         database_integer(&server, "SELECT count(*) FROM jobs WHERE state IN ('scheduled', 'waiting', 'running')") > 0;)
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "a job is left");
    cr_expect_eq(receiver_count("/status/500"), 2);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM webhook_deliveries"), 0);
}

/* What is older than the option says is gone when the hour strikes. */
Test(webhooks, retention, .init = site_start_plain, .fini = site_stop)
{
    bool sqlite = database_kind() == DATABASE_SQLITE;
    char id[40], sql[200];
    add_webhook(ada, "/ok/kept", NULL, id);
    for (int i = 0; i < 2; i++) {
        json_decref(call(ada, "POST", webhook_path(id, "/test"), NULL, 202));
        json_decref(wait_delivery(ada, id, "delivered", 1));
        snprintf(sql, sizeof(sql), "UPDATE webhook_deliveries SET created_at = created_at - %s",
                 sqlite ? "60 * 86400000" : "interval '60 days'");
        if (i == 0)
            database_execute(&server, sql);
    }
    snprintf(sql, sizeof(sql), "UPDATE job_schedules SET next_at = next_at - %s WHERE kind = 'webhooks.prune'",
             sqlite ? "7200000" : "interval '2 hours'");
    for (long long begun = 0; database_integer(&server, "SELECT count(*) FROM webhook_deliveries") > 1;) {
        database_execute(&server, sql);
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "the old one is still there");
    }
    json_t *root = call(ada, "GET", webhook_path(id, "/deliveries"), NULL, 200);
    cr_expect_eq(json_array_size(http_json_at(root, "data.data")), 1);
    json_decref(root);
}

static void start_without_http(void)
{
    receiver_start();
    server_start(&server, &(struct server_options){
                              .environment = (const char *[]){"WEBHOOKS=1", NULL},
                              .arguments = (const char *[]){"--set", "plugins.webhooks.allow_http=never", NULL}});
    ada = http_login(server.port, "ada@example.com");
    bob = http_login(server.port, "bob@example.com");
}

Test(webhooks, https_only, .init = start_without_http, .fini = site_stop)
{
    static const char body[] = "{\"url\":\"http://example.com/\"}";
    char id[40];
    expect(ada, "POST", WEBHOOKS, body, 400, "URL must begin with https://");
    add_webhook(ada, "https://example.com/", NULL, id);
    expect(ada, "PATCH", webhook_path(id, ""), body, 400, "URL must begin with https://");
    expect(ada, "PUT", webhook_path(id, ""), body, 400, "URL must begin with https://");
    expect(ada, "PATCH", webhook_path(id, ""), "{\"enabled\":false}", 200, "Webhook updated successfully");
    /* One from when http:// would do. */
    char url[100], sql[200];
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/ok/old", receiver_port);
    snprintf(sql, sizeof(sql), "UPDATE webhooks SET url = '%s'", url);
    database_execute(&server, sql);
    expect(ada, "PATCH", webhook_path(id, ""), "{\"enabled\":true}", 400, "URL must begin with https://");
    expect(bob, "PATCH", webhook_path(id, ""), "{\"enabled\":true}", 404, "Webhook not found");
    expect(ada, "PATCH", webhook_path(id, ""), "{\"description\":\"old\"}", 200, "Webhook updated successfully");
    send_test(ada, id);
    json_t *root = wait_delivery(ada, id, "pending", 1);
    cr_expect_str_eq(http_json_text(root, "data.error"), "the URL must begin with https://");
    json_decref(root);
    cr_expect_eq(receiver_count("/ok/old"), 0);
    expect(ada, "PATCH", webhook_path(id, ""), "{\"enabled\":true,\"url\":\"https://example.com/\"}", 200,
           "Webhook updated successfully");
}

/* What was known of another URL says nothing of this one. */
Test(webhooks, led_elsewhere, .init = site_start_plain, .fini = site_stop)
{
    static const char *const bodies[] = {"{\"description\":\"x\"}", "{\"url\":\"https://example.com/b\"}"};
    char id[40];
    add_webhook(ada, "https://example.com/a", NULL, id);
    database_execute(&server,
                     "UPDATE webhooks SET failures = 7, failing_since = created_at, paused_until = created_at");
    for (size_t i = 0; i < LENGTH(bodies); i++) {
        expect(ada, "PATCH", webhook_path(id, ""), bodies[i], 200, "Webhook updated successfully");
        wait_count("SELECT failures FROM webhooks", i == 0 ? 7 : 0);
        wait_count("SELECT count(*) FROM webhooks WHERE failing_since IS NULL AND paused_until IS NULL",
                   i == 0 ? 0 : 1);
    }
}
