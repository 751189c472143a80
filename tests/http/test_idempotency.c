/* SPDX-License-Identifier: MIT */
/* Writes that are repeated with the same key; most of it with replies as the plugin keyed.c makes them. On every database. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

/* STAGE: options of the stage; INSTANCE: those of the plugin. */
#define CONFIG(INSTANCE, STAGE)                                                                                      \
    "server: { listen = ( { address = \"${HOST}:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 2;\n"        \
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; };\n"                                                  \
    "plugins: ( { use = \"health\"; }, { use = \"keyed\"; }, { use = \"idempotency\"; " INSTANCE " },\n"             \
    "  { use = \"sqlite\"; name = \"main\"; unless = \"DATABASE_URL\"; },\n"                                         \
    "  { use = \"postgres\"; name = \"main\"; when = \"DATABASE_URL\"; url = \"${DATABASE_URL}\"; migrate = true;\n" \
    "    direct_url = \"${DIRECT_URL}\"; } );\n"                                                                     \
    "pipelines: { marks = ( { use = \"idempotency\"; " STAGE " } ); rest = (); };\n"                                 \
    "routes: ( { match = \"/marks\"; pipeline = \"marks\"; }, { match = \"/marks/*\"; pipeline = \"marks\"; },\n"    \
    "  { match = \"/*\"; pipeline = \"rest\"; } );\n"

TestSuite(idempotency, .timeout = 120);

static void begin_in(struct test_server *server, const char *config, const char *folder)
{
    server_start(server, &(struct server_options){.config = config, .folder = folder, .database = true});
}

static void begin(struct test_server *server, const char *config)
{
    begin_in(server, config, NULL);
}

static unsigned post(int port, const char *target, const char *key, const char *body, struct http_reply *reply)
{
    char header[512];
    snprintf(header, sizeof(header), "Idempotency-Key: %s\r\n", key);
    http_call(port, "POST", target, key ? header : NULL, body, reply);
    return reply->status;
}

static unsigned status_of(int port, const char *target, const char *key, const char *body)
{
    struct http_reply reply;
    unsigned status = post(port, target, key, body, &reply);
    http_reply_free(&reply);
    return status;
}

static bool is_replayed(const struct http_reply *reply)
{
    const char *value = http_header(reply, "Idempotent-Replayed");
    return value && strcmp(value, "true") == 0;
}

static void touch(const struct test_server *server, const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", server->folder, name);
    FILE *file = fopen(path, "w");
    cr_assert(file && fclose(file) == 0);
}

static void wait_for(const struct test_server *server, const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", server->folder, name);
    for (long long begun = 0; access(path, F_OK) != 0;)
        cr_assert(service_patience(&begun, 10000), "%s was never there", name);
}

static long long marks(const struct test_server *server, const char *path)
{
    char sql[128];
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM marks WHERE name = '%s'", path);
    return database_integer(server, sql);
}

Test(idempotency, what_is_kept_and_what_is_undone)
{
    static const struct {
        const char *mode;
        unsigned first, second;
        bool replayed;
        long long marks; /* after both */
    } cases[] = {{"", 201, 201, true, 1},
                 {"empty", 204, 204, true, 1},
                 {"400", 400, 400, true, 1},
                 {"404", 404, 404, true, 1},
                 {"409", 409, 409, true, 1},
                 {"401", 401, 401, false, 2},
                 {"403", 403, 403, false, 2},
                 {"429", 429, 429, false, 2},
                 {"500", 500, 500, false, 0},
                 {"503", 503, 503, false, 0},
                 {"error", 500, 500, false, 0},
                 {"busy", 503, 503, false, 0},
                 {"conflict", 409, 409, false, 0},
                 {"hidden-conflict", 500, 500, false, 0},
                 {"part-undone", 500, 500, false, 0},
                 /* Carried out once, although the reply is not there any more. */
                 {"big", 200, 409, true, 1},
                 {"bytes", 200, 409, true, 1},
                 {"stream", 200, 409, true, 1}};
    struct test_server server;
    begin(&server, CONFIG("max_reply = 4000;", ""));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char target[64], path[32], key[32];
        struct http_reply first, second;
        snprintf(key, sizeof(key), "k%zu", i);
        snprintf(path, sizeof(path), "/marks/%zu", i);
        snprintf(target, sizeof(target), "%s?mode=%s", path, cases[i].mode);
        cr_expect_eq(post(server.port, target, key, "{}", &first), cases[i].first, "%s: %u", cases[i].mode,
                     first.status);
        cr_expect_not(is_replayed(&first), "%s", cases[i].mode);
        cr_expect_eq(post(server.port, target, key, "{}", &second), cases[i].second, "%s: %u", cases[i].mode,
                     second.status);
        cr_expect_eq(is_replayed(&second), cases[i].replayed, "%s", cases[i].mode);
        cr_expect_eq(marks(&server, path), cases[i].marks, "%s: %lld", cases[i].mode, marks(&server, path));
        if (cases[i].replayed && cases[i].first == cases[i].second) {
            cr_expect_str_eq(second.body, first.body, "%s", cases[i].mode);
            cr_expect_str_eq(http_header(&second, "Location"), "/here", "%s", cases[i].mode);
            cr_expect_str_eq(http_header(&second, "X-Block"), "kept", "%s", cases[i].mode);
            cr_expect_null(http_header(&second, "Set-Cookie"), "%s", cases[i].mode);
        } else if (cases[i].replayed) {
            cr_expect(strstr(second.body, "idempotency.reply_not_kept"), "%s: %s", cases[i].mode, second.body);
        }
        http_reply_free(&first);
        http_reply_free(&second);
    }
    cr_assert_eq(server_stop(&server), 0);
}

Test(idempotency, keys)
{
    char most[256], more[257];
    memset(most, 'a', 255);
    memset(more, 'a', 256);
    most[255] = more[256] = '\0';
    const struct {
        const char *key;
        unsigned status;
    } cases[] = {{"k", 201}, {"\"quoted\"", 201}, {"!~", 201},  {most, 201},   {more, 400},
                 {"", 400},  {"\"\"", 400},       {"a b", 400}, {"a\tb", 400}, {"caf\xc3\xa9", 400}};
    struct test_server server;
    struct http_reply reply;
    begin(&server, CONFIG("", ""));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(post(server.port, "/marks", cases[i].key, "{}", &reply), cases[i].status, "%zu: %u", i,
                     reply.status);
        if (cases[i].status == 400)
            cr_expect(strstr(reply.body, "Idempotency-Key must be 1 to 255 visible ASCII characters"), "%s",
                      reply.body);
        http_reply_free(&reply);
    }
    /* With and without quotes it is one key; two fields are none. */
    cr_expect_eq(post(server.port, "/marks", "\"k\"", "{}", &reply), 201);
    cr_expect(is_replayed(&reply));
    http_reply_free(&reply);
    cr_expect_eq(status_of(server.port, "/marks", "k\r\nIdempotency-Key: l", "{}"), 400);
    cr_assert_eq(server_stop(&server), 0);
}

Test(idempotency, another_request_under_the_same_key)
{
    static const struct {
        const char *method, *target, *body;
        unsigned status;
    } asks[] = {{"POST", "/marks", "{\"a\":1}", 201},     {"POST", "/marks", "{\"a\":2}", 422},
                {"POST", "/marks?x=1", "{\"a\":1}", 422}, {"POST", "/marks", NULL, 422},
                {"POST", "/marks", "{\"a\":1}", 201},   /* still the first one's */
                {"POST", "/marks/b", "{\"a\":1}", 201}, /* another route's keys are others */
                {"POST", "/marks/c", "{\"a\":1}", 422},   {"PUT", "/marks", "{\"a\":1}", 201}};
    struct test_server server;
    struct http_reply reply;
    begin(&server, CONFIG("", ""));
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        http_call(server.port, asks[i].method, asks[i].target, "Idempotency-Key: same\r\n", asks[i].body, &reply);
        cr_expect_eq(reply.status, asks[i].status, "%zu: %u %s", i, reply.status, reply.body);
        if (reply.status == 422) {
            json_t *body = http_json(&reply);
            cr_expect_str_eq(http_json_text(body, "code"), "idempotency.mismatch");
            cr_expect_str_eq(http_json_text(body, "message"), "This Idempotency-Key was used for another request");
            json_decref(body);
        }
        http_reply_free(&reply);
    }
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM marks"), 3);
    cr_assert_eq(server_stop(&server), 0);
}

Test(idempotency, options)
{
    struct test_server server;
    struct http_reply reply;
    begin(&server, CONFIG("cleanup = \"10ms\";", "required = true; methods = ( \"POST\" ); ttl = \"1s\";"));
    http_call(server.port, "POST", "/marks", NULL, "{}", &reply);
    cr_expect_eq(reply.status, 400);
    cr_expect(strstr(reply.body, "Idempotency-Key is required"), "%s", reply.body);
    http_reply_free(&reply);
    for (int i = 0; i < 2; i++) { /* not one of the methods: carried out each time */
        http_call(server.port, "PUT", "/marks", "Idempotency-Key: k\r\n", "{}", &reply);
        cr_expect_eq(reply.status, 201);
        cr_expect_not(is_replayed(&reply));
        http_reply_free(&reply);
    }
    cr_expect_eq(status_of(server.port, "/marks", "k", "{}"), 201);
    cr_expect_eq(marks(&server, "/marks"), 3);
    for (long long begun = 0; database_integer(&server, "SELECT count(*) FROM idempotency_keys") != 0;)
        cr_assert(service_patience(&begun, 10000), "what has expired is still there");
    cr_expect_eq(post(server.port, "/marks", "k", "{}", &reply), 201);
    cr_expect_not(is_replayed(&reply));
    http_reply_free(&reply);
    cr_expect_eq(marks(&server, "/marks"), 4);
    cr_assert_eq(server_stop(&server), 0);
}

struct call {
    int port;
    const char *target, *headers;
    bool answered;
    struct http_reply reply;
};

static void *call(void *argument)
{
    struct call *c = argument;
    c->answered = http_try(c->port, "POST", c->target, c->headers, "{\"title\":\"Once\"}", &c->reply);
    return NULL;
}

#define KEY "Idempotency-Key: k\r\n"

Test(idempotency, in_flight)
{
    struct test_server server, replica;
    struct http_reply reply;
    pthread_t thread;
    begin(&server, CONFIG("", ""));
    bool replicas = server.database[0] != '\0'; /* a file has one server */
    struct call first = {.port = server.port, .target = "/marks?mode=wait", .headers = KEY};
    if (replicas)
        server_start(&replica,
                     &(struct server_options){.config = CONFIG("", ""), .database = true, .replica_of = &server});
    cr_assert_eq(pthread_create(&thread, NULL, call, &first), 0);
    wait_for(&server, "waiting");
    for (int i = 0; i < 8; i++) { /* by either worker */
        int port = replicas && i % 2 ? replica.port : server.port;
        http_call(port, "POST", "/marks?mode=wait", KEY, "{\"title\":\"Once\"}", &reply);
        cr_expect_eq(reply.status, 409, "%u %s", reply.status, reply.body);
        cr_expect_str_eq(http_header(&reply, "Retry-After"), "1");
        cr_expect(strstr(reply.body, "idempotency.in_flight"), "%s", reply.body);
        http_reply_free(&reply);
    }
    touch(&server, "go");
    pthread_join(thread, NULL);
    cr_assert(first.answered);
    cr_expect_eq(first.reply.status, 201);
    http_reply_free(&first.reply);
    http_call(replicas ? replica.port : server.port, "POST", "/marks?mode=wait", KEY, "{\"title\":\"Once\"}", &reply);
    cr_expect_eq(reply.status, 201);
    cr_expect(is_replayed(&reply));
    http_reply_free(&reply);
    cr_expect_eq(marks(&server, "/marks"), 1);
    if (replicas)
        cr_assert_eq(server_stop(&replica), 0);
    cr_assert_eq(server_stop(&server), 0);
}

/* Whatever was begun is undone with its key; what was answered is remembered. */
Test(idempotency, after_a_kill_and_a_restart)
{
    struct test_server server, again;
    struct http_reply reply;
    pthread_t thread;
    begin(&server, CONFIG("", ""));
    cr_expect_eq(status_of(server.port, "/marks/done", "done", "{}"), 201);
    struct call first = {.port = server.port, .target = "/marks/lost?mode=wait", .headers = KEY};
    cr_assert_eq(pthread_create(&thread, NULL, call, &first), 0);
    wait_for(&server, "waiting");
    server_kill(&server);
    pthread_join(thread, NULL);
    cr_expect_not(first.answered);
    begin_in(&again, CONFIG("", ""), server.folder);
    cr_expect_eq(marks(&again, "/marks/lost"), 0);
    touch(&again, "go");
    /* Postgres may take a moment to notice that its client is gone. */
    for (long long begun = 0;;) {
        http_call(again.port, "POST", "/marks/lost?mode=wait", KEY, "{\"title\":\"Once\"}", &reply);
        if (reply.status != 409)
            break;
        http_reply_free(&reply);
        cr_assert(service_patience(&begun, 5000), "the key of a dead server is still locked");
    }
    cr_expect_eq(reply.status, 201);
    cr_expect_not(is_replayed(&reply));
    http_reply_free(&reply);
    cr_expect_eq(marks(&again, "/marks/lost"), 1);
    cr_expect_eq(post(again.port, "/marks/done", "done", "{}", &reply), 201);
    cr_expect(is_replayed(&reply));
    http_reply_free(&reply);
    cr_expect_eq(marks(&again, "/marks/done"), 1);
    cr_assert_eq(server_stop_keep(&again), 0);
    begin_in(&server, CONFIG("", ""), again.folder);
    http_call(server.port, "POST", "/marks/lost?mode=wait", KEY, "{\"title\":\"Once\"}", &reply);
    cr_expect_eq(reply.status, 201);
    cr_expect(is_replayed(&reply));
    http_reply_free(&reply);
    cr_assert_eq(server_stop(&server), 0);
}

Test(idempotency, many_at_once)
{
    enum { CALLS = 20 };
    struct test_server server;
    struct call calls[CALLS];
    pthread_t threads[CALLS];
    unsigned created = 0, replayed = 0, refused = 0;
    server_start(&server, &(struct server_options){.environment = (const char *[]){"BACKPLANE_WORKERS=2", NULL}});
    char *ada = http_login(server.port, "ada@example.com"), *bob = http_login(server.port, "bob@example.com"), *headers;
    cr_assert(asprintf(&headers, "%s" KEY, ada) > 0);
    for (size_t i = 0; i < CALLS; i++) {
        calls[i] = (struct call){.port = server.port, .target = "/api/v1/todos", .headers = headers};
        cr_assert_eq(pthread_create(&threads[i], NULL, call, &calls[i]), 0);
    }
    for (size_t i = 0; i < CALLS; i++) {
        pthread_join(threads[i], NULL);
        cr_assert(calls[i].answered);
        const struct http_reply *reply = &calls[i].reply;
        cr_expect(reply->status == 201 || reply->status == 409, "%u %s", reply->status, reply->body);
        created += reply->status == 201 && !is_replayed(reply);
        replayed += reply->status == 201 && is_replayed(reply);
        refused += reply->status == 409;
        http_reply_free(&calls[i].reply);
    }
    cr_expect_eq(created, 1, "%u created, %u replayed, %u refused", created, replayed, refused);
    cr_expect_eq(created + replayed + refused, CALLS);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM todos"), 1);
    /* The list shows it at once, from the cache or not; another's key of that name is another key. */
    struct http_reply reply;
    http_call(server.port, "GET", "/api/v1/todos", ada, NULL, &reply);
    cr_expect(strstr(reply.body, "Once"), "%s", reply.body);
    http_reply_free(&reply);
    free(headers);
    cr_assert(asprintf(&headers, "%s" KEY, bob) > 0);
    http_call(server.port, "POST", "/api/v1/todos", headers, "{\"title\":\"Bob's\"}", &reply);
    cr_expect_eq(reply.status, 201);
    cr_expect_not(is_replayed(&reply));
    http_reply_free(&reply);
    free(headers);
    free(ada);
    free(bob);
    cr_assert_eq(server_stop(&server), 0);
}
