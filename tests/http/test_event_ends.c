/* SPDX-License-Identifier: MIT */
/* How streams of events end: with their time, their token, their session, key or account, their worker, and the history that they are told of. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_source.h"
#include "events_site.h"
#include "tests/support/service.h"

TestSuite(event_ends, .timeout = 120);

static void start_short_lived(void)
{
    site_start_with("lifetime = \"600ms\"; keep_alive = \"100ms\";", NULL);
    ada = http_login(site.port, "ada@example.com");
}

/* Who is asking is asked again. */
Test(event_ends, in_time, .init = start_short_lived, .fini = site_stop)
{
    static struct source source;
    long long begun = service_milliseconds();
    open_source(&source, ada, "");
    expect_greeting(&source);
    expect_end(&source);
    long long took = service_milliseconds() - begun;
    cr_expect(took >= 600, "%lld", took);
    cr_expect_gt(source.comments, 0);
    cr_expect(site_shows("backplane_events_streams_ended_total{end=\"expired\"} 1\n"));
}

/* Each is told another time to come back after, whatever it was told when it began. */
Test(event_ends, with_the_worker, .init = site_start)
{
    static struct source sources[4];
    long long same = 0;
    for (size_t i = 0; i < LENGTH(sources); i++) {
        open_source(&sources[i], i % 2 ? ada : bob, "");
        expect_greeting(&sources[i]);
    }
    kill(site.pid, SIGTERM);
    for (size_t i = 0; i < LENGTH(sources); i++) {
        expect_end(&sources[i]);
        cr_expect(sources[i].retry >= 500 && sources[i].retry <= 3500, "%lld", sources[i].retry);
        same += sources[i].retry == sources[0].retry;
    }
    cr_expect_lt(same, 4);
    cr_assert_eq(server_stop(&site), 0);
}

static const char short_tokens[] =
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1; };\n"
    "plugins: ( { use = \"health\"; }, { use = \"sqlite\"; name = \"main\"; file = \"todo.db\"; }, { use = "
    "\"metrics\"; },\n"
    "  { use = \"auth\"; secret = \"the-same-secret-on-both-of-them-0123456\"; expires_in = \"2s\"; },\n"
    "  { use = \"todos\"; }, { use = \"events\"; } );\n"
    "pipelines: { api = ( \"auth\" ); rest = (); };\n"
    "routes: ( { match = \"/api/v1/events\"; pipeline = \"api\"; }, { match = \"/*\"; pipeline = \"rest\"; } );\n";

Test(event_ends, with_their_token)
{
    static struct source source;
    server_start(&site, &(struct server_options){.config = short_tokens});
    ada = http_login(site.port, "ada@example.com");
    open_source(&source, ada, "");
    expect_end(&source);
    cr_expect_eq(open_on(site.port, &source, ada, "", "", "1.1"), 401);
    close_source(&source);
    cr_expect(site_shows("backplane_events_streams_ended_total{end=\"expired\"} 1\n"));
    cr_expect(site_shows("backplane_events_streams 0\n"));
    free(ada);
    cr_assert_eq(server_stop(&site), 0);
}

/* --- what is taken away --- */

/* All that listen as that account end; who may, comes back at once and misses nothing, others are refused at once: what a worker
 * remembers of them does not count. */
static void expect_revoked(struct source *gone, const char *who_gone, struct source *stays, const char *who_stays)
{
    char id[40], fields[80];
    expect_end(gone);
    cr_expect_eq(open_on(site.port, gone, who_gone, "", "", "1.1"), 401);
    close_source(gone);
    if (!stays)
        return;
    expect_end(stays);
    site_add(who_stays, TODOS, "{\"title\":\"meanwhile\"}", id);
    snprintf(fields, sizeof(fields), "Last-Event-ID: %s\r\n", stays->last_id);
    cr_assert_eq(open_on(site.port, stays, who_stays, "", fields, "1.1"), 200);
    expect_event(stays, "todo.created", id);
}

static void start_with_checks(void)
{
    site_start_with("keep_alive = \"100ms\";", NULL);
    site_log_in();
}

Test(event_ends, with_the_session, .init = start_with_checks, .fini = site_stop)
{
    static struct source first, second, his;
    char *again = http_login(site.port, "ada@example.com"), id[40];
    open_source(&first, ada, "");
    open_source(&second, again, "");
    open_source(&his, bob, "");
    expect_greeting(&first);
    expect_greeting(&second);
    site_do(ada, "POST", "/api/v1/auth/logout", NULL, 200);
    expect_revoked(&first, ada, &second, again);
    site_do(again, "POST", "/api/v1/auth/logout-all", NULL, 200);
    expect_revoked(&second, again, NULL, NULL);
    /* Nobody else's. */
    site_add(bob, TODOS, "{\"title\":\"his\"}", id);
    expect_event(&his, "todo.created", id);
    close_source(&his);
    free(again);
    cr_expect(site_shows("backplane_events_streams_ended_total{end=\"revoked\"} 3\n"));
    /* It is told to no consumer, and lists no change. */
    site_await("first", 2);
    site_await("second", 2);
    cr_expect_eq(database_integer(&site, "SELECT count(*) FROM observed WHERE type NOT LIKE 'todo.%'"), 0);
    cr_expect_gt(database_integer(&site, "SELECT count(*) FROM events WHERE type = 'account.changed'"), 1);
}

/* Nor is it told to a client that comes back from before it. */
Test(event_ends, and_is_not_told_later, .init = start_with_checks, .fini = site_stop)
{
    static struct source source;
    char *again = http_login(site.port, "ada@example.com"), id[2][40];
    site_add(again, TODOS, "{\"title\":\"before\"}", id[0]);
    site_do(ada, "POST", "/api/v1/auth/logout", NULL, 200);
    site_add(again, TODOS, "{\"title\":\"behind\"}", id[1]);
    open_source(&source, again, "?since=0");
    expect_event(&source, "todo.created", id[0]);
    expect_event(&source, "todo.created", id[1]);
    site_add(again, TODOS, "{\"title\":\"now\"}", id[0]);
    expect_event(&source, "todo.created", id[0]);
    close_source(&source);
    json_t *root = site_call(again, "GET", CHANGES "?since=0", NULL, NULL, 200);
    cr_expect_eq(json_array_size(http_json_at(root, "data.changes")), 3);
    json_decref(root);
    free(again);
}

Test(event_ends, with_the_key, .init = start_with_checks, .fini = site_stop)
{
    static struct source by_key, by_token;
    char key[160], target[100];
    json_t *root = site_call(ada, "POST", "/api/v1/auth/keys", NULL,
                             "{\"name\":\"k\",\"scopes\":[\"events:read\",\"todos:read\"]}", 201);
    snprintf(key, sizeof(key), "X-API-Key: %s\r\n", http_json_text(root, "data.key"));
    snprintf(target, sizeof(target), "/api/v1/auth/keys/%s", http_json_text(root, "data.id"));
    json_decref(root);
    open_source(&by_key, key, "");
    open_source(&by_token, ada, "");
    expect_greeting(&by_key);
    expect_greeting(&by_token);
    site_do(ada, "DELETE", target, NULL, 200);
    expect_revoked(&by_key, key, &by_token, ada);
    close_source(&by_token);
}

Test(event_ends, with_the_account, .init = start_with_checks, .fini = site_stop)
{
    static struct source hers, his;
    open_source(&hers, ada, "");
    open_source(&his, bob, "");
    expect_greeting(&hers);
    expect_greeting(&his);
    database_execute(&site, database_kind() == DATABASE_SQLITE
                                ? "UPDATE users SET disabled = 1 WHERE email = 'ada@example.com'"
                                : "UPDATE users SET disabled = true WHERE email = 'ada@example.com'");
    expect_revoked(&hers, ada, NULL, NULL);
    site_do(bob, "DELETE", "/api/v1/auth/me", "{\"currentPassword\":\"Passw0rd!\"}", 200);
    expect_revoked(&his, bob, NULL, NULL);
}

/* --- another history --- */

static void go_back_to_nothing(void)
{
    database_execute(&site, "DELETE FROM events");
    if (database_kind() != DATABASE_SQLITE)
        database_execute(&site, "UPDATE event_head SET position = 0");
    database_execute(&site, "UPDATE event_consumers SET position = 0");
}

/* A client, and all consumers, are told of three todos. */
static void tell_three(struct source *source)
{
    char id[40];
    open_source(source, ada, "");
    for (int i = 0; i < 3; i++) {
        site_add(ada, TODOS, "{\"title\":\"before\"}", id);
        expect_event(source, "todo.created", id);
    }
    site_await("first", 3);
    site_await("second", 3);
}

/* The database is exchanged for an older one below a server that runs. */
Test(event_ends, not_when_positions_go_back, .init = site_start, .fini = site_stop)
{
    static struct source source;
    char id[40];
    tell_three(&source);
    go_back_to_nothing();
    expect_event(&source, "resync", NULL);
    cr_expect_str_eq(source.last_id, "0");
    cr_expect(server_wait_output(&site, "events.went_back"));
    site_add(ada, TODOS, "{\"title\":\"after\"}", id);
    expect_event(&source, "todo.created", id);
    cr_expect_str_eq(source.last_id, "1");
    site_await("first", 4); /* consumers go on at once, too */
    close_source(&source);
}

/* After a backup was restored: whoever was told what came behind it begins anew, and consumers go on where they were. */
Test(event_ends, positions_are_reset, .init = site_start)
{
    static struct source source;
    char folder[64], id[40], output[1024], fields[80];
    tell_three(&source);
    close_source(&source);
    cr_assert_eq(server_stop_keep(&site), 0);
    cr_expect_neq(site_command("events reset now", output, sizeof(output)), 0);
    cr_expect(strstr(output, "unexpected argument \"now\""), "%s", output);
    cr_expect_eq(site_command("events reset", output, sizeof(output)), 0, "%s", output);
    cr_expect(strstr(output, "positions go on behind 1000000003; clients that come back are told to read everything "
                             "again\n"),
              "%s", output);
    snprintf(folder, sizeof(folder), "%s", site.folder);
    site_start_with("", folder);
    site_log_in();
    for (int i = 0; i < 2; i++) { /* also who would be further on than the backup */
        snprintf(fields, sizeof(fields), "Last-Event-ID: %d\r\n", i ? 3 : 700);
        cr_assert_eq(open_on(site.port, &source, ada, "", fields, "1.1"), 200);
        expect_event(&source, "resync", NULL);
        cr_expect_str_eq(source.last_id, "1000000003");
        close_source(&source);
    }
    site_do(ada, "GET", CHANGES "?since=3", NULL, 410);
    cr_assert_eq(open_on(site.port, &source, ada, "", "Last-Event-ID: 1000000003\r\n", "1.1"), 200);
    site_add(ada, TODOS, "{\"title\":\"after\"}", id);
    expect_event(&source, "todo.created", id);
    cr_expect_str_eq(source.last_id, "1000000004");
    close_source(&source);
    site_await("first", 4);
    site_await("second", 4);
    site_stop();
}

/* Of a database without any event, too. */
Test(event_ends, positions_of_nothing_are_reset, .init = site_start, .fini = site_stop)
{
    char output[1024], id[40];
    site_await_metric("\nbackplane_events_consumer_lag{consumer=\"first\"} 0\n");
    cr_expect_eq(site_command("events reset", output, sizeof(output)), 0, "%s", output);
    site_do(ada, "GET", CHANGES "?since=0", NULL, 410);
    site_add(ada, TODOS, "{\"title\":\"the first one\"}", id);
    json_t *root = site_call(ada, "GET", CHANGES "?since=1000000000", NULL, NULL, 200);
    cr_expect_eq(json_array_size(http_json_at(root, "data.changes")), 1);
    cr_expect_eq(http_json_integer(root, "data.nextSince"), 1000000001);
    json_decref(root);
    site_await("first", 1);
}
