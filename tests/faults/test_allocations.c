/* SPDX-License-Identifier: MIT */
/*
 * The n-th allocation fails: on the way from the shipped configuration to a server, and in one request of each route, the first of a fresh server ("cold")
 * and one of a server that lives through all of it ("warm"). Each time a clean error (a negative status; a whole 5xx, or the end of the connection) and,
 * afterwards, the same thing works. Once for a single failure, once for a run of them. Writes TAP.
 *
 * Allocations are counted first. By default a sample of them fails, of each thing: the first two, the last, and others spread evenly between, elsewhere for
 * single failures than for runs; COLD of them where each try needs a server of its own, WARM where it does not. With BACKPLANE_TEST_ALL=1 every one does.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/log.h"
#include "failing.h"
#include "world.h"

enum { COLD = 12, WARM = 60 };

static const char *config_file;
static FILE *tap;
static unsigned made, failed;
static unsigned serial; /* in addresses, so that each sign-up is a new one */
static bool all;
static bp_time since;
static char answer[ANSWER_SIZE];

static bool wrong(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("# ", tap);
    vfprintf(tap, format, arguments);
    fputs("\n", tap);
    va_end(arguments);
    return false;
}

/* What says the most of a reply. */
static const char *body(void)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end ? end + 4 : answer;
}

static void say(bool fine, const char *name, long burst, long tries, long count)
{
    made++;
    failed += !fine;
    fprintf(tap, "%s %u - %s: %s, %ld of %ld allocations, %lld ms\n", fine ? "ok" : "not ok", made, name,
            burst > 1 ? "some from the n-th on fail" : "the n-th fails", tries, count,
            (long long)((bp_clock() - since) / BP_MILLISECOND));
    since = bp_clock();
    fflush(tap);
}

/* Which of count allocations fails in the i-th try, counted from 0; 0: that was all. */
static long sample(long count, long i, long tries, long burst)
{
    enum { FIRST = 2, LAST = 1 };
    long between = tries - FIRST - LAST;
    if (all || count <= tries)
        return i < count ? i + 1 : 0;
    if (i >= tries)
        return 0;
    if (i < FIRST)
        return i + 1;
    if (i >= tries - LAST)
        return count - (tries - 1 - i);
    return FIRST + 1 + (count - FIRST - LAST) * (2 * (i - FIRST) + (burst > 1)) / (2 * between);
}

/* ---- to a server ---- */

static int load(struct world *world)
{
    return world_load(world, config_file);
}

static const struct step {
    const char *name;
    int (*before)(struct world *world);
    int (*function)(struct world *world);
} steps[] = {
    {"load the configuration and its plugins", NULL, load},
    {"migrate", load, world_migrate},
    {"start", load, world_start},
};

static bool try_step(const struct step *step, long n, long burst, long *ret_count)
{
    struct world world = {.started = false};
    bool fine = true;
    if (step->before && step->before(&world) != 0)
        fine = wrong("%s: does not get so far: %.*s", step->name, (int)world.report.text.len, world.report.text.ptr);
    failing_arm(n, burst);
    int status = fine ? step->function(&world) : 0;
    *ret_count = failing_count();
    bool hit = failing_disarm();
    if (status > 0 || (status != 0 && !hit))
        fine = wrong("%s: allocation %ld: status %d: %.*s", step->name, n, status, (int)world.report.text.len,
                     world.report.text.ptr ? world.report.text.ptr : "");
    world_close(&world);
    return fine;
}

static void run_step(const struct step *step, long burst)
{
    long count = 0, ignored, tries = 0, n;
    bool fine = try_step(step, 0, 0, &count);
    for (; fine && (n = sample(count, tries, COLD, burst)) > 0; tries++)
        fine = try_step(step, n, burst, &ignored);
    if (fine)
        fine = try_step(step, 0, 0, &ignored);
    say(fine, step->name, burst, tries, count);
}

/* ---- requests ---- */

#define JSON_TYPE "Content-Type: application/json\r\n"
#define PASSWORD "\"password\":\"Passw0rd!\""

enum needs { NOTHING, TOKEN, TODO };

static const struct route {
    const char *method, *target; /* "%s" in it: the id of a todo */
    const char *head, *body;     /* "%u" in the body: a number that no other has */
    unsigned status;
    enum needs needs;
} routes[] = {
    {"GET", "/health/live", "", NULL, 200, NOTHING},
    {"GET", "/health/ready", "", NULL, 200, NOTHING},
    {"GET", "/health/database", "", NULL, 200, NOTHING},
    {"GET", "/metrics", "", NULL, 200, NOTHING},
    {"POST", "/api/v1/auth/sign-up", JSON_TYPE, "{\"email\":\"new%u@example.org\"," PASSWORD "}", 201, NOTHING},
    {"POST", "/api/v1/auth/sign-up", JSON_TYPE, "{\"email\":\"x%u\"}", 400, NOTHING},
    {"POST", "/api/v1/auth/login", JSON_TYPE, "{\"email\":\"user@example.org\"," PASSWORD "}", 200, NOTHING},
    {"POST", "/api/v1/auth/login", JSON_TYPE, "{\"email\":\"nobody%u@example.org\"," PASSWORD "}", 401, NOTHING},
    {"POST", "/api/v1/todos", JSON_TYPE, "{\"title\":\"A \\u00e9 %u\",\"completed\":true}", 201, TOKEN},
    {"POST", "/api/v1/todos", JSON_TYPE "Transfer-Encoding: chunked\r\n",
     "7\r\n{\"title\r\n6\r\n\":\"b\"}\r\n0\r\nA: b\r\n\r\n", 201, TOKEN},
    {"POST", "/api/v1/todos", JSON_TYPE, "{\"title\":\"%u\",,}", 400, TOKEN},
    {"GET", "/api/v1/todos?page=1&limit=100", "", NULL, 200, TOKEN},
    {"GET", "/api/v1/todos/%s", "", NULL, 200, TODO},
    {"GET", "/api/v1/todos/1b4e28ba-2fa1-41d2-883f-0016d3cca427", "", NULL, 404, TOKEN},
    {"PATCH", "/api/v1/todos/%s", JSON_TYPE, "{\"title\":\"C %u\",\"completed\":false}", 200, TODO},
    {"DELETE", "/api/v1/todos/%s", "", NULL, 200, TODO},
    {"GET", "/api/v1/todos", "", NULL, 401, NOTHING},
    {"GET", "/api/v1/todos", "Authorization: Bearer a.b.c\r\n", NULL, 401, NOTHING},
    {"DELETE", "/api/v1/todos", "", NULL, 405, TOKEN},
    {"OPTIONS", "/api/v1/todos", "Origin: http://a.example\r\nAccess-Control-Request-Method: POST\r\n", NULL, 204,
     NOTHING},
    {"GET", "/nowhere?x=1", "", NULL, 404, NOTHING},
    {"GET", "/a%%00b", "", NULL, 400, NOTHING},
};

/* The value of a text member, the first of that name. */
static bool member(const char *text, const char *name, char *value, size_t size)
{
    char start[32];
    snprintf(start, sizeof(start), "\"%s\":\"", name);
    const char *at = strstr(text, start);
    if (!at)
        return false;
    at += strlen(start);
    snprintf(value, size, "%.*s", (int)strcspn(at, "\""), at);
    return true;
}

/* 0: no reply, as clean as one. A reply that is not whole: 1. */
static unsigned status_of(size_t len)
{
    unsigned status = 0;
    if (len == 0)
        return 0;
    const char *end = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "\r\nContent-Length: ");
    if (sscanf(answer, "HTTP/1.1 %u ", &status) != 1 || !end)
        return 1;
    size_t body = len - (size_t)(end + 4 - answer);
    if (status == 204)
        return body == 0 ? status : 1;
    return length && length < end && strtoul(length + 18, NULL, 10) == body ? status : 1;
}

/* Asks; false when that does not come to an end. */
static bool ask(struct world *world, const struct route *route, const char *token, const char *todo,
                unsigned *ret_status)
{
    char target[256], content[512], request[4096], length[64] = "";
    size_t len;
    snprintf(target, sizeof(target), route->target, todo);
    snprintf(content, sizeof(content), route->body ? route->body : "", ++serial);
    if (route->body && !strstr(route->head, "chunked"))
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(content));
    int n = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s%s%s%s%s\r\n%s",
                     route->method, target, token[0] ? "Authorization: Bearer " : "", token, token[0] ? "\r\n" : "",
                     route->head, length, content);
    bool ended = world_ask(world, request, (size_t)n, answer, &len);
    *ret_status = status_of(len);
    return ended;
}

static bool prepare(struct world *world, const struct route *route, char token[1024], char todo[64])
{
    static const struct route sign_up = {
        "POST", "/api/v1/auth/sign-up", JSON_TYPE, "{\"email\":\"user@example.org\"," PASSWORD "}", 201, NOTHING};
    static const struct route login = {
        "POST", "/api/v1/auth/login", JSON_TYPE, "{\"email\":\"user@example.org\"," PASSWORD "}", 200, NOTHING};
    static const struct route create = {"POST", "/api/v1/todos", JSON_TYPE, "{\"title\":\"D %u\"}", 201, TOKEN};
    unsigned status;
    if (route == &routes[0] && (!ask(world, &sign_up, "", "", &status) || (status != 201 && status != 409)))
        return false;
    if (route->needs >= TOKEN &&
        (!ask(world, &login, "", "", &status) || status != 200 || !member(answer, "token", token, 1024)))
        return false;
    return route->needs < TODO ||
           (ask(world, &create, token, "", &status) && status == 201 && member(answer, "id", todo, 64));
}

static bool clean(unsigned status)
{
    return status == 0 || status == 500 || status == 503;
}

static bool open_world(struct world *world)
{
    bool fine = world_load(world, config_file) == 0 && world_start(world) == 0;
    return fine || wrong("no server: %.*s", (int)world->report.text.len, world->report.text.ptr);
}

static bool try_route(struct world *world, const struct route *route, long n, long burst, long *ret_count)
{
    char token[1024] = "", todo[64] = "";
    unsigned status = 0;
    if (!prepare(world, route, token, todo))
        return wrong("%s %s: allocation %ld: cannot be prepared: %s", route->method, route->target, n, body());
    failing_arm(n, burst);
    bool ended = ask(world, route, token, todo, &status);
    *ret_count = failing_count();
    bool hit = failing_disarm();
    if (!ended)
        return wrong("%s %s: allocation %ld: hangs", route->method, route->target, n);
    if (status != route->status && !(hit && clean(status)))
        return wrong("%s %s: allocation %ld: status %u, not %u: %s", route->method, route->target, n, status,
                     route->status, body());
    /* What was deleted before the reply failed stays deleted. */
    unsigned again = route->status, gone = strcmp(route->method, "DELETE") == 0 && route->needs == TODO ? 404 : again;
    if (!ask(world, route, token, todo, &status) || (status != again && status != gone))
        return wrong("%s %s: allocation %ld: afterwards %u: %s", route->method, route->target, n, status, body());
    return true;
}

/* In a server of its own. */
static bool try_cold(const struct route *route, long n, long burst, long *ret_count)
{
    struct world world = {.started = false};
    bool fine = open_world(&world) && try_route(&world, route, n, burst, ret_count);
    world_close(&world);
    return fine;
}

static void run_cold(const struct route *route, long burst)
{
    char name[128];
    long count = 0, ignored, tries = 0, n;
    bool fine = try_cold(route, 0, 0, &count);
    for (; fine && (n = sample(count, tries, COLD, burst)) > 0; tries++)
        fine = try_cold(route, n, burst, &ignored);
    snprintf(name, sizeof(name), "cold: %s %s (%u)", route->method, route->target, route->status);
    say(fine, name, burst, tries, count);
}

static void run_warm(const struct route *route, long burst)
{
    char name[128];
    struct world world = {.started = false};
    long count = 0, ignored, tries = 0, n;
    bool fine = open_world(&world) && try_route(&world, route, 0, 0, &ignored) &&
                try_route(&world, route, 0, 0, &count); /* as of the second it is warm */
    for (; fine && (n = sample(count, tries, WARM, burst)) > 0; tries++)
        fine = try_route(&world, route, n, burst, &ignored);
    world_close(&world);
    snprintf(name, sizeof(name), "warm: %s %s (%u)", route->method, route->target, route->status);
    say(fine, name, burst, tries, count);
}

/* ---- */

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

int main(int argc, char **argv)
{
    enum { BURST = 12, STEPS = sizeof(steps) / sizeof(steps[0]), ROUTES = sizeof(routes) / sizeof(routes[0]) };
    char folder[64], log[96];
    all = getenv("BACKPLANE_TEST_ALL") != NULL;
    if (argc != 2 || !world_prepare(folder))
        return 2;
    config_file = argv[1];
    since = bp_clock();
    tap = fdopen(dup(STDOUT_FILENO), "w");
    snprintf(log, sizeof(log), "%s/log", folder);
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (!tap || fd < 0 || dup2(fd, STDOUT_FILENO) < 0) /* access_log's */
        return 2;
    if (!getenv("BACKPLANE_TEST_LOG") && dup2(fd, STDERR_FILENO) < 0)
        return 2;
    log_setup(BP_LOG_ERROR, LOG_JSON, "test");
    fprintf(tap, "1..%d\n", 2 * (STEPS + 2 * ROUTES));
    struct world world = {.started = false};
    if (world_load(&world, config_file) != 0 || world_migrate(&world) != 0)
        fprintf(tap, "# %.*s\n", (int)world.report.text.len, world.report.text.ptr ? world.report.text.ptr : "");
    world_close(&world);
    for (long burst = 1; burst <= BURST; burst += BURST - 1) {
        for (size_t i = 0; i < STEPS; i++)
            run_step(&steps[i], burst);
        for (size_t i = 0; i < ROUTES; i++)
            run_cold(&routes[i], burst);
        for (size_t i = 0; i < ROUTES; i++)
            run_warm(&routes[i], burst);
    }
    (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    fclose(tap);
    return failed > 0;
}
