/* SPDX-License-Identifier: MIT */
/* Limits over four servers and one Redis: how exact they are, and what is done while Redis is away. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/http.h"
#include "tests/support/redis.h"
#include "tests/support/server.h"

enum { REPLICAS = 4, CLIENTS = 8, RECORDS = 20000 };

/* patience: how long Redis may take to answer. */
#define CONFIG(patience, stage)                                                                                       \
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); workers = 1; data = \"${BACKPLANE_DATA}\"; };\n"    \
    "plugins: ( { use = \"health\"; }, { use = \"metrics\"; }, { use = \"rate_limit\"; },\n"                          \
    "           { use = \"redis\"; url = \"${REDIS_URL}\"; timeout = \"" patience "\"; } );\n"                        \
    "pipelines: { ops = ( ); base = ( { use = \"rate_limit\"; as = \"all\"; store_timeout = \"" patience "\"; " stage \
    " } ); };\n"                                                                                                      \
    "routes: ( { match = \"/health/*\"; pipeline = \"ops\"; }, { match = \"/metrics\"; pipeline = \"ops\"; }, "       \
    "{ match = \"/*\"; pipeline = \"base\"; } );\n"

struct world {
    struct test_redis redis;
    struct test_server servers[REPLICAS];
    size_t count;
};

static void begin(struct world *world, const char *config, size_t count)
{
    char url[REDIS_URL_SIZE], variable[REDIS_URL_SIZE + 16];
    redis_start(&world->redis, &(struct redis_options){.password = NULL});
    redis_url(&world->redis, REDIS_TCP, 0, url);
    (void)snprintf(variable, sizeof(variable), "REDIS_URL=%s", url);
    world->count = count;
    for (size_t i = 0; i < count; i++)
        server_start(&world->servers[i],
                     &(struct server_options){.config = config, .environment = (const char *const[]){variable, NULL}});
}

static void end(struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        cr_assert_eq(server_stop(&world->servers[i]), 0);
    redis_stop(&world->redis);
}

/* ---- many clients ---- */

struct record {
    long long sent, received;
};

struct client {
    const struct world *world;
    pthread_t thread;
    unsigned index;
    unsigned tries; /* 0: until `until` */
    long long until;
    struct record *admitted;
    size_t count;
    unsigned strange; /* answers that are neither 404 nor 429 */
};

static void *hammer(void *argument)
{
    struct client *client = argument;
    int fds[REPLICAS];
    for (size_t i = 0; i < REPLICAS; i++)
        fds[i] = http_connect(client->world->servers[i].port);
    for (unsigned n = 0; client->tries ? n < client->tries : service_milliseconds() < client->until; n++) {
        struct http_reply reply;
        struct record record = {.sent = service_milliseconds()};
        int fd = fds[(client->index + n) % REPLICAS];
        if (!http_send_text(fd, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n") || !http_read(fd, false, &reply)) {
            client->strange++;
            break;
        }
        record.received = service_milliseconds();
        if (reply.status == 404 && client->count < RECORDS)
            client->admitted[client->count++] = record;
        else if (reply.status != 429)
            client->strange++;
        http_reply_free(&reply);
    }
    for (size_t i = 0; i < REPLICAS; i++)
        close(fds[i]);
    return NULL;
}

/* All that was admitted; free() it. */
static struct record *run_clients(const struct world *world, unsigned tries, long long milliseconds, size_t *ret_count)
{
    static struct client clients[CLIENTS];
    struct record *all = calloc((size_t)CLIENTS * RECORDS, sizeof(*all));
    size_t count = 0;
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.world = world,
                                     .index = i,
                                     .tries = tries,
                                     .until = service_milliseconds() + milliseconds,
                                     .admitted = calloc(RECORDS, sizeof(struct record))};
        cr_assert_eq(pthread_create(&clients[i].thread, NULL, hammer, &clients[i]), 0);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        cr_assert_eq(clients[i].strange, 0);
        memcpy(all + count, clients[i].admitted, clients[i].count * sizeof(*all));
        count += clients[i].count;
        free(clients[i].admitted);
    }
    *ret_count = count;
    return all;
}

Test(replicas, four_admit_exactly_the_quota_of_a_window)
{
    static const char *const configs[] = {CONFIG("5s", "quota = 1000; window = \"1h\";"),
                                          CONFIG("5s", "quota = 1000; window = \"1000h\"; algorithm = \"gcra\";")};
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        size_t count;
        begin(&world, configs[i], REPLICAS);
        free(run_clients(&world, 250, 0, &count));
        cr_assert_eq(count, 1000, "%zu", count);
        end(&world);
    }
}

/* Windows follow each other from the first request on. What was admitted for certain within one: sent after its begin, answered before its end. */
static size_t most_in_a_window(const struct record *records, size_t count, long long window)
{
    const struct record *first = &records[0];
    size_t most = 0, inside = 1;
    for (size_t i = 1; i < count; i++)
        if (records[i].received < first->received)
            first = &records[i];
    for (long long number = 0; inside > 0; number++) {
        inside = 0;
        for (size_t i = 0; i < count; i++)
            inside += records[i].sent >= first->received + number * window &&
                      records[i].received <= first->sent + (number + 1) * window;
        if (inside > most)
            most = inside;
    }
    return most;
}

Test(replicas, four_admit_at_most_one_percent_more_in_a_window)
{
    struct world world;
    size_t count;
    begin(&world, CONFIG("5s", "quota = 400; window = \"1s\";"), REPLICAS);
    struct record *records = run_clients(&world, 0, 4500, &count);
    size_t most = most_in_a_window(records, count, 1000);
    cr_assert_leq(most, 404, "%zu", most);
    cr_assert_geq(count, 400 * 4, "what may pass does: %zu", count);
    free(records);
    end(&world);
}

/* ---- Redis is away ---- */

struct answer {
    unsigned status;
    int remaining; /* -1: it does not say */
    bool retry_after;
};

static struct answer ask(const struct test_server *server)
{
    struct http_reply reply;
    struct answer answer = {.remaining = -1};
    http_call(server->port, "GET", "/x", NULL, NULL, &reply);
    answer.status = reply.status;
    answer.retry_after = http_header(&reply, "Retry-After") != NULL;
    if (http_header(&reply, "X-RateLimit-Remaining"))
        answer.remaining = atoi(http_header(&reply, "X-RateLimit-Remaining"));
    http_reply_free(&reply);
    return answer;
}

/* The value of one line of /metrics; -1 when it is not there. */
static double metric(const struct test_server *server, const char *series)
{
    struct http_reply reply;
    double value = -1;
    http_call(server->port, "GET", "/metrics", NULL, NULL, &reply);
    char *line = strstr(reply.body, series);
    if (line)
        value = strtod(line + strlen(series), NULL);
    http_reply_free(&reply);
    return value;
}

/* Whether its log says so within 5 s. */
static bool is_back(const struct test_server *server, unsigned times)
{
    long long until = service_milliseconds() + 5000;
    for (;;) {
        char *output = server_output(server);
        unsigned found = 0;
        for (const char *at = output; (at = strstr(at, "rate_limit.store_back")); at++)
            found++;
        free(output);
        if (found >= times)
            return true;
        if (service_milliseconds() > until)
            return false;
        service_breathe();
    }
}

#define FAILURES "\nbackplane_ratelimit_store_failures_total{stage=\"all\",reason="

Test(replicas, local_divides_the_quota)
{
    struct world world;
    begin(&world, CONFIG("200ms", "quota = 40; window = \"1h\"; replicas = 4;"), REPLICAS);
    for (int i = 0; i < 8; i++)
        cr_assert_eq(ask(&world.servers[i % REPLICAS]).remaining, 39 - i);

    redis_pause(&world.redis);
    for (size_t s = 0; s < REPLICAS; s++) {
        struct answer first = ask(&world.servers[s]);
        cr_assert_eq(first.status, 404);
        cr_assert_eq(first.remaining, 9, "a quarter: %d", first.remaining);
        for (int i = 8; i >= 0; i--) {
            struct answer next = ask(&world.servers[s]);
            cr_assert_eq(next.remaining, i);
        }
        struct answer refused = ask(&world.servers[s]);
        cr_assert_eq(refused.status, 429);
        cr_assert(refused.retry_after);
        /* The time-out is waited for once, and once more when it is time to look whether the store is back. */
        double late = metric(&world.servers[s], FAILURES "\"late\"} "),
               away = metric(&world.servers[s], FAILURES "\"away\"} ");
        cr_assert_eq(late + away, 11);
        cr_assert(late >= 1 && late < away, "%g of 11 requests waited for it", late);
        cr_assert_eq(
            metric(&world.servers[s], "\nbackplane_ratelimit_decisions_total{stage=\"all\",decision=\"refused\"} "), 1);
    }
    redis_resume(&world.redis);
    for (size_t s = 0; s < REPLICAS; s++)
        cr_assert(is_back(&world.servers[s], 1), "server %zu", s);
    /* What was asked before the time-out may have been counted: one for each server at most. */
    int remaining = ask(&world.servers[0]).remaining;
    cr_assert(remaining >= 31 - REPLICAS && remaining <= 31, "%d", remaining);
    cr_assert_eq(ask(&world.servers[1]).remaining, remaining - 1);

    redis_kill(&world.redis);
    cr_assert_eq(ask(&world.servers[2]).status, 429, "its part is used up");
    redis_again(&world.redis);
    cr_assert(is_back(&world.servers[2], 2));
    cr_assert_eq(ask(&world.servers[2]).remaining, 39, "an empty Redis");
    end(&world);
}

Test(replicas, open_lets_everything_pass)
{
    struct world world;
    begin(&world, CONFIG("200ms", "quota = 2; window = \"1h\"; on_store_failure = \"open\";"), 1);
    cr_assert_eq(ask(&world.servers[0]).remaining, 1);
    redis_kill(&world.redis);
    for (int i = 0; i < 20; i++) {
        struct answer answer = ask(&world.servers[0]);
        cr_assert_eq(answer.status, 404);
        cr_assert_eq(answer.remaining, -1, "nothing is said about a limit that is not kept");
    }
    cr_assert_eq(
        metric(&world.servers[0], "\nbackplane_ratelimit_decisions_total{stage=\"all\",decision=\"unlimited\"} "), 20);
    redis_again(&world.redis);
    cr_assert(is_back(&world.servers[0], 1));
    cr_assert_eq(ask(&world.servers[0]).remaining, 1);
    end(&world);
}

Test(replicas, closed_refuses_everything)
{
    struct world world;
    begin(&world, CONFIG("200ms", "quota = 100; window = \"1h\"; on_store_failure = \"closed\";"), 1);
    cr_assert_eq(ask(&world.servers[0]).status, 404);
    redis_pause(&world.redis);
    for (int i = 0; i < 5; i++) {
        struct answer answer = ask(&world.servers[0]);
        cr_assert_eq(answer.status, 503);
        cr_assert(answer.retry_after);
    }
    cr_assert_eq(
        metric(&world.servers[0], "\nbackplane_ratelimit_decisions_total{stage=\"all\",decision=\"unavailable\"} "), 5);
    redis_resume(&world.redis);
    cr_assert(is_back(&world.servers[0], 1));
    cr_assert_eq(ask(&world.servers[0]).status, 404);
    end(&world);
}

/* A Redis that answers and cannot count is as good as away. */
Test(replicas, a_redis_that_takes_no_writes)
{
    struct world world;
    begin(&world, CONFIG("200ms", "quota = 10; window = \"1h\";"), 1);
    cr_assert_eq(ask(&world.servers[0]).remaining, 9);
    free(redis_ask(world.redis.port, NULL, "CONFIG SET min-replicas-to-write 1"));
    cr_assert_eq(ask(&world.servers[0]).remaining, 9, "counted here");
    cr_assert_eq(
        metric(&world.servers[0], "\nbackplane_ratelimit_store_failures_total{stage=\"all\",reason=\"away\"} "), 1);
    cr_assert_eq(ask(&world.servers[0]).remaining, 8);
    free(redis_ask(world.redis.port, NULL, "CONFIG SET min-replicas-to-write 0"));
    cr_assert(is_back(&world.servers[0], 1));
    cr_assert_eq(ask(&world.servers[0]).remaining, 8, "counted there");
    end(&world);
}
