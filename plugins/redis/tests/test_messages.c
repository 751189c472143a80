/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "fixture.h"
#include "tests/support/fault_proxy.h"

static struct test_redis server;

struct inbox {
    unsigned messages, gaps;
    char last[64];
};
static struct inbox news, sports, again;

static void receive(void *argument, bp_str message)
{
    struct inbox *inbox = argument;
    if (!message.ptr) {
        inbox->gaps++;
        return;
    }
    inbox->messages++;
    snprintf(inbox->last, sizeof(inbox->last), "%" BP_STR_FMT, BP_STR_ARG(message));
}

static void begin(int port)
{
    char url[64];
    snprintf(url, sizeof(url), "redis://127.0.0.1:%d", port);
    fixture_new(url);
}

static void set_up(void)
{
    redis_start(&server, &(const struct redis_options){0});
}

static void tear_down(void)
{
    fixture_close();
    redis_stop(&server);
}

TestSuite(messages, .init = set_up, .fini = tear_down);

static int publish_status;

static void publish_one(void *argument)
{
    publish_status = fixture.kv->publish(fixture.redis, NULL, BP_STR("news"), bp_str_of(argument));
}

static int publish(const char *text)
{
    fixture_run(publish_one, (void *)text);
    return publish_status;
}

/* Until a message gets through: the subscription may still be on its way. */
static void check_arrives(struct inbox *inbox, const char *text)
{
    unsigned before = inbox->messages;
    bp_time limit = bp_clock() + 10 * BP_SECOND;
    while (inbox->messages == before) {
        cr_assert_lt(bp_clock(), limit, "%s", text);
        publish(text);
        fixture_turn();
    }
    cr_assert_str_eq(inbox->last, text);
}

static void subscribe_to(const char *channel, struct inbox *inbox)
{
    cr_assert_eq(fixture.kv->subscribe(fixture.redis, channel, receive, inbox), 0);
}

Test(messages, arrive)
{
    begin(server.port);
    fixture_start_up();
    subscribe_to("news", &news);
    check_arrives(&news, "first");
    /* Further subscriptions share the connection; one channel may have several readers. */
    subscribe_to("sports", &sports);
    subscribe_to("news", &again);
    check_arrives(&again, "second");
    cr_assert_str_eq(news.last, "second");
    cr_assert_eq(sports.messages, 0);
    cr_assert_eq(publish(""), 0);
    fixture_until(news.last[0] == '\0');
    cr_assert_eq(news.gaps + sports.gaps + again.gaps, 0);
    /* What others publish, under the prefix only. */
    free(redis_ask(server.port, NULL, "PUBLISH backplane:sports 1:0"));
    fixture_until(sports.messages == 1);
    cr_assert_str_eq(sports.last, "1:0");
}

Test(messages, across_reconnect)
{
    begin(server.port);
    fixture_start_up();
    subscribe_to("news", &news);
    subscribe_to("sports", &sports);
    check_arrives(&news, "before");
    cr_assert_eq(news.gaps, 0);
    redis_kill(&server);
    redis_again(&server);
    fixture_until(news.gaps > 0 && sports.gaps > 0);
    cr_assert_eq(news.gaps, 1);
    check_arrives(&news, "after");
    cr_assert_eq(sports.messages, 0);
    cr_assert_eq(fixture_logged("\"event\":\"redis.subscriber_lost\""), 1);
}

Test(messages, server_away_at_first)
{
    begin(server.port);
    redis_kill(&server);
    fixture_start();
    subscribe_to("news", &news);
    fixture_until(fixture.redis->subscriber.missed);
    redis_again(&server);
    fixture_until(news.gaps == 1);
    check_arrives(&news, "after");
}

/* A cable that was pulled says nothing: only asking shows it. */
Test(messages, silent_network)
{
    struct fault_proxy *proxy = fault_proxy_start(server.port);
    begin(fault_proxy_port(proxy));
    fixture_start_up();
    subscribe_to("news", &news);
    check_arrives(&news, "before");
    fault_proxy_black_hole(proxy);
    fixture_until(fixture.redis->subscriber.missed);
    fault_proxy_pass(proxy);
    bp_time began = bp_clock();
    fixture_until(news.gaps == 1);
    cr_assert_lt(bp_clock() - began, 5 * BP_SECOND);
    fixture_until(redis_least_busy(fixture.redis));
    check_arrives(&news, "after");
    fixture_stop();
    fault_proxy_stop(proxy);
}

Test(messages, forbidden)
{
    begin(server.port);
    free(redis_ask(server.port, NULL, "ACL SETUSER default resetchannels"));
    fixture_start_up();
    subscribe_to("news", &news);
    fixture_until(fixture_logged("SUBSCRIBE: NOPERM this user has no permissions to access one of the channels"));
    free(redis_ask(server.port, NULL, "ACL SETUSER default allchannels"));
    fixture_until(news.gaps >= 1);
    cr_assert_eq(fixture_logged("\"event\":\"redis.subscriber_lost\""), 1);
}
