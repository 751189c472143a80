/* SPDX-License-Identifier: MIT */
/* The cache from outside; most of it with replies as the plugin kept.c makes them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

#define CONFIG(options)                                                                                           \
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1;\n"   \
    "  plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/http\"; };\n"                                               \
    "plugins: ( { use = \"health\"; }, { use = \"metrics\"; }, { use = \"request_id\"; }, { use = \"kept\"; },\n" \
    "  { use = \"cache\"; " options " } );\n"                                                                     \
    "pipelines: { base = ( \"request_id\", \"metrics\", \"cache\" ); };\n"                                        \
    "routes: ( { match = \"/*\"; pipeline = \"base\"; } );\n"

static struct test_server server;

TestSuite(cache, .timeout = 60);

static void start(const char *config)
{
    server_start(&server, &(struct server_options){.config = config});
}

/* X-Cache of a reply, "" without; in a static buffer. */
static const char *result_of(const struct http_reply *reply)
{
    const char *value = http_header(reply, "X-Cache");
    return value ? value : "";
}

static const char *ask(const char *target, const char *headers)
{
    struct http_reply reply;
    http_call(server.port, "GET", target, headers, NULL, &reply);
    const char *result = result_of(&reply);
    http_reply_free(&reply);
    return result;
}

static int calls(void)
{
    struct http_reply reply;
    http_call(server.port, "GET", "/calls", NULL, NULL, &reply);
    cr_expect_str_eq(result_of(&reply), "", "a route without a tag has nothing to do with the cache");
    int number = atoi(reply.body);
    http_reply_free(&reply);
    return number;
}

static double metric(const char *series)
{
    struct http_reply reply;
    char line[128];
    http_call(server.port, "GET", "/metrics", NULL, NULL, &reply);
    snprintf(line, sizeof(line), "\n%s ", series);
    const char *found = strstr(reply.body, line);
    double value = found ? strtod(found + strlen(line), NULL) : -1;
    http_reply_free(&reply);
    return value;
}

Test(cache, what_is_kept)
{
    static const struct {
        const char *mode;
        const char *second;       /* result of the second request */
        const char *name, *value; /* a field of both replies */
        unsigned status;
    } cases[] = {
        {"", "HIT", "Content-Type", "text/plain", 200},
        {"cookie", "MISS", "Set-Cookie", "a=b", 200},
        {"no-store", "MISS", "ETag", NULL, 200},
        {"private", "MISS", "Cache-Control", "private", 200},
        {"vary-accept", "HIT", "Vary", "Accept", 200},
        {"vary-tenant", "HIT", "Vary", "accept, X-Tenant", 200},
        {"vary-other", "MISS", "Vary", "X-Other", 200},
        {"vary-any", "MISS", "Vary", "*", 200},
        {"etag", "HIT", "ETag", "\"own\"", 200},
        {"fields", "HIT", "X-Own", "one", 200},
        {"block", "HIT", "ETag", "\"blocked\"", 200},
        {"block", "HIT", "X-Block", "here", 200},
        {"block-cookie", "MISS", "X-Block", "here", 200},
        {"missing", "MISS", "ETag", NULL, 404},
        {"empty", "MISS", "ETag", NULL, 204},
        {"error", "MISS", "ETag", NULL, 500},
        {"big", "MISS", "Content-Length", "4096", 200},
        {"stream", "", "ETag", NULL, 200},
    };
    start(CONFIG("vary = \"X-Tenant\"; max_entry = \"4095\";"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char target[64];
        struct http_reply replies[2];
        snprintf(target, sizeof(target), "/kept/%zu?mode=%s", i, cases[i].mode);
        for (int n = 0; n < 2; n++) {
            http_call(server.port, "GET", target, NULL, NULL, &replies[n]);
            cr_expect_eq(replies[n].status, cases[i].status, "%s: %u", cases[i].mode, replies[n].status);
            const char *value = http_header(&replies[n], cases[i].name);
            cr_expect(cases[i].value ? value && strcmp(value, cases[i].value) == 0 : !value, "%s, %d: %s",
                      cases[i].mode, n, value ? value : "none");
        }
        cr_expect_str_eq(result_of(&replies[0]), *cases[i].second ? "MISS" : "", "%s", cases[i].mode);
        cr_expect_str_eq(result_of(&replies[1]), cases[i].second, "%s", cases[i].mode);
        cr_expect_eq(http_header(&replies[1], "Age") != NULL, strcmp(cases[i].second, "HIT") == 0, "%s", cases[i].mode);
        if (strcmp(cases[i].second, "HIT") == 0) {
            cr_expect_str_eq(replies[0].body, replies[1].body);
            /* The stages before the cache did their part anew. */
            char *id = strdup(http_header(&replies[0], "X-Request-ID"));
            cr_expect_str_neq(http_header(&replies[1], "X-Request-ID"), id);
            free(id);
            const char *first = strstr(replies[1].head, "X-Request-ID:");
            cr_expect(first && !strstr(first + 1, "X-Request-ID:"), "%s", replies[1].head);
        }
        for (int n = 0; n < 2; n++)
            http_reply_free(&replies[n]);
    }
    cr_expect_eq(metric("backplane_cache_entries"), 7);
    cr_assert_eq(server_stop(&server), 0);
}

Test(cache, what_is_the_same)
{
    /* The second request after the first. */
    static const struct {
        const char *first, *first_headers, *second, *second_headers, *result;
    } cases[] = {
        {"/kept/1?a=1&b=2", NULL, "/kept/1?b=2&a=1", NULL, "HIT"},
        {"/kept/2?a=1", NULL, "/kept/2?a=2", NULL, "MISS"},
        {"/kept/3?a=1", NULL, "/kept/3?b=1", NULL, "MISS"},
        {"/kept/4?a=1", NULL, "/kept/4?a=1&other=5", NULL, "MISS"}, /* a handler may refuse it */
        {"/kept/5?a=1", NULL, "/kept/5?a=1&a=1", NULL, "BYPASS"},
        {"/kept/6?a=x%20y", NULL, "/kept/6?%61=x+y", NULL, "HIT"},
        {"/kept/7", NULL, "/kept/8", NULL, "MISS"},
        {"/kept/9", NULL, "/./kept//9", NULL, "HIT"},
        {"/kept/10", "Accept: text/html, */*;q=0.5\r\n", "/kept/10", "accept:  TEXT/html,*/*;Q=0.5\r\n", "HIT"},
        {"/kept/11", "Accept: text/html\r\n", "/kept/11", "Accept: text/plain\r\n", "MISS"},
        {"/kept/12", NULL, "/kept/12", "Accept: */*\r\n", "HIT"},
        {"/kept/13", "X-Tenant: a\r\n", "/kept/13", "X-Tenant: b\r\n", "MISS"},
        {"/kept/14", "X-Tenant: a\r\n", "/kept/14", "X-Tenant: a\r\nX-Other: 1\r\n", "HIT"},
        {"/kept/15", NULL, "/kept/15", "Authorization: Basic x\r\n", "BYPASS"},
        {"/kept/16", NULL, "/kept/16", "Range: bytes=0-1\r\n", "BYPASS"},
        {"/kept/17", NULL, "/kept/17", "If-Match: \"x\"\r\n", "BYPASS"},
        {"/kept/18", NULL, "/kept/18", "Cache-Control: no-cache\r\n", "BYPASS"},
        {"/kept/18", NULL, "/kept/18", NULL, "HIT"},
        {"/kept/19", "Cache-Control: no-cache\r\n", "/kept/19", NULL, "HIT"},
        {"/kept/20", "Cache-Control: no-store\r\n", "/kept/20", NULL, "MISS"},
        {"/kept/21", NULL, "/kept/21", "Cache-Control: max-age=0\r\n", "BYPASS"},
        {"/kept/22", NULL, "/kept/22", "Cache-Control: max-age=5\r\n", "HIT"},
        {"/kept/23", NULL, "/kept/023", NULL, ""}, /* no such tag is ever written */
        {"/mine", NULL, "/mine", NULL, ""},        /* nobody is identified */
    };
    start(CONFIG("vary = \"X-Tenant\";"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ask(cases[i].first, cases[i].first_headers);
        cr_expect_str_eq(ask(cases[i].second, cases[i].second_headers), cases[i].result, "%s %s: not %s",
                         cases[i].second, cases[i].second_headers ? cases[i].second_headers : "", cases[i].result);
    }
    struct http_reply reply; /* other methods are none of its business */
    http_call(server.port, "POST", "/kept/1", NULL, NULL, &reply);
    cr_expect_eq(reply.status, 405);
    cr_expect_str_eq(result_of(&reply), "");
    http_reply_free(&reply);
    cr_assert_eq(server_stop(&server), 0);
}

Test(cache, a_list_of_parameters_replaces_that_of_the_route)
{
    start(CONFIG("query = \"a, mode\";"));
    ask("/kept/1?a=1&b=1", NULL);
    cr_expect_str_eq(ask("/kept/1?a=1&b=2", NULL), "HIT");
    cr_expect_str_eq(ask("/kept/1?a=2&b=2", NULL), "MISS");
    cr_expect_str_eq(ask("/kept/1?b=1&b=2&a=2", NULL), "HIT", "what is not on it may be repeated");
    cr_assert_eq(server_stop(&server), 0);
}

Test(cache, head_and_conditions)
{
    struct http_reply first, reply;
    char etag[128], condition[256];
    start(CONFIG(""));
    int fd = http_connect(server.port);
    cr_assert(http_send_text(fd, "HEAD /kept/1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    cr_assert(http_read(fd, true, &reply)); /* fills it, too */
    cr_expect_str_eq(result_of(&reply), "MISS");
    http_reply_free(&reply);
    http_call(server.port, "GET", "/kept/1", NULL, NULL, &first);
    cr_expect_str_eq(result_of(&first), "HIT");
    cr_expect_str_eq(first.body, "1");
    snprintf(etag, sizeof(etag), "%s", http_header(&first, "ETag"));
    cr_expect_eq(strlen(etag), 34);
    cr_assert(http_send_text(fd, "HEAD /kept/1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    cr_assert(http_read(fd, true, &reply));
    cr_expect_str_eq(result_of(&reply), "HIT");
    cr_expect_str_eq(http_header(&reply, "Content-Length"), "1");
    cr_expect_str_eq(http_header(&reply, "ETag"), etag);
    http_reply_free(&reply);
    close(fd);

    /* From the cache, past it, and where it must not be kept for anybody. */
    snprintf(condition, sizeof(condition), "If-None-Match: \"x\", W/%s\r\n", etag);
    http_call(server.port, "GET", "/kept/1", condition, NULL, &reply);
    cr_expect_eq(reply.status, 304);
    cr_expect_str_eq(result_of(&reply), "HIT");
    cr_expect_str_eq(http_header(&reply, "ETag"), etag);
    cr_expect_null(http_header(&reply, "Content-Type"));
    cr_expect_eq(reply.body_len, 0);
    http_reply_free(&reply);
    http_call(server.port, "GET", "/kept/1", "If-None-Match: \"x\"\r\n", NULL, &reply);
    cr_expect_eq(reply.status, 200);
    http_reply_free(&reply);
    http_call(server.port, "GET", "/kept/2?mode=etag", "If-None-Match: \"own\"\r\n", NULL, &reply);
    cr_expect_eq(reply.status, 304);
    cr_expect_str_eq(result_of(&reply), "MISS");
    http_reply_free(&reply);
    http_call(server.port, "GET", "/kept/2?mode=etag", NULL, NULL, &reply);
    cr_expect_eq(reply.status, 200);
    cr_expect_str_eq(result_of(&reply), "HIT", "the whole reply was kept");
    http_reply_free(&reply);
    http_call(server.port, "GET", "/kept/2?mode=etag", "Cache-Control: no-cache\r\nIf-None-Match: *\r\n", NULL, &reply);
    cr_expect_eq(reply.status, 304);
    cr_expect_str_eq(result_of(&reply), "BYPASS");
    http_reply_free(&reply);
    http_reply_free(&first);
    cr_assert_eq(server_stop(&server), 0);
}

static void let_go(void)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/go", server.folder);
    FILE *file = fopen(path, "w");
    cr_assert(file && fclose(file) == 0);
}

static void hold(void)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/go", server.folder);
    cr_assert_eq(unlink(path), 0);
}

/* Connections that have asked; when it returns the server has seen all of them. */
static void ask_many(int *fds, size_t count, const char *target)
{
    for (size_t i = 0; i < count; i++) {
        char text[128];
        snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
        fds[i] = http_connect(server.port);
        cr_assert(fds[i] >= 0 && http_send_text(fds[i], text));
        (void)calls(); /* asked later, answered later */
    }
}

struct tally {
    unsigned hit, miss, stale, failed, different;
};

static struct tally read_many(const int *fds, size_t count)
{
    struct tally tally = {0};
    char body[64] = "";
    for (size_t i = 0; i < count; i++) {
        struct http_reply reply;
        cr_assert(http_read(fds[i], false, &reply));
        close(fds[i]);
        if (reply.status == 200 && !body[0])
            snprintf(body, sizeof(body), "%s", reply.body);
        tally.hit += strcmp(result_of(&reply), "HIT") == 0;
        tally.miss += strcmp(result_of(&reply), "MISS") == 0;
        tally.stale += strcmp(result_of(&reply), "STALE") == 0;
        tally.failed += reply.status != 200;
        tally.different += reply.status == 200 && strcmp(body, reply.body) != 0;
        http_reply_free(&reply);
    }
    return tally;
}

Test(cache, one_asks_for_all)
{
    int fds[6];
    start(CONFIG(""));
    ask_many(fds, 6, "/kept/1?mode=wait");
    cr_expect_eq(calls(), 1);
    let_go();
    struct tally tally = read_many(fds, 6);
    cr_expect(tally.miss == 1 && tally.hit == 5 && tally.failed == 0 && tally.different == 0, "%u %u %u", tally.miss,
              tally.hit, tally.failed);
    cr_expect_eq(calls(), 1);
    cr_assert_eq(server_stop(&server), 0);
}

Test(cache, the_next_takes_over_when_the_first_fails)
{
    int fds[4];
    start(CONFIG(""));
    ask_many(fds, 4, "/kept/1?mode=wait-fail");
    let_go();
    struct tally tally = read_many(fds, 4);
    cr_expect(tally.miss == 2 && tally.hit == 2 && tally.failed == 1 && tally.different == 0, "%u %u %u", tally.miss,
              tally.hit, tally.failed);
    cr_expect_eq(calls(), 2);
    cr_assert_eq(server_stop(&server), 0);
}

Test(cache, the_next_takes_over_when_the_first_leaves)
{
    int fds[4];
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    start(CONFIG(""));
    ask_many(fds, 4, "/kept/1?mode=wait");
    /* One who waits may leave, too. */
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(setsockopt(fds[2 * i], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
        close(fds[2 * i]);
    }
    while (calls() < 2)
        service_breathe();
    let_go();
    int left[2] = {fds[1], fds[3]};
    struct tally tally = read_many(left, 2);
    cr_expect(tally.miss == 1 && tally.hit == 1 && tally.failed == 0 && tally.different == 0, "%u %u %u", tally.miss,
              tally.hit, tally.failed);
    cr_expect_eq(calls(), 2);
    cr_assert_eq(server_stop(&server), 0);
}

Test(cache, a_reply_that_is_ones_own_is_nobody_elses)
{
    int fds[4];
    start(CONFIG(""));
    ask_many(fds, 4, "/kept/1?mode=wait-cookie");
    cr_expect_eq(calls(), 1);
    let_go();
    struct tally tally = read_many(fds, 4);
    cr_expect(tally.miss == 4 && tally.hit == 0 && tally.failed == 0 && tally.different == 3, "%u %u %u", tally.miss,
              tally.hit, tally.different);
    cr_expect_eq(calls(), 4);
    cr_assert_eq(server_stop(&server), 0);
}

Test(cache, time_passes)
{
    struct http_reply reply;
    start(CONFIG("ttl = \"1500ms\";"));
    cr_expect_str_eq(ask("/kept/1", NULL), "MISS");
    int age = 0, before = -1;
    for (;;) { /* until it has expired */
        http_call(server.port, "GET", "/kept/1", NULL, NULL, &reply);
        const char *text = http_header(&reply, "Age");
        bool hit = strcmp(result_of(&reply), "HIT") == 0;
        text = http_header(&reply, "Age");
        age = text ? atoi(text) : age;
        cr_assert_geq(age, before);
        before = age;
        http_reply_free(&reply);
        if (!hit)
            break;
        service_breathe();
    }
    cr_expect_eq(age, 1);
    cr_expect_eq(calls(), 2);
    cr_assert_eq(server_stop(&server), 0);
}

/* Sends one request; true when it got the handler to wait, else its reply is read and must be a hit. */
static bool refreshes(int *ret_fd, const char *target)
{
    struct http_reply reply;
    int before = calls();
    ask_many(ret_fd, 1, target);
    if (calls() > before)
        return true;
    cr_assert(http_read(*ret_fd, false, &reply));
    cr_assert_str_eq(result_of(&reply), "HIT");
    http_reply_free(&reply);
    close(*ret_fd);
    return false;
}

Test(cache, stale_while_one_refreshes)
{
    struct http_reply reply;
    int fd;
    start(CONFIG("ttl = \"50ms\"; stale_while_revalidate = \"1h\";"));
    let_go();
    cr_expect_str_eq(ask("/kept/1?mode=wait", NULL), "MISS");
    hold();
    while (!refreshes(&fd, "/kept/1?mode=wait"))
        service_breathe();
    for (int i = 0; i < 3; i++) {
        http_call(server.port, "GET", "/kept/1?mode=wait", NULL, NULL, &reply);
        cr_expect_str_eq(result_of(&reply), "STALE");
        cr_expect_str_eq(reply.body, "1");
        cr_expect_not_null(http_header(&reply, "Age"));
        http_reply_free(&reply);
    }
    cr_expect_eq(calls(), 2, "one refreshes");
    let_go();
    cr_assert(http_read(fd, false, &reply));
    cr_expect_str_eq(result_of(&reply), "MISS");
    cr_expect_str_eq(reply.body, "2");
    http_reply_free(&reply);
    close(fd);
    http_call(server.port, "GET", "/kept/1?mode=wait", NULL, NULL, &reply);
    cr_expect_str_neq(reply.body, "1", "the new one has taken its place");
    http_reply_free(&reply);
    cr_expect_eq(metric("backplane_cache_requests_total{result=\"stale\"}"), 3);
    cr_assert_eq(server_stop(&server), 0);
}

Test(cache, makes_room)
{
    start(CONFIG("size = \"64KiB\";"));
    for (int i = 0; i < 50; i++) {
        char target[64];
        snprintf(target, sizeof(target), "/kept/%d?mode=big", i);
        cr_expect_str_eq(ask(target, NULL), "MISS");
        cr_expect_str_eq(ask(target, NULL), "HIT");
    }
    cr_expect_leq(metric("backplane_cache_bytes"), 65536);
    cr_expect_geq(metric("backplane_cache_entries"), 12);
    cr_expect_eq(metric("backplane_cache_evictions_total"), 50 - metric("backplane_cache_entries"));
    cr_expect_eq(metric("backplane_cache_requests_total{result=\"hit\"}"), 50);
    cr_expect_str_eq(ask("/kept/0?mode=big", NULL), "MISS");
    cr_assert_eq(server_stop(&server), 0);
}

Test(cache, redis_must_be_there_when_it_is_asked_for)
{
    char *output;
    int code = server_refuses(&(struct server_options){.config = CONFIG("store = \"redis\";")}, &output);
    cr_expect_eq(code, 1);
    cr_expect(strstr(output, "\"redis\" needs an instance that provides key_value, such as redis"), "%s", output);
    free(output);
}
