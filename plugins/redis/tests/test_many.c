/* SPDX-License-Identifier: MIT */
/* Many fibers on one connection: everyone gets the own answer, also when some have left and when the connection dies. */
#include <criterion/criterion.h>

#include "core/worker/fiber.h"
#include "fixture.h"
#include "tests/support/fault_proxy.h"

#define FIBERS 1000

static struct test_redis server;
static unsigned wrong, answered, failed, asked;

static void begin(int port)
{
    char url[64];
    snprintf(url, sizeof(url), "redis://127.0.0.1:%d", port);
    fixture_new(url);
}

static void set_up(void)
{
    redis_start(&server, &(const struct redis_options){0});
    begin(server.port);
}

static void tear_down(void)
{
    fixture_close();
    redis_stop(&server);
}

TestSuite(many, .init = set_up, .fini = tear_down);

/* Writes a value of its own and reads it back, several times: whatever is answered must be one's own. */
static void converse(void *argument)
{
    unsigned number = *(unsigned *)argument;
    for (unsigned round = 0; round < 5; round++) {
        char key[32], text[64];
        bp_str value = {0};
        snprintf(key, sizeof(key), "k%u", number);
        snprintf(text, sizeof(text), "value of %u in round %u", number, round);
        int status = fixture.kv->set(fixture.redis, NULL, bp_str_of(key), bp_str_of(text), BP_MINUTE);
        asked++;
        if (status == 0)
            status = fixture.kv->get(fixture.redis, NULL, bp_str_of(key), bp_fiber_arena(), &value);
        if (status != 0)
            failed++;
        else if (bp_str_is(value, text))
            answered++;
        else
            wrong++;
    }
}

static void converse_all(unsigned numbers[FIBERS])
{
    for (unsigned i = 0; i < FIBERS; i++) {
        numbers[i] = i;
        fixture_begin(converse, &numbers[i], BP_FOREVER, NULL);
    }
}

Test(many, order)
{
    static unsigned numbers[FIBERS];
    fixture.redis->timeout = 10 * BP_SECOND;
    fixture_start_up();
    converse_all(numbers);
    cr_assert_eq(fixture.redis->links[0].queue.len, FIBERS); /* all of them in flight, on one connection */
    fixture_wait();
    cr_assert_eq(wrong, 0);
    cr_assert_eq(failed, 0, "%s", fixture_log());
    cr_assert_eq(answered, 5 * FIBERS);
    cr_assert_eq(fixture.redis->queued, 0);
}

Test(many, several_connections)
{
    static unsigned numbers[FIBERS];
    fixture.redis->timeout = 10 * BP_SECOND;
    fixture.redis->connections = 4;
    fixture_start_up();
    fixture_until(fixture.redis->links[0].ready && fixture.redis->links[1].ready && fixture.redis->links[2].ready &&
                  fixture.redis->links[3].ready);
    converse_all(numbers);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(fixture.redis->links[i].queue.len, FIBERS / 4);
    fixture_wait();
    cr_assert_eq(wrong + failed, 0);
    cr_assert_eq(answered, 5 * FIBERS);
}

Test(many, queue_is_bounded)
{
    static unsigned numbers[FIBERS];
    fixture.redis->timeout = 10 * BP_SECOND;
    fixture.redis->queue = 100;
    fixture_start_up();
    converse_all(numbers);
    cr_assert_eq(fixture.redis->queued, 100);
    fixture_wait();
    cr_assert_eq(wrong, 0);
    cr_assert_gt(failed, 0);
    cr_assert_geq(answered, 100);
    cr_assert_not(fixture.redis->breaker.open);
    cr_assert_eq(fixture.redis->queued, 0);
}

/* Cut in the middle of answers, again and again: what was read comes back right or not at all. */
Test(many, connection_cut_in_mid_answer)
{
    static unsigned numbers[FIBERS];
    struct fault_proxy *proxy = fault_proxy_start(server.port);
    fixture_close();
    begin(fault_proxy_port(proxy));
    fixture.redis->timeout = 2 * BP_SECOND;
    fixture.redis->failures = 1000;
    fixture_start_up();
    for (unsigned round = 0; round < 10; round++) {
        fixture_until(redis_least_busy(fixture.redis));
        fixture.redis->links[0].backoff.attempts = 0; /* this is not about patience */
        fault_proxy_cut_after(proxy, 1000 + 777 * round, true);
        converse_all(numbers);
        fixture_wait();
        cr_assert(fault_proxy_has_cut(proxy), "round %u: %u answered, %u failed: %s", round, answered, failed,
                  fixture_log());
        cr_assert_eq(wrong, 0);
    }
    cr_assert_gt(answered, FIBERS);
    cr_assert_gt(failed, 0);
    cr_assert_eq(answered + failed, 50 * FIBERS);
    cr_assert_eq(fixture.redis->queued, 0);
    fixture_close();
    fault_proxy_stop(proxy);
    begin(server.port); /* for tear_down */
    cr_assert_eq(fixture_init(), 0);
}

static void leave_early(void *argument)
{
    bp_str value;
    int *status = argument;
    *status = fixture.kv->get(fixture.redis, NULL, BP_STR("left"), bp_fiber_arena(), &value);
}

/* Clients leave before their command is written, and while it is on its way: others still get their own answers. */
Test(many, callers_leave)
{
    static unsigned numbers[FIBERS];
    static int statuses[2][100];
    struct bp_fiber *fibers[2][100];
    fixture.redis->timeout = 10 * BP_SECOND;
    fixture_start_up();
    cr_assert_eq(fixture_set("left", "behind", BP_FOREVER), 0);
    redis_pause(&server);
    for (int i = 0; i < 100; i++)
        fibers[0][i] = fixture_begin(leave_early, &statuses[0][i], BP_FOREVER, NULL);
    fixture_turn(); /* written */
    converse_all(numbers);
    for (int i = 0; i < 100; i++)
        fibers[1][i] = fixture_begin(leave_early, &statuses[1][i], BP_FOREVER, NULL); /* not yet */
    for (int i = 0; i < 100; i++) {
        fiber_cancel(fibers[0][i], BP_CANCELED);
        fiber_cancel(fibers[1][i], BP_CANCELED);
    }
    cr_assert(fixture.redis->links[0].queue.head->written);
    fixture_turn();
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(statuses[0][i], BP_CANCELED);
        cr_assert_eq(statuses[1][i], BP_CANCELED);
    }
    redis_resume(&server);
    fixture_wait();
    cr_assert_eq(wrong + failed, 0);
    cr_assert_eq(answered, 5 * FIBERS);
    fixture_until(fixture.redis->queued == 0);
}

static void set_always(void *argument)
{
    const struct bp_kv_wait wait = {.timeout = 5 * BP_SECOND, .always = true};
    *(int *)argument = fixture.kv->set(fixture.redis, &wait, BP_STR("always"), BP_STR("done"), BP_FOREVER);
}

static void set_always_briefly(void *argument)
{
    const struct bp_kv_wait wait = {.timeout = 30 * BP_MILLISECOND, .always = true};
    *(int *)argument = fixture.kv->set(fixture.redis, &wait, BP_STR("never"), BP_STR("done"), BP_FOREVER);
}

/* wait.always: the client's leaving does not end the wait, the timeout does. */
Test(many, always)
{
    int status = 1, brief = 1;
    char value[64];
    fixture.redis->timeout = 5 * BP_SECOND;
    fixture_start_up();
    redis_pause(&server);
    struct bp_fiber *fiber = fixture_begin(set_always, &status, BP_FOREVER, NULL);
    struct bp_fiber *other = fixture_begin(set_always_briefly, &brief, BP_FOREVER, NULL);
    fixture_turn();
    fiber_cancel(fiber, BP_CANCELED);
    fiber_cancel(other, BP_CANCELED);
    fixture_until(brief == BP_TIMEOUT);
    cr_assert_eq(status, 1);
    redis_resume(&server);
    fixture_wait();
    cr_assert_eq(status, 0);
    cr_assert_eq(fixture_get("always", value), 0);
    cr_assert_str_eq(value, "done");
}

/* stop while commands are in flight: they end as cancelled. */
Test(many, stop_in_flight)
{
    int status = 1, always = 1;
    fixture.redis->timeout = 10 * BP_SECOND;
    fixture_start_up();
    redis_pause(&server);
    fixture_begin(leave_early, &status, BP_FOREVER, NULL);
    fixture_begin(set_always, &always, BP_FOREVER, NULL);
    fixture_turn();
    fixture_stop();
    fixture_wait();
    cr_assert_eq(status, BP_CANCELED);
    cr_assert_eq(always, BP_CANCELED);
    redis_resume(&server);
}

static void set_large(void *argument)
{
    size_t len = (size_t)8 << 20;
    char *large = malloc(len);
    int *status = argument;
    bp_str value = {0};
    memset(large, 'x', len);
    *status = fixture.kv->set(fixture.redis, NULL, BP_STR("large"), bp_str_n(large, len), BP_FOREVER);
    if (*status == 0)
        *status = fixture.kv->get(fixture.redis, NULL, BP_STR("large"), bp_fiber_arena(), &value);
    cr_assert(*status != 0 || bp_str_eq(value, bp_str_n(large, len)));
    free(large);
}

/* Larger than every buffer on the way, among small ones. */
Test(many, large_values)
{
    static unsigned numbers[FIBERS];
    static int statuses[4] = {1, 1, 1, 1};
    fixture.redis->timeout = 20 * BP_SECOND;
    fixture_start_up();
    for (int i = 0; i < 2; i++)
        fixture_begin(set_large, &statuses[i], BP_FOREVER, NULL);
    converse_all(numbers);
    fixture_wait();
    cr_assert_eq(statuses[0], 0);
    cr_assert_eq(statuses[1], 0);
    cr_assert_eq(wrong + failed, 0);
}

/* The same through TLS, whose writes are retried with other bytes behind them. */
Test(many, large_values_over_tls)
{
    static unsigned numbers[FIBERS];
    static int statuses[2] = {1, 1};
    struct test_redis secure;
    char url[REDIS_URL_SIZE];
    fixture_close();
    redis_start(&secure, &(const struct redis_options){.tls = true});
    redis_url(&secure, REDIS_TLS, 0, url);
    fixture_new(url);
    fixture.redis->tls_verify = false;
    fixture.redis->timeout = 20 * BP_SECOND;
    fixture_start_up();
    for (int i = 0; i < 2; i++)
        fixture_begin(set_large, &statuses[i], BP_FOREVER, NULL);
    converse_all(numbers);
    fixture_wait();
    cr_assert_eq(statuses[0], 0);
    cr_assert_eq(statuses[1], 0);
    cr_assert_eq(wrong + failed, 0);
    fixture_stop();
    redis_stop(&secure);
}
