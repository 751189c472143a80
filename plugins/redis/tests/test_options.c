/* SPDX-License-Identifier: MIT */
/* Options that cannot be, and what the health check says. */
#include <criterion/criterion.h>

#include "fixture.h"

Test(options, refused)
{
    static const struct {
        const char *url;
        bp_str ca, certificate, key, server_name, client_name;
        const char *option, *reason;
    } cases[] = {
        {.url = "http://h", .option = "url", .reason = "must begin with redis://, rediss:// or unix://"},
        {.url = "redis://hunter2@h", .option = "url", .reason = "has a user and no password"},
        {.url = "redis://h",
         .ca = BP_STR_INIT("a"),
         .option = "tls_ca",
         .reason = "needs a url that begins with rediss://"},
        {.url = "unix:///h",
         .server_name = BP_STR_INIT("a"),
         .option = "tls_server_name",
         .reason = "needs a url that begins with rediss://"},
        {.url = "rediss://h",
         .certificate = BP_STR_INIT("a"),
         .option = "tls_certificate",
         .reason = "tls_certificate and tls_key belong together"},
        {.url = "rediss://h",
         .key = BP_STR_INIT("a"),
         .option = "tls_key",
         .reason = "tls_certificate and tls_key belong together"},
        {.url = "rediss://h", .ca = {"a\0b", 3}, .option = "tls_ca", .reason = "must not hold a NUL"},
        {.url = "redis://h",
         .client_name = BP_STR_INIT("a b"),
         .option = "client_name",
         .reason = "must not hold a space"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char option[64];
        fixture_new(cases[i].url);
        fixture.redis->tls_ca = cases[i].ca;
        fixture.redis->tls_certificate = cases[i].certificate;
        fixture.redis->tls_key = cases[i].key;
        fixture.redis->tls_server_name = cases[i].server_name;
        if (cases[i].client_name.ptr)
            fixture.redis->client_name = cases[i].client_name;
        cr_assert_eq(fixture_init(), BP_INVALID, "case %zu", i);
        snprintf(option, sizeof(option), "plugins.main.%s: ", cases[i].option);
        cr_assert(fixture_logged(option) && fixture_logged(cases[i].reason), "case %zu: %s", i, fixture_log());
        cr_assert_not(fixture_logged("hunter2"));
        fixture_close();
    }
}

Test(options, database_overrides_the_url)
{
    fixture_new("redis://h:1/7");
    fixture.redis->database = 2;
    cr_assert_eq(fixture_init(), 0);
    cr_assert_str_eq(fixture.redis->endpoint.name, "h:1/2");
    fixture_close();
}

struct checked {
    int status;
    char detail[BP_HEALTH_DETAIL];
};

static void run_check(void *argument)
{
    struct checked *checked = argument;
    checked->detail[0] = '\0';
    checked->status = redis_health.check(fixture.redis, BP_SECOND, checked->detail);
}

Test(options, health)
{
    struct test_redis server;
    struct checked checked;
    char url[REDIS_URL_SIZE], expected[BP_HEALTH_DETAIL];
    redis_start(&server, &(const struct redis_options){.password = "sesame"});
    redis_url(&server, REDIS_TCP, 1, url);
    fixture_new(url);
    fixture.redis->required = true;
    fixture.redis->grace = 3 * BP_SECOND;
    fixture_start_up();
    const struct bp_health_entry *entry = bp_health_entry(fixture.host, 0);
    cr_assert(entry && entry->required && entry->grace == 3 * BP_SECOND && entry->check == &redis_health);
    cr_assert_null(bp_health_entry(fixture.host, 1));
    fixture_run(run_check, &checked);
    cr_assert_eq(checked.status, 0);
    snprintf(expected, sizeof(expected), "127.0.0.1:%d/1, answered in ", server.port);
    cr_assert_eq(strncmp(checked.detail, expected, strlen(expected)), 0, "%s", checked.detail);
    redis_kill(&server);
    fixture_until(fixture.redis->breaker.open);
    fixture_run(run_check, &checked);
    cr_assert_eq(checked.status, BP_BUSY);
    snprintf(expected, sizeof(expected), "127.0.0.1:%d/1: connect: Connection refused", server.port);
    cr_assert_str_eq(checked.detail, expected);
    fixture_close();
    redis_stop(&server);
}
