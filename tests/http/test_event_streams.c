/* SPDX-License-Identifier: MIT */
/* GET /api/v1/events: what clients are told, in which order, and that they miss nothing, whatever happens to them or to the server. */
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "build_info.h"
#include "event_source.h"
#include "events_site.h"
#include "tests/support/service.h"

TestSuite(event_streams, .timeout = 120);

static long long now(void)
{
    json_t *root = site_call(ada, "GET", CHANGES, NULL, NULL, 200);
    long long since = http_json_integer(root, "data.nextSince");
    json_decref(root);
    return since;
}

/* --- */

Test(event_streams, tell_what_happens, .init = site_start, .fini = site_stop)
{
    static struct source hers, his, some;
    char id[40], other[40], list[40], target[100];
    open_source(&hers, ada, "");
    open_source(&his, bob, "");
    open_source(&some, ada, "?types=todo.deleted,list.created");
    site_add(ada, TODOS, "{\"title\":\"first\",\"tags\":[\"a\"]}", id);
    site_add(bob, TODOS, "{\"title\":\"his\"}", other);
    snprintf(target, sizeof(target), TODOS "/%s", id);
    site_do(ada, "PATCH", target, "{\"description\":\"two\\nlines\"}", 200);
    struct event event = next_event(&hers, false);
    cr_expect_str_eq(event.type, "todo.created");
    cr_expect_str_eq(http_json_text(event.root, "data.title"), "first");
    json_decref(event.root);
    long long position = strtoll(event.id, NULL, 10);
    event = next_event(&hers, false);
    json_t *root = site_call(ada, "GET", target, NULL, NULL, 200);
    cr_expect_str_eq(event.type, "todo.updated");
    cr_expect_str_eq(http_json_text(event.root, "data.description"), "two\nlines");
    cr_expect_str_eq(http_json_text(event.root, "data.updatedAt"), http_json_text(root, "data.updatedAt"));
    cr_expect_gt(strtoll(event.id, NULL, 10), position);
    json_decref(root);
    json_decref(event.root);
    site_do(ada, "PATCH", target, "{\"completed\":true}", 200);
    site_add(ada, LISTS, "{\"name\":\"errands\"}", list);
    site_do(ada, "DELETE", target, NULL, 200);
    expect_event(&hers, "todo.completed", id);
    expect_event(&hers, "list.created", list);
    expect_event(&hers, "todo.deleted", id);
    expect_event(&his, "todo.created", other);
    expect_event(&some, "list.created", list);
    expect_event(&some, "todo.deleted", id);
    cr_expect_eq(hers.retry, 2000);
    /* Nothing but that: what comes next is the next that happens. */
    site_add(bob, TODOS, "{\"title\":\"his\"}", other);
    expect_event(&his, "todo.created", other);
    site_add(ada, TODOS, "{\"title\":\"hers\"}", id);
    expect_event(&hers, "todo.created", id);
    close_source(&hers);
    close_source(&his);
    close_source(&some);
}

Test(event_streams, are_refused, .init = site_start, .fini = site_stop)
{
    static const struct {
        const char *query, *message;
        unsigned status;
    } cases[] = {
        {"?since=-1", "Validation failed: Since must be an integer of at least 0", 400},
        {"?since=now", "Validation failed: Since must be an integer of at least 0", 400},
        {"?types=",
         "Validation failed: Types must be names of events with a comma between them: "
         "todo.created,todo.deleted",
         400},
        {"?types=a,,b",
         "Validation failed: Types must be names of events with a comma between them: "
         "todo.created,todo.deleted",
         400},
        {"?types=A",
         "Validation failed: Types must be names of events with a comma between them: "
         "todo.created,todo.deleted",
         400},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char target[100];
        snprintf(target, sizeof(target), EVENTS "%s", cases[i].query);
        json_t *root = site_call(ada, "GET", target, NULL, NULL, cases[i].status);
        cr_expect_str_eq(http_json_text(root, "message"), cases[i].message, "%s: %s", cases[i].query,
                         http_json_text(root, "message"));
        json_decref(root);
    }
    site_do(NULL, "GET", EVENTS, NULL, 401);
    site_do(ada, "POST", EVENTS, "{}", 405);
    int fd = http_connect(site.port);
    char request[1024];
    struct http_reply reply;
    snprintf(request, sizeof(request), "HEAD " EVENTS " HTTP/1.1\r\nHost: t\r\n%s\r\n", ada);
    cr_assert(http_send_text(fd, request) && http_read(fd, true, &reply));
    cr_expect_eq(reply.status, 200);
    cr_expect_str_eq(http_header(&reply, "Content-Type"), "text/event-stream");
    http_reply_free(&reply);
    close(fd);
}

static void start_narrow(void)
{
    site_start_with("streams_per_user = 2; streams = 3; keep_alive = \"200ms\"; retry = \"1234ms\";", NULL);
    site_log_in();
}

/* Two workers, each of which counts its own. */
Test(event_streams, are_limited, .init = start_narrow, .fini = site_stop)
{
    static struct source sources[16], refused;
    size_t open = 0;
    unsigned status;
    while ((status = open_on(site.port, &sources[open], ada, "", "", "1.1")) == 200)
        cr_assert_lt(++open, 5);
    cr_expect_eq(status, 429);
    close_source(&sources[open]);
    while (open < LENGTH(sources) - 1 && (status = open_on(site.port, &sources[open], bob, "", "", "1.0")) == 200)
        open++;
    cr_expect(status == 503 || status == 429, "%u", status);
    close_source(&sources[open]);
    for (size_t i = 0; i < open; i++)
        close_source(&sources[i]);
    for (long long begun = 0; (status = open_on(site.port, &refused, ada, "", "", "1.1")) != 200;) {
        close_source(&refused);
        cr_assert(service_patience(&begun, 10000), "%u", status);
    }
    cr_expect_eq(next_event(&refused, true).root, NULL);
    cr_expect_eq(refused.retry, 1234);
    close_source(&refused);
}

/* A comment, and with it the place where the client goes on. */
Test(event_streams, are_kept_alive, .init = start_narrow, .fini = site_stop)
{
    static struct source source;
    char id[40], position[32];
    open_source(&source, ada, "");
    site_add(ada, TODOS, "{\"title\":\"one\"}", id);
    expect_event(&source, "todo.created", id);
    site_add(bob, TODOS, "{\"title\":\"not hers\"}", id);
    snprintf(position, sizeof(position), "%lld", now());
    for (source.comments = 0; strcmp(source.last_id, position) != 0; source.comments = 0)
        cr_assert_null(next_event(&source, true).root);
    close_source(&source);
}

/* --- coming back --- */

/* Todos in one statement, "n" as their titles. */
static void add_many(const char *who, unsigned first, unsigned count, size_t description)
{
    char *body = malloc(64 + count * (description + 100)), *at = body;
    cr_assert(body);
    at += sprintf(at, "{\"operations\":[");
    for (unsigned i = 0; i < count; i++) {
        at +=
            sprintf(at, "%s{\"op\":\"create\",\"data\":{\"title\":\"%u\",\"description\":\"", i ? "," : "", first + i);
        memset(at, 'd', description);
        at += description;
        at += sprintf(at, "\"}}");
    }
    sprintf(at, "]}");
    site_do(who, "POST", TODOS "/bulk", body, 200);
    free(body);
}

static void expect_titles(struct source *source, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++) {
        struct event event = next_event(source, false);
        char title[16];
        snprintf(title, sizeof(title), "%u", i);
        cr_assert(event.root, "ended before %u", i);
        cr_assert_str_eq(http_json_text(event.root, "data.title"), title);
        json_decref(event.root);
    }
}

static void come_back(int port, struct source *source, const char *query)
{
    char fields[80];
    snprintf(fields, sizeof(fields), "Last-Event-ID: %s\r\n", source->last_id);
    close_source(source);
    cr_assert_eq(open_on(port, source, ada, query, fields, "1.1"), 200);
}

Test(event_streams, go_on_where_they_were, .init = site_start, .fini = site_stop)
{
    static struct source source, other;
    struct test_server replica = site;
    bool replicas = database_kind() != DATABASE_SQLITE;
    long long begin = now();
    char query[80];
    if (replicas)
        site_start_replica(&replica);
    open_source(&source, ada, "");
    /* Several pages of those who are behind. */
    for (unsigned i = 0; i < 500; i += 100)
        add_many(ada, i, 100, 10);
    expect_titles(&source, 0, 250);
    add_many(bob, 9999, 10, 10);
    snprintf(query, sizeof(query), "?since=%lld", begin);
    come_back(replica.port, &source, query); /* Last-Event-ID is what counts */
    open_source(&other, ada, query);
    expect_titles(&source, 250, 250);
    expect_titles(&other, 0, 500);
    for (unsigned i = 0; i < 20; i++) {
        add_many(ada, 500 + i, 1, 10);
        come_back(i % 2 ? site.port : replica.port, &source, "");
        expect_titles(&source, 500 + i, 1);
    }
    expect_titles(&other, 500, 20);
    /* A position that nobody gave. */
    for (int i = 0; i < 2; i++) {
        strcpy(source.last_id, i ? "12345678901" : "of another server");
        come_back(site.port, &source, "");
        expect_event(&source, "resync", NULL);
        add_many(ada, 600, 1, 10);
        expect_titles(&source, 600, 1);
    }
    close_source(&source);
    close_source(&other);
    if (replicas)
        server_stop(&replica);
}

static void start_forgetful(void)
{
    site_start_with("retention = \"1h\"; cleanup = \"30ms\";", NULL);
    site_log_in();
}

Test(event_streams, say_when_too_much_is_forgotten, .init = start_forgetful, .fini = site_stop)
{
    static struct source source;
    open_source(&source, ada, "");
    add_many(ada, 0, 5, 10);
    expect_titles(&source, 0, 2);
    site_age();
    for (long long begun = 0; database_integer(&site, "SELECT forgotten FROM event_head") < 4;)
        cr_assert(service_patience(&begun, 10000));
    come_back(site.port, &source, "");
    expect_event(&source, "resync", NULL);
    cr_expect_eq(strtoll(source.last_id, NULL, 10), now());
    add_many(ada, 5, 1, 10);
    expect_titles(&source, 5, 1);
    close_source(&source);
    cr_expect(site_shows("\nbackplane_events_resyncs_total 1\n"));
}

enum { DESCRIPTION = 9900 };

/* Whose kernel takes little for it. */
static void open_narrow(struct source *source, const char *query)
{
    static const int bytes = 16384;
    open_source(source, ada, query);
    cr_assert_eq(setsockopt(source->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
}

static void widen(struct source *source)
{
    static const int bytes = 1 << 22;
    cr_assert_eq(setsockopt(source->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
}

/* It is ended, and comes back for the rest. */
Test(event_streams, a_slow_client_is_ended, .init = site_start, .fini = site_stop)
{
    static const char ended[] = "backplane_events_streams_ended_total{end=\"slow\"} 1\n";
    enum { BULKS = 20 };
    static struct source slow, quick;
    unsigned written = 0, seen = 0;
    open_narrow(&slow, "");
    open_source(&quick, ada, "");
    for (; written < BULKS * 100 && !site_shows(ended); written += 100) {
        add_many(ada, written, 100, DESCRIPTION);
        expect_titles(&quick, written, 100);
    }
    cr_expect(site_shows(ended));
    widen(&slow);
    for (struct event event; (event = next_event(&slow, false)).root; seen++)
        json_decref(event.root);
    cr_expect(slow.whole);
    cr_expect_lt(seen, written);
    come_back(site.port, &slow, "");
    expect_titles(&slow, seen, written - seen);
    close_source(&slow);
    close_source(&quick);
    cr_expect(site_shows(ended));
}

static void start_crowded(void)
{
    site_start_with("streams_per_user = 1000;", NULL);
    site_log_in();
}

/* More that take nothing than fibers catch up in both workers: others who come back do not wait for them. */
Test(event_streams, slow_ones_hold_up_nobody, .init = start_crowded, .fini = site_stop)
{
    enum { SLOW = 24, BULKS = 8 };
    static struct source slow[SLOW], quick[4];
    char query[40];
    for (unsigned i = 0; i < BULKS; i++) {
        snprintf(query, sizeof(query), "?since=%lld", now());
        add_many(ada, i * 100, 100, DESCRIPTION);
    }
    for (size_t i = 0; i < SLOW; i++)
        open_narrow(&slow[i], "?since=0");
    for (size_t i = 0; i < LENGTH(quick); i++)
        open_source(&quick[i], ada, query);
    for (size_t i = 0; i < LENGTH(quick); i++)
        expect_titles(&quick[i], (BULKS - 1) * 100, 100);
    cr_expect(site_shows("\nbackplane_events_streams 28\n")); /* the slow ones are there, and were not ended for it */
    add_many(ada, BULKS * 100, 1, 10);
    for (size_t i = 0; i < LENGTH(quick); i++)
        expect_titles(&quick[i], BULKS * 100, 1);
    widen(&slow[0]); /* and who takes again is told all, once */
    expect_titles(&slow[0], 0, BULKS * 100 + 1);
    for (size_t i = 0; i < SLOW; i++)
        close_source(&slow[i]);
    for (size_t i = 0; i < LENGTH(quick); i++)
        close_source(&quick[i]);
}

/* --- the end of workers --- */

struct writer {
    pthread_t thread;
    int port;
    bool stop;
    unsigned written;
};

/* A todo after the other, each as often as it takes until it is known to be there. */
static void *write_on(void *argument)
{
    struct writer *writer = argument;
    while (!__atomic_load_n(&writer->stop, __ATOMIC_RELAXED)) {
        char body[80];
        struct http_reply reply;
        snprintf(body, sizeof(body), "{\"title\":\"%u\"}", writer->written);
        if (http_try(writer->port, "POST", TODOS, ada, body, &reply)) {
            writer->written += reply.status == 201;
            http_reply_free(&reply);
        }
        service_breathe();
    }
    return NULL;
}

/* Workers are killed: a client that comes back each time sees all that was written, in order, each once. */
Test(event_streams, workers_die, .init = site_start, .fini = site_stop)
{
    enum { KILLS = 6 };
    static struct source source;
    struct writer writer = {.port = site.port};
    unsigned kills = 0;
    long long last = -1, position = 0, begun = 0;
    open_source(&source, ada, "");
    cr_assert_eq(pthread_create(&writer.thread, NULL, write_on, &writer), 0);
    for (unsigned seen = 0; kills < KILLS || last + 1 < (long long)writer.written;) {
        struct event event = next_event(&source, false);
        cr_assert(service_patience(&begun, 100000));
        if (!event.root) {
            char fields[80];
            snprintf(fields, sizeof(fields), "Last-Event-ID: %s\r\n", source.last_id);
            close_source(&source);
            struct http_reply reply;
            while (!http_try(site.port, "GET", "/health/live", NULL, NULL, &reply))
                cr_assert(service_patience(&begun, 100000));
            http_reply_free(&reply);
            cr_assert_eq(open_on(site.port, &source, ada, "", fields, "1.1"), 200);
            continue;
        }
        long long title = strtoll(http_json_text(event.root, "data.title"), NULL, 10);
        /* What was written, but not acknowledged, is written again. */
        cr_assert(title == last + 1 || title == last, "%lld after %lld", title, last);
        cr_assert_gt(strtoll(event.id, NULL, 10), position);
        position = strtoll(event.id, NULL, 10);
        last = title;
        json_decref(event.root);
        if (++seen % 15 == 0 && kills < KILLS) {
            pid_t pids[4];
            size_t count = server_workers(&site, pids, LENGTH(pids));
            for (size_t i = 0; i < count; i++)
                (void)kill(pids[i], SIGKILL);
            kills++;
        }
        if (kills == KILLS)
            __atomic_store_n(&writer.stop, true, __ATOMIC_RELAXED);
    }
    pthread_join(writer.thread, NULL);
    close_source(&source);
}

/* Everybody sees what is theirs, whoever writes at the same time. */
Test(event_streams, nobody_elses, .init = site_start, .fini = site_stop)
{
    static struct source hers[4], his[4];
    for (size_t i = 0; i < LENGTH(hers); i++) {
        open_source(&hers[i], ada, "");
        open_source(&his[i], bob, "");
    }
    for (unsigned i = 0; i < 20; i++) {
        add_many(ada, i * 10, 10, 5);
        add_many(bob, 1000 + i * 10, 10, 5);
    }
    for (size_t i = 0; i < LENGTH(hers); i++) {
        expect_titles(&hers[i], 0, 200);
        expect_titles(&his[i], 1000, 200);
        close_source(&hers[i]);
        close_source(&his[i]);
    }
}

/* --- what clients are told to copy --- */

static void rename_todo(const char *id, const char *title)
{
    char target[100], body[80];
    snprintf(target, sizeof(target), TODOS "/%s", id);
    snprintf(body, sizeof(body), "{\"title\":\"%s\"}", title);
    site_do(ada, "PATCH", target, body, 200);
}

static void start_impatient(void)
{
    site_start_with("retry = \"100ms\";", NULL);
    site_log_in();
}

Test(event_streams, the_example_keeps_a_copy, .init = start_impatient, .fini = site_stop)
{
    char command[2048], first[40], second[40], line[256] = "", id[40];
    pid_t pids[4];
    site_add(ada, TODOS, "{\"title\":\"a\"}", first);
    site_add(ada, TODOS, "{\"title\":\"b\"}", second);
    char *token = strdup(strstr(ada, "Bearer ") + 7);
    token[strcspn(token, "\r\n")] = '\0';
    snprintf(command, sizeof(command),
             "exec node " BACKPLANE_SOURCE_ROOT "/tests/http/copy_todos.mjs http://127.0.0.1:%d %s bb,c", site.port,
             token);
    FILE *copy = popen(command, "r"); // NOLINT(cert-env33-c): constants and a token
    cr_assert(copy && fgets(line, sizeof(line), copy));
    cr_expect_str_eq(line, "a,b\n");
    rename_todo(second, "bb");
    cr_assert(fgets(line, sizeof(line), copy));
    cr_expect_str_eq(line, "a,bb\n");
    size_t count = server_workers(&site, pids, LENGTH(pids));
    for (size_t i = 0; i < count; i++)
        (void)kill(pids[i], SIGKILL);
    struct http_reply reply;
    for (long long begun = 0; !http_try(site.port, "GET", "/health/live", NULL, NULL, &reply);)
        cr_assert(service_patience(&begun, 20000));
    http_reply_free(&reply);
    site_add(ada, TODOS, "{\"title\":\"c\"}", id);
    char target[100];
    snprintf(target, sizeof(target), TODOS "/%s", first);
    site_do(ada, "DELETE", target, NULL, 200);
    while (fgets(line, sizeof(line), copy))
        ;
    cr_expect_str_eq(line, "bb,c\n");
    cr_expect_eq(pclose(copy), 0);
    free(token);
}
