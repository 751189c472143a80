/* SPDX-License-Identifier: MIT */
/*
 * kill -9 while clients write: what was acknowledged is there afterwards, exactly once; what was not may be there, but not twice. Three rounds each by default,
 * twenty with BACKPLANE_TEST_ALL=1.
 */
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

enum { CLIENTS = 6, WRITES_MAX = 20000, WAIT_MILLISECONDS = 20000 };

TestSuite(kill, .timeout = 280);

static const char *const two_workers[] = {"BACKPLANE_WORKERS=2", "LOG_LEVEL=warn", NULL};

static struct test_server server;
static char *authorization;
static atomic_uint acknowledged_count;
static atomic_bool stop;

struct client {
    pthread_t thread;
    unsigned number, round;
    unsigned sent;
    bool acknowledged[WRITES_MAX];
    unsigned char found[WRITES_MAX]; /* so many times in the database */
};
static struct client *clients;

static bool send_create(int fd, const char *title)
{
    char body[128], request[2048];
    int len = snprintf(body, sizeof(body), "{\"title\":\"%s\"}", title);
    len = snprintf(request, sizeof(request),
                   "POST /api/v1/todos HTTP/1.1\r\nHost: x\r\n%sContent-Type: application/json\r\n"
                   "Content-Length: %d\r\n\r\n%s",
                   authorization, len, body);
    return http_send(fd, request, (size_t)len);
}

/* Writes until told to stop; a title is never sent twice. */
static void *write_todos(void *argument)
{
    struct client *client = argument;
    int fd = -1;
    while (!atomic_load(&stop) && client->sent < WRITES_MAX) {
        char title[64];
        struct http_reply reply;
        if (fd < 0 && (fd = http_connect(server.port)) < 0) {
            (void)poll(NULL, 0, 2);
            continue;
        }
        unsigned n = client->sent++;
        snprintf(title, sizeof(title), "%u-%u-%u", client->round, client->number, n);
        if (!send_create(fd, title) || !http_read(fd, false, &reply)) {
            close(fd);
            fd = -1;
            continue;
        }
        if (reply.status == 201) {
            client->acknowledged[n] = true;
            atomic_fetch_add(&acknowledged_count, 1);
        }
        http_reply_free(&reply);
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static void start_clients(unsigned round)
{
    atomic_store(&stop, false);
    for (unsigned i = 0; i < CLIENTS; i++) {
        memset(&clients[i], 0, sizeof(clients[i]));
        clients[i].number = i;
        clients[i].round = round;
        cr_assert_eq(pthread_create(&clients[i].thread, NULL, write_todos, &clients[i]), 0);
    }
}

static void join_clients(void)
{
    atomic_store(&stop, true);
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_join(clients[i].thread, NULL);
}

static void wait_acknowledged(unsigned more)
{
    unsigned from = atomic_load(&acknowledged_count);
    for (int waited = 0; atomic_load(&acknowledged_count) - from < more; waited++) {
        cr_assert(waited < WAIT_MILLISECONDS, "only %u of %u writes are acknowledged",
                  atomic_load(&acknowledged_count) - from, more);
        (void)poll(NULL, 0, 1);
    }
}

static unsigned rounds(void)
{
    return getenv("BACKPLANE_TEST_ALL") ? 20 : 3;
}

static void note(void *argument, const char *title, const char *nothing)
{
    const unsigned *round = argument;
    unsigned of, number, n;
    (void)nothing;
    cr_assert(sscanf(title, "%u-%u-%u", &of, &number, &n) == 3 && number < CLIENTS && n < WRITES_MAX, "%s", title);
    if (of == *round && clients[number].found[n] < 255)
        clients[number].found[n]++;
}

/* In the database, by an own connection, as another program would see it. */
static void check_rows(void)
{
    unsigned round = clients[0].round;
    if (database_kind() == DATABASE_SQLITE) {
        char *said = database_ask(&server, "PRAGMA integrity_check");
        cr_assert_str_eq(said, "ok");
        free(said);
    }
    database_each(&server, "SELECT title FROM todos", note, &round);
    for (unsigned i = 0; i < CLIENTS; i++)
        for (unsigned n = 0; n < clients[i].sent; n++) {
            unsigned found = clients[i].found[n];
            cr_assert(found == 1 || (found == 0 && !clients[i].acknowledged[n]), "%u-%u-%u%s is there %u times",
                      clients[i].round, i, n, clients[i].acknowledged[n] ? ", acknowledged," : "", found);
        }
}

/* And through the API: as many as were acknowledged. */
static long long listed(void)
{
    struct http_reply reply;
    http_call(server.port, "GET", "/api/v1/todos?limit=1", authorization, NULL, &reply);
    cr_assert_eq(reply.status, 200, "%s", reply.body);
    json_t *root = http_json(&reply);
    long long total = http_json_integer(root, "data.meta.totalItems");
    json_decref(root);
    http_reply_free(&reply);
    return total;
}

static void begin(void)
{
    clients = calloc(CLIENTS, sizeof(*clients));
    cr_assert(clients);
    server_start(&server, &(struct server_options){.environment = two_workers});
    authorization = http_login(server.port, "kill@example.org");
}

static void end(void)
{
    cr_assert_geq(listed(), atomic_load(&acknowledged_count));
    cr_assert_eq(server_stop(&server), 0);
    free(authorization);
    free(clients);
}

Test(kill, workers_die_while_clients_write)
{
    begin();
    start_clients(0);
    for (unsigned round = 0; round < rounds(); round++) {
        pid_t workers[4];
        wait_acknowledged(40);
        size_t count = server_workers(&server, workers, 4);
        cr_assert(count > 0);
        cr_assert_eq(kill(workers[round % count], SIGKILL), 0);
    }
    wait_acknowledged(40);
    join_clients();
    check_rows();
    end();
}

Test(kill, all_workers_die_at_once)
{
    begin();
    start_clients(0);
    wait_acknowledged(40);
    pid_t workers[4];
    size_t count = server_workers(&server, workers, 4);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(kill(workers[i], SIGKILL), 0);
    wait_acknowledged(40);
    join_clients();
    check_rows();
    end();
}

Test(kill, the_whole_server_dies_while_clients_write)
{
    begin();
    for (unsigned round = 0; round < rounds(); round++) {
        char folder[64];
        start_clients(round);
        wait_acknowledged(60);
        server_kill(&server);
        join_clients();
        check_rows(); /* before a server has touched it again */
        snprintf(folder, sizeof(folder), "%s", server.folder);
        server_start(&server, &(struct server_options){.environment = two_workers, .folder = folder});
    }
    end();
}
