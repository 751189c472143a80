/* SPDX-License-Identifier: MIT */
/* A rolling update, without a cluster: replicas of the shipped configuration replace one another under load, and no request is lost. */
#include <criterion/criterion.h>
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
#include "tests/support/service.h"

enum { CLIENTS = 6, UPDATES = 3, REPLIES_BETWEEN = 200 };

/* Clients as a proxy with connections that it keeps: they send to whatever replica is in service, and try nothing twice. */
static struct {
    _Atomic int port;
    _Atomic bool stop;
    _Atomic unsigned created, replies, moved, lost;
    char *who;
    char problem[256]; /* the first */
} load;

static void note_loss(int port, const char *text)
{
    if (atomic_fetch_add(&load.lost, 1) == 0)
        snprintf(load.problem, sizeof(load.problem), "port %d: %.200s", port, text);
}

/* One request and its reply. False when the connection is not to be used again. */
static bool exchange(int fd, int port, bool create)
{
    static const char body[] = "{\"title\":\"one more\"}";
    struct http_reply reply;
    char text[1024];
    int len = create
                  ? snprintf(text, sizeof(text),
                             "POST /api/v1/todos HTTP/1.1\r\nHost: a\r\n%sContent-Type: application/json\r\n"
                             "Content-Length: %zu\r\n\r\n%s",
                             load.who, strlen(body), body)
                  : snprintf(text, sizeof(text), "GET /api/v1/todos?limit=1 HTTP/1.1\r\nHost: a\r\n%s\r\n", load.who);
    if (!http_send(fd, text, (size_t)len) || !http_read(fd, false, &reply)) {
        note_loss(port, "no reply");
        return false;
    }
    bool close = reply.close;
    if (reply.status != (create ? 201 : 200))
        note_loss(port, reply.head);
    atomic_fetch_add(&load.created, create && reply.status == 201);
    atomic_fetch_add(&load.replies, 1);
    http_reply_free(&reply);
    return !close;
}

static void *client(void *argument)
{
    (void)argument;
    int fd = -1, port = 0;
    for (unsigned turn = 0; !atomic_load(&load.stop); turn++) {
        if (fd < 0) {
            port = atomic_load(&load.port);
            fd = http_connect(port);
            atomic_fetch_add(&load.moved, 1);
        }
        if (fd < 0) {
            note_loss(port, "no connection");
        } else if (!exchange(fd, port, turn % 2 == 0)) {
            close(fd);
            fd = -1;
        }
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static bool ready(const struct test_server *server)
{
    struct http_reply reply;
    if (!http_try(server->port, "GET", "/health/ready", NULL, NULL, &reply))
        return false;
    bool fine = reply.status == 200;
    http_reply_free(&reply);
    return fine;
}

static void await_ready(const struct test_server *server, bool wanted)
{
    long long begun = 0;
    while (ready(server) != wanted)
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "readiness of port %d stays %d", server->port,
                  !wanted);
}

static void start_replica(struct test_server *replica, const char *database)
{
    char url[SERVER_URL_SIZE + 16];
    snprintf(url, sizeof(url), "DATABASE_URL=%s", database ? database : "");
    server_start(replica, &(struct server_options){
                              .environment = (const char *[]){"NODE_ENV=production", "BACKPLANE_WORKERS=1",
                                                              "DRAIN_DELAY=1s", "DRAIN_TIMEOUT=30s", "LOG_LEVEL=info",
                                                              "JWT_SECRET=the-same-secret-on-all-of-them-0123456789",
                                                              database ? url : NULL, NULL}});
    await_ready(replica, true);
}

/* What Kubernetes does with maxSurge 1 and maxUnavailable 0: the new one is ready before the old one hears SIGTERM, and the old one is
 * sent to until its readiness fails. */
static void replace(struct test_server *old, struct test_server *new, const char *database)
{
    long long begun = 0;
    start_replica(new, database);
    unsigned replies = atomic_load(&load.replies);
    while (atomic_load(&load.replies) < replies + REPLIES_BETWEEN)
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS));
    cr_assert_eq(kill(old->pid, SIGTERM), 0);
    await_ready(old, false);
    atomic_store(&load.port, new->port);
    cr_assert(server_wait_output(old, "\"event\":\"server.stopped\""));
    char *output = server_output(old);
    cr_expect(strstr(output, "worker.aborted") == NULL, "%s", output);
    free(output);
    cr_expect_eq(server_stop_keep(old), 0);
}

Test(rolling, no_request_is_lost, .timeout = 110)
{
    struct test_server replicas[UPDATES + 1];
    pthread_t threads[CLIENTS];
    start_replica(&replicas[0], NULL);
    cr_assert(replicas[0].database[0], "replicas need a database that all can use: run it with TEST_DATABASE=postgres");
    load.who = http_login(replicas[0].port, "ada@example.com");
    atomic_store(&load.port, replicas[0].port);
    for (int i = 0; i < CLIENTS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, client, NULL), 0);
    for (int i = 0; i < UPDATES; i++)
        replace(&replicas[i], &replicas[i + 1], replicas[0].database);
    atomic_store(&load.stop, true);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(load.lost, 0, "%u of %u lost; %s", load.lost, load.replies, load.problem);
    cr_expect_geq(load.moved, CLIENTS * (UPDATES + 1));
    cr_expect_eq(database_integer(&replicas[0], "SELECT count(*) FROM todos"), load.created);
    for (int i = 0; i < UPDATES; i++)
        server_remove_folder(&replicas[i]);
    cr_expect_eq(server_stop(&replicas[UPDATES]), 0);
    free(load.who);
}
