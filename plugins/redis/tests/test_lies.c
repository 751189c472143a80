/* SPDX-License-Identifier: MIT */
/* Servers that answer nonsense, half answers, or more than was asked: an error for who asked, never another's answer. */
#include <criterion/criterion.h>

#include "fake_server.h"
#include "fixture.h"

static char value[64];

static void begin(struct fake_server *server)
{
    char url[64];
    snprintf(url, sizeof(url), "redis://127.0.0.1:%d", fake_server_port(server));
    fixture_new(url);
    fixture.redis->timeout = 100 * BP_MILLISECOND;
    fixture.redis->connect_timeout = 100 * BP_MILLISECOND;
    fixture.redis->reply_limit = 65536;
}

#define ANSWER(literal) .bytes = literal, .len = sizeof(literal) - 1

Test(lies, answers)
{
    static const struct {
        struct fake_answer answer;
        int get, set;       /* statuses */
        const char *logged; /* NULL: nothing to look for */
    } cases[] = {
        {{ANSWER("HTTP/1.1 400 Bad Request\r\n\r\n")},
         BP_BUSY,
         BP_TIMEOUT,
         "bad answer: Protocol error, got \\\"H\\\" as reply type byte"},
        {{ANSWER("$100\r\nhalf"), .hang_up = true}, BP_BUSY, BP_TIMEOUT, "the server closed the connection"},
        {{ANSWER("$100\r\nhalf")}, BP_TIMEOUT, BP_TIMEOUT, "no answer in time"},
        {{ANSWER("$999999999999\r\n")}, BP_TIMEOUT, BP_TIMEOUT, NULL},
        {{ANSWER("*2000000000\r\n")}, BP_BUSY, BP_TIMEOUT, "bad answer: larger than reply_limit"},
        {{ANSWER("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n")},
         BP_BUSY,
         BP_TIMEOUT,
         "bad answer: No support for nested multi bulk replies with depth"},
        {{ANSWER("*2\r\n$1\r\na\r\n$1\r\nb\r\n")}, BP_ERROR, BP_ERROR, "redis.command_failed"},
        {{ANSWER(":1\r\n")}, BP_ERROR, BP_ERROR, "redis.command_failed"},
        {{.bytes = "", .hang_up = true}, BP_BUSY, BP_TIMEOUT, "the server closed the connection"},
        {{ANSWER("-ERR nonsense\r\n")}, BP_ERROR, BP_ERROR, "nonsense"},
        {{ANSWER("-\r\n")}, BP_ERROR, BP_ERROR, "redis.command_failed"},
        {{ANSWER("-LOADING Redis is loading the dataset in memory\r\n")}, BP_BUSY, BP_BUSY, "LOADING Redis is loading"},
        {{ANSWER("-MOVED 1 10.0.0.1:1\r\n")}, BP_BUSY, BP_BUSY, "redis.refusing"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fake_server *server = fake_server_start(&cases[i].answer);
        begin(server);
        fixture_start_up();
        cr_assert_eq(fixture_get("a", value), cases[i].get, "case %zu: %s", i, fixture_log());
        fixture_close();
        begin(server);
        fixture_start_up();
        cr_assert_eq(fixture_set("a", "1", BP_FOREVER), cases[i].set, "case %zu: %s", i, fixture_log());
        cr_assert(!cases[i].logged || strstr(fixture_log(), cases[i].logged), "case %zu: %s", i, fixture_log());
        fixture_close();
        fake_server_stop(server);
    }
}

Test(lies, more_than_was_asked)
{
    struct fake_answer answer = {ANSWER("$1\r\nx\r\n$5\r\nowned\r\n")};
    struct fake_server *server = fake_server_start(&answer);
    begin(server);
    fixture_start_up();
    cr_assert_eq(fixture_get("a", value), 0);
    cr_assert_str_eq(value, "x");
    /* The second answer is nobody's: it ends the connection and is not taken for that of the next question. */
    fixture_until(fake_server_accepted(server) >= 2);
    cr_assert(fixture_logged("bad answer: to nothing that was asked"), "%s", fixture_log());
    fixture_close();
    fake_server_stop(server);
}

Test(lies, greetings)
{
    static const struct {
        struct fake_answer answer;
        const char *logged;
    } cases[] = {
        {{ANSWER("220 smtp ready\r\n"), .to_greet = true},
         "bad answer: Protocol error, got \\\"2\\\" as reply type byte"},
        {{ANSWER("+PO"), .to_greet = true}, "no answer in time"},
        {{ANSWER("+PO"), .to_greet = true, .hang_up = true}, "the server closed the connection"},
        {{ANSWER("-LOADING Redis is loading\r\n"), .to_greet = true}, "PING: LOADING Redis is loading"},
        {{ANSWER("-ERR max number of clients reached\r\n"), .to_greet = true, .hang_up = true},
         "PING: ERR max number of clients reached"},
        {{.bytes = "", .to_greet = true}, "no answer in time"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fake_server *server = fake_server_start(&cases[i].answer);
        begin(server);
        fixture_start();
        fixture_until(fixture.redis->breaker.open);
        cr_assert(fixture_logged(cases[i].logged), "case %zu: %s", i, fixture_log());
        cr_assert_eq(fixture_get("a", value), BP_BUSY);
        fixture_close();
        fake_server_stop(server);
    }
}

/* A server that cuts every connection after one question costs a few tries, not one a request for ever. */
Test(lies, cuts_again_and_again)
{
    struct fake_answer answer = {.bytes = "", .hang_up = true};
    struct fake_server *server = fake_server_start(&answer);
    begin(server);
    fixture_start_up();
    for (int i = 0; i < 1000 && !fixture.redis->breaker.open; i++)
        fixture_set("a", "1", BP_FOREVER);
    cr_assert(fixture.redis->breaker.open);
    cr_assert_leq(fake_server_accepted(server), 12);
    fixture_close();
    fake_server_stop(server);
}
