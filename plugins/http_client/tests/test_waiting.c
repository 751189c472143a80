/* SPDX-License-Identifier: MIT */
/* Time, and turns. */
#include <criterion/criterion.h>

#include "fixture.h"
#include "origin.h"

static struct call calls[4];

static void start_with(uint32_t connections, uint32_t per_host, uint32_t queue)
{
    origin_start(NULL, NULL);
    fixture_new();
    client->connections = connections;
    client->connections_per_host = per_host;
    client->queue = queue;
    fixture_start();
    memset(calls, 0, sizeof(calls));
}

static void start(void)
{
    start_with(32, 8, 8);
}

static void stop(void)
{
    fixture_close();
    origin_stop();
}

/* The server lets go of what the client has given up. */
static void expect_nothing_left(void)
{
    fixture_until(atomic_load(&origin.open) == 0);
    cr_expect_eq(client->places.taken, 0);
    cr_expect_eq(client->places.queued, 0);
}

Test(waiting, timeout, .init = start, .fini = stop)
{
    calls[0].request.timeout = 30 * BP_MILLISECOND;
    call_get(&calls[0], "127.0.0.1", "/silent");
    cr_expect_eq(calls[0].status, BP_TIMEOUT);
    cr_expect(strstr(calls[0].why, "no complete response within "), "%s", calls[0].why);
    /* The fiber's own deadline comes first. */
    calls[1].limit = 30 * BP_MILLISECOND;
    call_get(&calls[1], "127.0.0.1", "/silent");
    cr_expect_eq(calls[1].status, BP_TIMEOUT);
    cr_expect(strstr(fixture_metrics(), "error_type=\"timeout\"} 2\n"), "%s", fixture_metrics());
    expect_nothing_left();
}

Test(waiting, canceled, .init = start, .fini = stop)
{
    call_url(&calls[0], "http", "127.0.0.1", "/silent");
    call_begin(&calls[0]);
    fixture_until(atomic_load(&origin.requests) == 1);
    fiber_cancel(calls[0].fiber, BP_CANCELED);
    call_wait(&calls[0]);
    cr_expect_eq(calls[0].status, BP_CANCELED);
    cr_expect_str_eq(calls[0].why, "");
    /* While a name is looked up: nobody waits for that. */
    snprintf(calls[1].url, sizeof(calls[1].url), "http://localhost:%d/hello", origin.port);
    call_begin(&calls[1]);
    fiber_cancel(calls[1].fiber, BP_CANCELED);
    call_wait(&calls[1]);
    cr_expect_eq(calls[1].status, BP_CANCELED);
    expect_nothing_left();
}

static void start_narrow(void)
{
    start_with(1, 1, 2);
}

/* One goes, two wait, the fourth is refused; who waits is served in turn, and one who leaves is passed by. */
Test(waiting, turns, .init = start_narrow, .fini = stop)
{
    static const char *const paths[] = {"/wait", "/echo", "/hello", "/hello"};
    for (size_t i = 0; i < 4; i++) {
        call_url(&calls[i], "http", "127.0.0.1", paths[i]);
        call_begin(&calls[i]);
    }
    call_wait(&calls[3]);
    cr_expect_eq(calls[3].status, BP_BUSY);
    fixture_until(atomic_load(&origin.requests) == 1);
    cr_expect_eq(client->places.queued, 2);
    fiber_cancel(calls[1].fiber, BP_CANCELED);
    call_wait(&calls[1]);
    cr_expect_eq(calls[1].status, BP_CANCELED);
    cr_expect_eq(client->places.queued, 1);
    cr_expect_not(calls[2].done);
    origin_release();
    call_wait(&calls[2]);
    cr_expect(calls[0].done);
    cr_expect_str_eq(calls[0].body, "released");
    cr_expect_str_eq(calls[2].body, "hello");
    cr_expect_eq(atomic_load(&origin.connections), 1);
    cr_expect(strstr(fixture_metrics(), "http_client_refused_requests_total 1\n"), "%s", fixture_metrics());
    /* The time in the queue counts. */
    calls[0] = (struct call){.status = 0};
    call_url(&calls[0], "http", "127.0.0.1", "/silent");
    call_begin(&calls[0]);
    calls[1] = (struct call){.request.timeout = 20 * BP_MILLISECOND};
    call_get(&calls[1], "127.0.0.1", "/hello");
    cr_expect_eq(calls[1].status, BP_TIMEOUT);
    fiber_cancel(calls[0].fiber, BP_CANCELED);
    call_wait(&calls[0]);
    expect_nothing_left();
}

static void start_few_per_host(void)
{
    start_with(4, 1, 4);
}

/* More requests to one host than connections: they come one after another, and elsewhere goes on. */
Test(waiting, per_host, .init = start_few_per_host, .fini = stop)
{
    call_url(&calls[0], "http", "127.0.0.1", "/wait");
    call_url(&calls[1], "http", "127.0.0.1", "/hello");
    call_url(&calls[2], "http", "127.0.0.2", "/hello");
    for (size_t i = 0; i < 3; i++)
        call_begin(&calls[i]);
    call_wait(&calls[2]);
    cr_expect_str_eq(calls[2].body, "hello");
    cr_expect_not(calls[1].done);
    origin_release();
    call_wait(&calls[1]);
    cr_expect_str_eq(calls[1].body, "hello");
    cr_expect_eq(atomic_load(&origin.connections), 2);
}

/* One host does not hold up what is for others, nor itself, where users choose it; and who does not wait is told so at once. */
static void start_guarded(void)
{
    static bp_str loopback = BP_STR_INIT("127.0.0.1");
    origin_start(NULL, NULL);
    fixture_new();
    client->connections = 2;
    client->connections_per_host = 1;
    client->private_networks = (struct bp_array){&loopback, 1};
    fixture_start();
}

Test(waiting, guarded, .init = start_guarded, .fini = stop)
{
    for (size_t i = 0; i < 3; i++) {
        calls[i].request.flags = BP_HTTP_GUARDED | BP_HTTP_AT_ONCE;
        call_url(&calls[i], "http", "127.0.0.1", "/wait");
        call_begin(&calls[i]);
    }
    call_wait(&calls[2]);
    cr_expect_eq(calls[2].status, BP_BUSY);
    cr_expect_str_eq(calls[2].why, "");
    fixture_until(atomic_load(&origin.requests) == 2);
    origin_release();
    for (size_t i = 0; i < 2; i++) {
        call_wait(&calls[i]);
        cr_expect_str_eq(calls[i].body, "released");
    }
    cr_expect_eq(client->places.taken, 0);
}

static void begin_and_free(void)
{
    start_with(4, 4, 4);
}

/* Kept connections are closed when the instance stops. */
Test(waiting, stop, .init = begin_and_free)
{
    call_get(&calls[0], "127.0.0.1", "/hello");
    cr_expect_eq(atomic_load(&origin.open), 1);
    fixture_close();
    origin_stop();
    cr_expect_eq(atomic_load(&origin.open), 0);
}
