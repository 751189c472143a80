/* SPDX-License-Identifier: MIT */
/* Two servers on one Postgres and one Redis: what is written on one is never missing on the other. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http.h"
#include "tests/support/redis.h"
#include "tests/support/server.h"
#include "tests/support/service.h"
#include "tests/support/todo_load.h"

#define TODOS "/api/v1/todos"

static struct test_redis redis;
static struct test_server a, b;
static char *ada;

TestSuite(cache_replicas, .timeout = 120);

static void start(void)
{
    char url[REDIS_URL_SIZE + 16] = "REDIS_URL=";
    redis_start(&redis, &(struct redis_options){0});
    redis_url(&redis, REDIS_TCP, 0, url + strlen(url));
    server_start(&a, &(struct server_options){
                         .environment = (const char *[]){"BACKPLANE_WORKERS=2", url,
                                                         "JWT_SECRET=the-same-secret-on-both-of-them-0123456", NULL}});
    cr_assert(a.database[0], "two servers need a database that both can use: run it with TEST_DATABASE=postgres");
    server_start(&b, &(struct server_options){
                         .environment = (const char *[]){"BACKPLANE_WORKERS=2", url,
                                                         "JWT_SECRET=the-same-secret-on-both-of-them-0123456", NULL},
                         .replica_of = &a});
    ada = http_login(a.port, "ada@example.com");
}

static void stop(void)
{
    free(ada);
    server_stop(&a);
    server_stop(&b);
    redis_stop(&redis);
}

/* X-Cache of the list as this server answers it; the number of todos in *ret_total. */
static const char *list(const struct test_server *server, int *ret_total)
{
    struct http_reply reply;
    http_call(server->port, "GET", TODOS, ada, NULL, &reply);
    cr_assert_eq(reply.status, 200);
    const char *total = strstr(reply.body, "\"totalItems\":"), *result = http_header(&reply, "X-Cache");
    *ret_total = total ? atoi(total + strlen("\"totalItems\":")) : -1;
    http_reply_free(&reply);
    return result ? result : "";
}

static void write_on(const struct test_server *server)
{
    struct http_reply reply;
    http_call(server->port, "POST", TODOS, ada, "{\"title\":\"one more\"}", &reply);
    cr_assert_eq(reply.status, 201, "%s", reply.body);
    http_reply_free(&reply);
}

/* Until the list comes from Redis again on both. */
static void await_hits(void)
{
    int total;
    for (int i = 0; i < 2; i++)
        while (strcmp(list(i ? &b : &a, &total), "HIT") != 0)
            service_breathe();
}

Test(cache_replicas, turns, .init = start, .fini = stop)
{
    int total, hits = 0;
    await_hits(); /* each has found Redis */
    for (int i = 1; i <= 60; i++) {
        const struct test_server *writer = i % 2 ? &a : &b, *reader = i % 3 ? &b : &a;
        write_on(writer);
        cr_expect_str_eq(list(reader, &total), "MISS");
        cr_assert_eq(total, i);
        /* What one has fetched the other finds. */
        hits += strcmp(list(reader == &a ? &b : &a, &total), "HIT") == 0;
        cr_assert_eq(total, i);
    }
    cr_expect_eq(hits, 60);
}

static void expect_fine(struct todo_load *load, unsigned hits)
{
    cr_expect_eq(load->wrong, 0, "%u: %s", load->wrong, load->problem);
    cr_expect_eq(load->refused, 0);
    cr_expect_gt(load->reads, 100, "%u", load->reads);
    cr_expect_geq(load->hits, hits, "%u of %u reads", load->hits, load->reads);
}

Test(cache_replicas, all_at_once, .init = start, .fini = stop)
{
    struct todo_load load;
    const int ports[] = {a.port, b.port};
    await_hits();
    todo_load_start(&load, ports, 2, ada, 4, 4);
    while (atomic_load(&load.acknowledged) < 200 && !atomic_load(&load.wrong))
        todo_load_wait();
    todo_load_stop(&load);
    expect_fine(&load, 10);
}

Test(cache_replicas, redis_is_restarted_meanwhile, .init = start, .fini = stop)
{
    struct todo_load load;
    const int ports[] = {a.port, b.port};
    await_hits();
    todo_load_start(&load, ports, 2, ada, 3, 4);
    for (unsigned round = 1; round <= 4; round++) {
        unsigned until = atomic_load(&load.acknowledged) + 30;
        while (atomic_load(&load.acknowledged) < until && !atomic_load(&load.wrong))
            todo_load_wait();
        redis_kill(&redis);
        until += round % 2 ? 30 : 1; /* away for some writes, or hardly for one */
        while (atomic_load(&load.acknowledged) < until && !atomic_load(&load.wrong))
            todo_load_wait();
        redis_again(&redis);
    }
    todo_load_stop(&load);
    expect_fine(&load, 0);
    await_hits();
    int total;
    list(&b, &total);
    cr_expect_eq((unsigned)total, load.acknowledged);
}

Test(cache_replicas, redis_stands_still_meanwhile, .init = start, .fini = stop)
{
    int total, before;
    await_hits();
    for (int round = 0; round < 2; round++) {
        list(&b, &before);
        redis_pause(&redis);
        write_on(&a); /* which Redis is not told of, yet both go on */
        cr_expect_str_eq(list(&a, &total), "BYPASS", "its own write is known there");
        cr_expect_eq(total, before + 1);
        list(&b, &total); /* B has noticed, too */
        cr_expect_eq(total, before + 1);
        redis_resume(&redis);
        for (;;) { /* not once the old list, until both find Redis again */
            int seen[2];
            char result[2][16];
            snprintf(result[0], 16, "%s", list(&a, &seen[0]));
            snprintf(result[1], 16, "%s", list(&b, &seen[1]));
            cr_assert(seen[0] == before + 1 && seen[1] == before + 1, "%d %d", seen[0], seen[1]);
            if (strcmp(result[0], "HIT") == 0 && strcmp(result[1], "HIT") == 0)
                break;
            service_breathe();
        }
    }
}

Test(cache_replicas, without_redis, .init = start, .fini = stop)
{
    int total;
    await_hits();
    redis_kill(&redis);
    for (int i = 1; i <= 10; i++) {
        write_on(i % 2 ? &a : &b);
        long long began = service_milliseconds();
        const char *result = list(i % 2 ? &b : &a, &total);
        cr_expect(strcmp(result, "MISS") == 0 || strcmp(result, "BYPASS") == 0, "%s", result);
        cr_expect_eq(total, i);
        cr_expect_lt(service_milliseconds() - began, 1000);
    }
    redis_again(&redis);
    await_hits();
    list(&a, &total);
    cr_expect_eq(total, 10);
}

/* What an operator may do to a Redis that others use, too. */
Test(cache_replicas, redis_forgets, .init = start, .fini = stop)
{
    static const char *const commands[] = {"FLUSHALL", "SCRIPT FLUSH"};
    int total;
    await_hits();
    for (size_t i = 0; i < 2; i++) {
        write_on(&a);
        list(&b, &total);
        free(redis_ask(redis.port, NULL, commands[i]));
        list(&b, &total);
        cr_expect_eq(total, (int)i + 1);
        await_hits();
    }
    /* All that is there ends by itself. */
    char *ends =
        redis_ask(redis.port, NULL,
                  "EVAL \"for _, k in ipairs(redis.call('KEYS', '*')) do if redis.call('PTTL', k) < 0 then return k "
                  "end end return 'all' \" 0");
    cr_expect_str_eq(ends, "$3\r\nall\r\n");
    free(ends);
}
