/* SPDX-License-Identifier: MIT */
#include "tests/support/todo_load.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/http.h"
#include "tests/support/service.h"

enum {
    CONNECTIONS = 3, /* of a thread to each server, so that several workers get to answer it */
    READS_BETWEEN = 16
};

struct client {
    struct todo_load *load;
    unsigned turn;
    int fds[TODO_LOAD_PORTS * CONNECTIONS];
};

static void say_wrong(struct todo_load *load, const char *what, const struct http_reply *reply, unsigned at_least,
                      unsigned found)
{
    if (atomic_fetch_add(&load->wrong, 1) == 0)
        snprintf(load->problem, sizeof(load->problem), "%s: %u after %u were acknowledged: %.300s", what, found,
                 at_least, reply->head);
}

/* One request on the next connection; false when there is no good reply. */
static bool call(struct client *client, const char *method, const char *target, const char *body,
                 struct http_reply *ret_reply)
{
    struct todo_load *load = client->load;
    unsigned index = client->turn++ % (load->port_count * CONNECTIONS);
    char text[1024];
    int len = snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: a\r\n%s", method, target, load->who);
    if (body)
        len += snprintf(text + len, sizeof(text) - (size_t)len,
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    else
        len += snprintf(text + len, sizeof(text) - (size_t)len, "\r\n");
    if (client->fds[index] < 0)
        client->fds[index] = http_connect(load->ports[index % load->port_count]);
    if (client->fds[index] < 0 || !http_send(client->fds[index], text, (size_t)len) ||
        !http_read(client->fds[index], false, ret_reply)) {
        if (client->fds[index] >= 0)
            close(client->fds[index]);
        client->fds[index] = -1;
        atomic_fetch_add(&load->refused, 1);
        return false;
    }
    if (ret_reply->status == 200 || ret_reply->status == 201)
        return true;
    atomic_fetch_add(&load->refused, 1);
    http_reply_free(ret_reply);
    return false;
}

static void begin(struct client *client, struct todo_load *load)
{
    *client = (struct client){.load = load, .turn = atomic_fetch_add(&load->started, 1)};
    for (size_t i = 0; i < sizeof(client->fds) / sizeof(client->fds[0]); i++)
        client->fds[i] = -1;
}

static void end(struct client *client)
{
    for (size_t i = 0; i < sizeof(client->fds) / sizeof(client->fds[0]); i++)
        if (client->fds[i] >= 0)
            close(client->fds[i]);
}

/* Lets some be read between two writes: while writes follow each other without a gap, nothing is kept that could be wrong. */
static void let_read(struct todo_load *load)
{
    unsigned until = atomic_load(&load->reads) + READS_BETWEEN;
    while (atomic_load(&load->reads) < until && !atomic_load(&load->stop))
        service_breathe();
}

static void *create(void *argument)
{
    struct todo_load *load = argument;
    struct client client;
    struct http_reply reply;
    begin(&client, load);
    while (!atomic_load(&load->stop))
        if (call(&client, "POST", "/api/v1/todos", "{\"title\":\"one more\"}", &reply)) {
            atomic_fetch_add(&load->acknowledged, 1);
            http_reply_free(&reply);
            let_read(load);
        }
    end(&client);
    return NULL;
}

static void *update(void *argument)
{
    struct todo_load *load = argument;
    struct client client;
    struct http_reply reply;
    char body[64];
    begin(&client, load);
    for (unsigned number = 1; !atomic_load(&load->stop); number++) {
        snprintf(body, sizeof(body), "{\"title\":\"number %u.\"}", number);
        if (call(&client, "PATCH", load->target, body, &reply)) {
            atomic_store(&load->updated, number);
            http_reply_free(&reply);
            let_read(load);
        }
    }
    end(&client);
    return NULL;
}

static unsigned number_behind(const struct http_reply *reply, const char *text)
{
    const char *found = strstr(reply->body, text);
    return found ? (unsigned)strtoul(found + strlen(text), NULL, 10) : 0;
}

static void *read_all(void *argument)
{
    struct todo_load *load = argument;
    struct client client;
    struct http_reply reply;
    begin(&client, load);
    while (!atomic_load(&load->stop)) {
        bool list = client.turn % 3 != 0;
        unsigned at_least = list ? atomic_load(&load->acknowledged) : atomic_load(&load->updated);
        if (!call(&client, "GET", list ? "/api/v1/todos?limit=1" : load->target, NULL, &reply))
            continue;
        unsigned found = number_behind(&reply, list ? "\"totalItems\":" : "\"title\":\"number ");
        if (found < at_least)
            say_wrong(load, list ? "list" : "todo", &reply, at_least, found);
        atomic_fetch_add(&load->reads, 1);
        atomic_fetch_add(&load->hits, strstr(reply.head, "X-Cache: HIT") != NULL);
        atomic_fetch_add(&load->stale, strstr(reply.head, "X-Cache: STALE") != NULL);
        http_reply_free(&reply);
    }
    end(&client);
    return NULL;
}

void todo_load_start(struct todo_load *load, const int *ports, unsigned port_count, const char *who, unsigned writers,
                     unsigned readers)
{
    struct http_reply reply;
    memset(load, 0, sizeof(*load));
    cr_assert(port_count <= TODO_LOAD_PORTS && writers + readers <= TODO_LOAD_THREADS);
    memcpy(load->ports, ports, port_count * sizeof(*ports));
    load->port_count = port_count;
    load->who = who;
    http_call(ports[0], "POST", "/api/v1/todos", who, "{\"title\":\"number 0.\"}", &reply);
    cr_assert_eq(reply.status, 201);
    json_t *created = http_json(&reply);
    snprintf(load->target, sizeof(load->target), "/api/v1/todos/%s", http_json_text(created, "data.id"));
    json_decref(created);
    http_reply_free(&reply);
    atomic_store(&load->acknowledged, 1);
    for (unsigned i = 0; i < writers + readers; i++)
        cr_assert_eq(pthread_create(&load->threads[load->thread_count++], NULL,
                                    i == 0        ? update
                                    : i < writers ? create
                                                  : read_all,
                                    load),
                     0);
}

void todo_load_wait(void)
{
    service_breathe();
}

void todo_load_stop(struct todo_load *load)
{
    atomic_store(&load->stop, true);
    for (unsigned i = 0; i < load->thread_count; i++)
        pthread_join(load->threads[i], NULL);
}
