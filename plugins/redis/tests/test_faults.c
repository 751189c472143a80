/* SPDX-License-Identifier: MIT */
/* A real server that goes away in every way it can. */
#include <criterion/criterion.h>

#include "fixture.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/service.h"

static struct test_redis server;
static char value[64];

static void begin(const struct redis_options *options)
{
    char url[REDIS_URL_SIZE];
    redis_start(&server, options);
    redis_url(&server, REDIS_TCP, 0, url);
    fixture_new(url);
}

static void end(void)
{
    fixture_close();
    redis_stop(&server);
}

static bool is_open(void)
{
    return fixture.redis->breaker.open;
}

/* Answers again within 5 s, without a request of ours to wake it. */
static void check_recovers(void)
{
    bp_time began = bp_clock();
    fixture_until(!is_open() && redis_least_busy(fixture.redis));
    cr_assert_lt(bp_clock() - began, 5 * BP_SECOND);
    cr_assert_eq(fixture_set("recovered", "yes", BP_FOREVER), 0);
    cr_assert_eq(fixture_get("recovered", value), 0);
    cr_assert_str_eq(value, "yes");
}

/* The breaker is open: nothing is asked and nothing waits. */
static void check_refuses_at_once(void)
{
    cr_assert(is_open());
    cr_assert_not(fixture.kv->is_up(fixture.redis));
    bp_time began = bp_clock();
    for (int i = 0; i < 100; i++)
        cr_assert_eq(fixture_get("a", value), BP_BUSY);
    cr_assert_lt(bp_clock() - began, 100 * BP_MILLISECOND);
}

Test(faults, killed_and_restarted)
{
    begin(&(struct redis_options){0});
    fixture_start_up();
    cr_assert_eq(fixture_set("a", "1", BP_FOREVER), 0);
    redis_kill(&server);
    fixture_until(is_open());
    check_refuses_at_once();
    cr_assert_eq(fixture_logged("\"event\":\"redis.down\""), 1, "%s", fixture_log());
    cr_assert(strstr(fixture_metrics(), "redis_up{instance=\"main\"} 0\n"));
    cr_assert(strstr(fixture_metrics(), "redis_circuit_open{instance=\"main\"} 1\n"));
    cr_assert(strstr(fixture_metrics(), "redis_commands_refused_total{instance=\"main\"} 100\n"));
    redis_again(&server);
    check_recovers();
    cr_assert_eq(fixture_logged("\"event\":\"redis.up\""), 2, "%s", fixture_log());
    cr_assert(strstr(fixture_metrics(), "redis_up{instance=\"main\"} 1\n"));
    cr_assert_eq(fixture_get("a", value), 0);
    cr_assert_str_eq(value, "");
    end();
}

Test(faults, away_at_start)
{
    begin(&(struct redis_options){0});
    redis_kill(&server);
    bp_time began = bp_clock();
    fixture_start();
    cr_assert_lt(bp_clock() - began, BP_SECOND);
    cr_assert_eq(fixture_get("a", value), BP_BUSY);
    fixture_until(is_open());
    cr_assert(fixture_logged("connect: Connection refused"), "%s", fixture_log());
    check_refuses_at_once();
    redis_again(&server);
    check_recovers();
    end();
}

/* One timeout, then nothing: also for the second command of the same request. */
static void two_commands(void *argument)
{
    bp_time began = bp_clock();
    bp_span *took = argument;
    cr_assert_eq(fixture.kv->remove(fixture.redis, NULL, BP_STR("a")), BP_TIMEOUT);
    int second = fixture.kv->remove(fixture.redis, NULL, BP_STR("a"));
    cr_assert(second == BP_BUSY || second == BP_TIMEOUT);
    *took = bp_clock() - began;
}

Test(faults, stalled)
{
    bp_span took;
    begin(&(struct redis_options){0});
    fixture_start_up();
    redis_pause(&server);
    fixture_run(two_commands, &took);
    cr_assert_geq(took, 250 * BP_MILLISECOND);
    cr_assert_lt(took, 400 * BP_MILLISECOND);
    fixture_until(is_open());
    check_refuses_at_once();
    /* Probes go on meanwhile, and find it silent. */
    fixture_until(fixture.redis->links[0].backoff.attempts >= 2);
    check_refuses_at_once();
    redis_resume(&server);
    check_recovers();
    end();
}

/* The health check asks with more patience than requests have: who comes behind it waits no longer for that. */
static void patient_ping(void *argument)
{
    bp_time began = bp_clock();
    cr_assert_lt(fixture.kv->ping(fixture.redis, 10 * BP_SECOND), 0);
    *(bp_span *)argument = bp_clock() - began;
}

Test(faults, stalled_behind_a_patient_question)
{
    bp_span took = 0;
    begin(&(struct redis_options){0});
    fixture_start_up();
    redis_pause(&server);
    fixture_begin(patient_ping, &took, BP_FOREVER, NULL);
    cr_assert(strstr(fixture_metrics(), "redis_commands_in_flight{instance=\"main\"} 1\n"), "%s", fixture_metrics());
    cr_assert(strstr(fixture_metrics(), "redis_commands_waiting{instance=\"main\"} 0\n"));
    cr_assert(strstr(fixture_metrics(), "redis_commands_limit{instance=\"main\"} 10000\n"));
    fixture_until(is_open());
    fixture_wait();
    cr_assert_geq(took, 250 * BP_MILLISECOND);
    cr_assert_lt(took, BP_SECOND);
    redis_resume(&server);
    check_recovers();
    end();
}

Test(faults, stalled_while_nobody_asks)
{
    begin(&(struct redis_options){0});
    fixture_start_up();
    redis_pause(&server);
    bp_time until = bp_clock() + 600 * BP_MILLISECOND;
    while (bp_clock() < until)
        fixture_turn();
    cr_assert_not(is_open());
    redis_resume(&server);
    cr_assert_eq(fixture_set("a", "1", BP_FOREVER), 0);
    end();
}

/* Each answer comes, but too late: the connection is never silent for long. */
static void late(void *argument)
{
    const struct bp_kv_wait wait = {.timeout = fixture.redis->timeout};
    bp_str text;
    int *status = argument;
    *status = fixture.kv->get(fixture.redis, &wait, BP_STR("a"), bp_fiber_arena(), &text);
}

Test(faults, late_answers_open_after_the_count)
{
    char url[64];
    begin(&(struct redis_options){0});
    fixture_close();
    struct fault_proxy *proxy = fault_proxy_start(server.port);
    snprintf(url, sizeof(url), "redis://127.0.0.1:%d", fault_proxy_port(proxy));
    fixture_new(url);
    fixture.redis->timeout = 50 * BP_MILLISECOND;
    fixture_start_up();
    fixture.redis->breaker.limit = 3;
    fixture.redis->breaker.failures = 0;
    int statuses[12];
    fault_proxy_delay(proxy, 40);
    /* Asked one after the other with pauses shorter than an answer takes, so that answers keep coming. */
    for (int i = 0; i < 12; i++) {
        bp_time next = bp_clock() + 20 * BP_MILLISECOND;
        fixture_begin(late, &statuses[i], BP_FOREVER, NULL);
        while (bp_clock() < next)
            fixture_turn();
    }
    fixture_wait();
    cr_assert(is_open() || fixture_logged("answers come too late") || fixture_logged("no answer in time"));
    fault_proxy_pass(proxy);
    check_recovers();
    fixture_close();
    fault_proxy_stop(proxy);
    redis_stop(&server);
}

Test(faults, wrong_password)
{
    char url[REDIS_URL_SIZE];
    begin(&(struct redis_options){.password = "sesame"});
    fixture_close();
    snprintf(url, sizeof(url), "redis://:wrong@127.0.0.1:%d", server.port);
    fixture_new(url);
    fixture_start();
    fixture_until(is_open());
    cr_assert(fixture_logged("AUTH: WRONGPASS invalid username-password pair or user is disabled."), "%s",
              fixture_log());
    cr_assert_not(fixture_logged("wrong@"));
    check_refuses_at_once();
    fixture_close();

    snprintf(url, sizeof(url), "redis://127.0.0.1:%d", server.port);
    fixture_new(url);
    fixture_start();
    fixture_until(is_open());
    cr_assert(fixture_logged("PING: NOAUTH Authentication required."), "%s", fixture_log());
    end();
}

Test(faults, database_out_of_range)
{
    begin(&(struct redis_options){0});
    fixture.redis->database = 99;
    fixture_start();
    fixture_until(is_open());
    cr_assert(fixture_logged("SELECT: ERR DB index is out of range"), "%s", fixture_log());
    end();
}

Test(faults, name_that_nobody_knows)
{
    fixture_new("redis://no-such-host.invalid");
    fixture_start();
    fixture_until(is_open());
    cr_assert(fixture_logged("name look-up: "), "%s", fixture_log());
    check_refuses_at_once();
    fixture_close();
}

Test(faults, localhost)
{
    char url[64];
    begin(&(struct redis_options){0});
    fixture_close();
    snprintf(url, sizeof(url), "redis://localhost:%d", server.port);
    fixture_new(url);
    fixture_start_up();
    cr_assert_eq(fixture_ping(BP_SECOND), 0);
    end();
}

Test(faults, state_refuses_writes)
{
    begin(&(struct redis_options){.settings = "maxmemory 1mb\nmaxmemory-policy noeviction"});
    fixture_start_up();
    free(redis_ask(server.port, NULL, "CONFIG SET maxmemory 1"));
    cr_assert_eq(fixture_set("a", "1", BP_FOREVER), BP_BUSY);
    cr_assert_eq(fixture_set("a", "1", BP_FOREVER), BP_BUSY);
    cr_assert_eq(fixture_get("a", value), 0); /* reading goes on */
    cr_assert_not(is_open());
    cr_assert_eq(fixture_logged("\"event\":\"redis.refusing\""), 1, "%s", fixture_log());
    free(redis_ask(server.port, NULL, "CONFIG SET maxmemory 0"));
    cr_assert_eq(fixture_set("a", "1", BP_FOREVER), 0);
    cr_assert_eq(fixture_logged("\"event\":\"redis.accepting\""), 1, "%s", fixture_log());
    end();
}

Test(faults, became_a_replica)
{
    begin(&(struct redis_options){0});
    fixture_start_up();
    free(redis_ask(server.port, NULL, "REPLICAOF 127.0.0.1 1"));
    cr_assert_eq(fixture_set("a", "1", BP_FOREVER), BP_BUSY);
    cr_assert(is_open());
    free(redis_ask(server.port, NULL, "REPLICAOF NO ONE"));
    check_recovers();
    end();
}

Test(faults, password_set_meanwhile)
{
    begin(&(struct redis_options){0});
    fixture_start_up();
    free(redis_ask(server.port, NULL, "CONFIG SET requirepass sesame"));
    free(redis_ask(server.port, "sesame", "CLIENT KILL TYPE normal SKIPME yes"));
    fixture_until(fixture_logged("NOAUTH"));
    cr_assert(is_open());
    free(redis_ask(server.port, "sesame", "CONFIG SET requirepass \"\""));
    check_recovers();
    end();
}

/* A connection that is closed while nothing is asked is made anew, and who asks meanwhile waits for it. */
Test(faults, idle_connection_closed)
{
    begin(&(struct redis_options){0});
    fixture_start_up();
    struct connection *connection = &fixture.redis->links[0];
    free(redis_ask(server.port, NULL, "CLIENT KILL TYPE normal SKIPME yes"));
    fixture_until(!connection->ready);
    cr_assert_eq(fixture_set("a", "1", BP_FOREVER), 0);
    cr_assert_not(is_open());
    end();
}

Test(faults, too_many_clients)
{
    begin(&(struct redis_options){0});
    free(redis_ask(server.port, NULL, "CONFIG SET maxclients 1"));
    fixture.redis->connections = 3;
    fixture_start_up();
    cr_assert_eq(fixture_set("a", "1", BP_FOREVER), 0); /* one is enough */
    end();
}

Test(faults, tls_trust)
{
    static const struct {
        bool trusted, verified, named;
        const char *reason; /* NULL: fine */
    } cases[] = {{true, true, true, NULL},
                 {false, true, true, "TLS: self-signed certificate"},
                 {true, true, false, "TLS: hostname mismatch"},
                 {false, false, false, NULL}};
    char certificate[128], url[REDIS_URL_SIZE];
    redis_start(&server, &(const struct redis_options){.tls = true});
    snprintf(certificate, sizeof(certificate), "%s/server.crt", server.folder);
    redis_url(&server, REDIS_TLS, 0, url);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_new(url);
        if (cases[i].trusted)
            fixture.redis->tls_ca = bp_str_of(certificate);
        if (!cases[i].named)
            fixture.redis->tls_server_name = BP_STR("other.example");
        fixture.redis->tls_verify = cases[i].verified;
        fixture_start();
        fixture_until(is_open() || redis_least_busy(fixture.redis));
        cr_assert_eq(is_open(), cases[i].reason != NULL, "%zu: %s", i, fixture_log());
        cr_assert(!cases[i].reason || fixture_logged(cases[i].reason), "%zu: %s", i, fixture_log());
        cr_assert_eq(fixture_logged("redis.unverified"), !cases[i].verified);
        fixture_close();
    }
    /* Plain text to a TLS port, and the other way round. */
    snprintf(url, sizeof(url), "redis://127.0.0.1:%d", server.tls_port);
    fixture_new(url);
    fixture_start();
    fixture_until(is_open());
    fixture_close();
    snprintf(url, sizeof(url), "rediss://127.0.0.1:%d", server.port);
    fixture_new(url);
    fixture_start();
    fixture_until(is_open());
    end();
}

Test(faults, files_of_tls)
{
    static const struct {
        const char *ca, *reason;
    } cases[] = {{"/nonexistent.crt", "tls_ca /nonexistent.crt: "}, {"/dev/null", "tls_ca /dev/null: "}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fixture_new("rediss://127.0.0.1:1");
        fixture.redis->tls_ca = bp_str_of(cases[i].ca);
        cr_assert_eq(fixture_init(), 0);
        cr_assert_eq(fixture_start_instance(), BP_ERROR);
        cr_assert(fixture_logged(cases[i].reason), "%s", fixture_log());
        fixture_close();
    }
}
