/* SPDX-License-Identifier: MIT */
/* What each function of the interface does, over TCP, TLS and a Unix socket of a real server. */
#include <criterion/criterion.h>

#include "fixture.h"

static struct test_redis server;

struct way {
    const char *name;
    enum redis_way way;
    unsigned database;
    const char *password;
};

static bp_str str(const char *text)
{
    return bp_str_of(text);
}

#define check(condition) cr_assert(condition, "%s: %s: line %d", way->name, #condition, __LINE__)

static void strings(const struct way *way)
{
    const struct bp_key_value_vtable *kv = fixture.kv;
    struct redis *redis = fixture.redis;
    bp_str value = {"untouched", 9}, values[3];
    bool made = false;
    check(kv->get(redis, NULL, str("none"), bp_fiber_arena(), &value) == 0 && !value.ptr && value.len == 0);
    check(kv->set(redis, NULL, str("a"), bp_str_n("x\0y\r\n", 5), BP_FOREVER) == 0);
    check(kv->get(redis, NULL, str("a"), bp_fiber_arena(), &value) == 0 && bp_str_eq(value, bp_str_n("x\0y\r\n", 5)));
    check(kv->set(redis, NULL, str("empty"), str(""), BP_MINUTE) == 0);
    check(kv->get(redis, NULL, str("empty"), bp_fiber_arena(), &value) == 0 && value.ptr && value.len == 0);
    check(kv->get_many(redis, NULL, (const bp_str[]){str("a"), str("none"), str("empty")}, 3, bp_fiber_arena(),
                       values) == 0);
    check(values[0].len == 5 && !values[1].ptr && values[2].ptr && values[2].len == 0);
    check(kv->get_many(redis, NULL, NULL, 0, bp_fiber_arena(), NULL) == 0);
    check(kv->set_new(redis, NULL, str("new"), str("1"), BP_MINUTE, &made) == 0 && made);
    check(kv->set_new(redis, NULL, str("new"), str("2"), BP_MINUTE, &made) == 0 && !made);
    check(kv->get(redis, NULL, str("new"), bp_fiber_arena(), &value) == 0 && bp_str_is(value, "1"));
    check(kv->remove(redis, NULL, str("new")) == 0);
    check(kv->remove(redis, NULL, str("new")) == 0);
    check(kv->set_new(redis, NULL, str("new"), str("3"), BP_FOREVER, &made) == 0 && made);
    check(kv->ping(redis, BP_SECOND) == 0 && kv->is_up(redis));
}

static const struct bp_kv_script time_left =
    BP_KV_SCRIPT(.name = "test.time_left", .text = "return redis.call('PTTL', KEYS[1])");
static const struct bp_kv_script everything =
    BP_KV_SCRIPT(.name = "test.everything", .text = "return {1, false, 'text', {redis.status_reply('FINE'), "
                                                    "redis.error_reply('MY fault'), {}}, KEYS[1], ARGV[1]}");
static const struct bp_kv_script faulty = BP_KV_SCRIPT(.name = "test.faulty", .text = "return redis.call('NONSENSE')");

static int64_t milliseconds_left(const struct way *way, const char *key)
{
    struct bp_kv_reply reply = {0};
    bp_str name = str(key);
    check(fixture.kv->script(fixture.redis, NULL, &time_left, &name, 1, NULL, 0, bp_fiber_arena(), &reply) == 0);
    check(reply.type == BP_KV_INTEGER);
    return reply.integer;
}

static void counters(const struct way *way)
{
    const struct bp_key_value_vtable *kv = fixture.kv;
    struct redis *redis = fixture.redis;
    int64_t value = 0;
    check(kv->add(redis, NULL, str("n"), 5, BP_FOREVER, &value) == 0 && value == 5);
    check(kv->add(redis, NULL, str("n"), -7, BP_MINUTE, &value) == 0 && value == -2);
    check(milliseconds_left(way, "n") == -1); /* it was there already */
    check(kv->add(redis, NULL, str("m"), 1, BP_MINUTE, NULL) == 0);
    check(milliseconds_left(way, "m") > 50000 && milliseconds_left(way, "m") <= 60000);
    check(kv->add(redis, NULL, str("m"), INT64_MAX - 1, BP_HOUR, &value) == 0 && value == INT64_MAX);
    check(milliseconds_left(way, "m") <= 60000);
    check(kv->add(redis, NULL, str("m"), 1, BP_HOUR, &value) == BP_ERROR);    /* would overflow */
    check(kv->add(redis, NULL, str("a"), 1, BP_FOREVER, &value) == BP_ERROR); /* no number */
    check(kv->set(redis, NULL, str("short"), str("1"), 1) == 0);              /* a nanosecond is a millisecond */
    check(kv->add(redis, NULL, str("least"), INT64_MIN, 100 * BP_SECOND, &value) == 0 && value == INT64_MIN);
}

static void scripts(const struct way *way)
{
    const struct bp_key_value_vtable *kv = fixture.kv;
    struct redis *redis = fixture.redis;
    bp_str key = str("k"), argument = bp_str_n("\0\n", 2);
    for (int round = 0; round < 2; round++) {
        struct bp_kv_reply reply = {0};
        check(kv->script(redis, NULL, &everything, &key, 1, &argument, 1, bp_fiber_arena(), &reply) == 0);
        check(reply.type == BP_KV_LIST && reply.len == 6);
        check(reply.items[0].type == BP_KV_INTEGER && reply.items[0].integer == 1);
        check(reply.items[1].type == BP_KV_NIL);
        check(reply.items[2].type == BP_KV_TEXT && bp_str_is(reply.items[2].text, "text"));
        check(reply.items[3].type == BP_KV_LIST && reply.items[3].len == 3);
        check(bp_str_is(reply.items[3].items[0].text, "FINE"));
        check(reply.items[3].items[1].type == BP_KV_TEXT && bp_str_is(reply.items[3].items[1].text, "MY fault"));
        check(reply.items[3].items[2].type == BP_KV_LIST && reply.items[3].items[2].len == 0);
        check(bp_str_is(reply.items[4].text, "backplane:k"));
        check(bp_str_eq(reply.items[5].text, argument));
    }
    check(kv->script(redis, NULL, &faulty, NULL, 0, NULL, 0, NULL, NULL) == BP_ERROR);
    check(fixture_logged("\"event\":\"redis.command_failed\""));
    /* The server forgets its scripts. */
    free(redis_ask(server.port, way->password, "SCRIPT FLUSH"));
    check(kv->script(redis, NULL, &everything, &key, 1, &argument, 1, NULL, NULL) == 0);
}

static void all(void *argument)
{
    strings(argument);
    counters(argument);
    scripts(argument);
}

static void over(const struct way *way)
{
    char url[REDIS_URL_SIZE], certificate[128], select[128];
    const struct redis_options options = {.password = way->password, .tls = way->way == REDIS_TLS};
    redis_start(&server, &options);
    redis_url(&server, way->way, way->database, url);
    fixture_new(url);
    snprintf(certificate, sizeof(certificate), "%s/server.crt", server.folder);
    if (options.tls)
        fixture.redis->tls_ca = bp_str_of(certificate);
    fixture_start_up();
    fixture_run(all, (void *)way);
    snprintf(select, sizeof(select), "CLIENT LIST");
    char *clients = redis_ask(server.port, way->password, select);
    char database[16];
    snprintf(database, sizeof(database), " db=%u ", way->database);
    check(strstr(clients, " name=backplane ") && strstr(clients, database));
    free(clients);
    check(strstr(fixture_metrics(), "redis_up{instance=\"main\"} 1\n"));
    check(strstr(fixture_metrics(), "redis_command_duration_seconds_count{instance=\"main\",command=\"get\"} "));
    fixture_close();
    redis_stop(&server);
}

Test(commands, tcp)
{
    over(&(const struct way){.name = "TCP", .way = REDIS_TCP});
}

Test(commands, tls)
{
    over(&(const struct way){.name = "TLS", .way = REDIS_TLS, .database = 3, .password = "sesame"});
}

Test(commands, local)
{
    over(&(const struct way){.name = "Unix", .way = REDIS_SOCKET, .database = 5, .password = "sesame"});
}
