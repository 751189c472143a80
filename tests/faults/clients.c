/* SPDX-License-Identifier: MIT */
#include "clients.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/service.h"

enum { CREATES_MAX = 20000, REFUSED_PAUSE_MICROSECONDS = 5000 };
enum outcome { UNSENT, ACKNOWLEDGED, REFUSED, UNKNOWN, DELETED };

struct client {
    struct clients *all;
    pthread_t thread;
    unsigned number, sent;
    int fd;
    char *authorization, last_id[40];
    unsigned last;   /* serial of the todo last_id */
    int completed;   /* it is (1), it is not (0), nobody knows (-1) */
    char wrong[512]; /* the first thing that was */
    atomic_uint acknowledged, refused, unknown, timed_out;
    unsigned char outcomes[CREATES_MAX];
};

struct clients {
    int port;
    unsigned count;
    atomic_bool stop;
    struct client list[];
};

static bool complain(struct client *client, const char *what, const struct http_reply *reply)
{
    if (!client->wrong[0])
        snprintf(client->wrong, sizeof(client->wrong), "client %u: %s: %u %.300s", client->number, what,
                 reply ? reply->status : 0, reply ? reply->body : "");
    return false;
}

static void title_of(const struct client *client, unsigned serial, char ret_title[64])
{
    snprintf(ret_title, 64, "client %u todo %u", client->number, serial);
}

/* True when there is a reply; the caller frees it. */
static bool ask(struct client *client, const char *method, const char *target, const char *body,
                struct http_reply *ret_reply)
{
    char request[2048];
    if (client->fd < 0 && (client->fd = http_connect(client->all->port)) < 0)
        return complain(client, "no connection", NULL);
    int len =
        snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: x\r\n%s", method, target, client->authorization);
    if (body)
        len += snprintf(request + len, sizeof(request) - (size_t)len,
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    else
        len += snprintf(request + len, sizeof(request) - (size_t)len, "\r\n");
    bool fine = http_send(client->fd, request, (size_t)len) && http_read(client->fd, false, ret_reply);
    if (!fine || ret_reply->close) {
        close(client->fd);
        client->fd = -1;
    }
    return fine || complain(client, "no whole reply", NULL);
}

/* What a reply that is no success says; wrong ones are complained about. */
static enum outcome refusal(struct client *client, const char *what, const struct http_reply *reply)
{
    if (reply->status == 504) {
        atomic_fetch_add(&client->timed_out, 1);
        return REFUSED;
    }
    if (reply->status != 503) {
        complain(client, what, reply);
        return UNKNOWN;
    }
    if (!http_header(reply, "Retry-After"))
        complain(client, "503 without Retry-After", reply);
    bool unknown = strstr(reply->body, "\"http.outcome_unknown\"") != NULL;
    atomic_fetch_add(unknown ? &client->unknown : &client->refused, 1);
    usleep(REFUSED_PAUSE_MICROSECONDS); /* as a client does; and CREATES_MAX lasts */
    return unknown ? UNKNOWN : REFUSED;
}

static void create(struct client *client)
{
    char title[64], body[96];
    struct http_reply reply;
    unsigned serial = client->sent++;
    title_of(client, serial, title);
    snprintf(body, sizeof(body), "{\"title\":\"%s\"}", title);
    client->outcomes[serial] = UNKNOWN;
    if (!ask(client, "POST", "/api/v1/todos", body, &reply))
        return;
    if (reply.status == 201) {
        json_t *root = json_loadb(reply.body, reply.body_len, 0, NULL);
        if (strcmp(http_json_text(root, "data.title"), title) != 0)
            complain(client, "the answer to another's create", &reply);
        snprintf(client->last_id, sizeof(client->last_id), "%s", http_json_text(root, "data.id"));
        json_decref(root);
        client->last = serial;
        client->completed = 0;
        client->outcomes[serial] = ACKNOWLEDGED;
        atomic_fetch_add(&client->acknowledged, 1);
    } else {
        client->outcomes[serial] = (unsigned char)refusal(client, "create", &reply);
    }
    http_reply_free(&reply);
}

/* How many creates ended that way. */
static unsigned count(const struct client *client, enum outcome outcome)
{
    unsigned found = 0;
    for (unsigned i = 0; i < client->sent; i++)
        found += client->outcomes[i] == outcome;
    return found;
}

/* Only its own rows, and all that were acknowledged. */
static void list(struct client *client)
{
    char mark[32];
    struct http_reply reply;
    size_t index;
    json_t *item;
    if (!ask(client, "GET", "/api/v1/todos?limit=10", NULL, &reply))
        return;
    if (reply.status == 200) {
        json_t *root = json_loadb(reply.body, reply.body_len, 0, NULL);
        const json_t *data = http_json_at(root, "data.data");
        long long total = http_json_integer(root, "data.meta.totalItems");
        long long least = count(client, ACKNOWLEDGED), most = least + count(client, UNKNOWN);
        snprintf(mark, sizeof(mark), "client %u ", client->number);
        json_array_foreach(data, index, item) if (strncmp(http_json_text(item, "title"), mark, strlen(mark)) != 0)
            complain(client, "another's row", &reply);
        if (total < least || total > most) {
            char what[96];
            snprintf(what, sizeof(what), "%lld are listed, not %lld to %lld", total, least, most);
            complain(client, what, &reply);
        }
        json_decref(root);
    } else {
        (void)refusal(client, "list", &reply);
    }
    http_reply_free(&reply);
}

/* A change of the last todo, or (body NULL) a look at it. A change that was refused is not to be seen. */
static void touch(struct client *client, const char *method, const char *body)
{
    char target[80], title[64];
    struct http_reply reply;
    snprintf(target, sizeof(target), "/api/v1/todos/%s", client->last_id);
    title_of(client, client->last, title);
    if (!client->last_id[0] || !ask(client, method, target, body, &reply))
        return;
    if (reply.status == 200) {
        json_t *root = json_loadb(reply.body, reply.body_len, 0, NULL);
        int completed = json_is_true(http_json_at(root, "data.completed"));
        if (strcmp(http_json_text(root, "data.title"), title) != 0 ||
            strcmp(http_json_text(root, "data.id"), client->last_id) != 0)
            complain(client, "another todo", &reply);
        if (body)
            client->completed = 1;
        if (client->completed >= 0 && completed != client->completed)
            complain(client, completed ? "a refused change took place" : "a change was lost", &reply);
        json_decref(root);
    } else if (refusal(client, method, &reply) == UNKNOWN && body) {
        client->completed = -1;
    }
    http_reply_free(&reply);
}

/* Its own, which is there: 404 would mean that this has been done, and is done again. */
static void delete_last(struct client *client)
{
    char target[80];
    struct http_reply reply;
    snprintf(target, sizeof(target), "/api/v1/todos/%s", client->last_id);
    if (!client->last_id[0] || !ask(client, "DELETE", target, NULL, &reply))
        return;
    client->last_id[0] = '\0';
    if (reply.status == 200 || reply.status == 204)
        client->outcomes[client->last] = DELETED;
    else if (refusal(client, "DELETE", &reply) == UNKNOWN)
        client->outcomes[client->last] = UNKNOWN;
    http_reply_free(&reply);
}

static void *work(void *argument)
{
    struct client *client = argument;
    for (unsigned round = 0; !atomic_load(&client->all->stop) && client->sent < CREATES_MAX && !client->wrong[0];
         round++) {
        create(client);
        if (round % 3 == 0)
            list(client);
        if (round % 2 == 1)
            touch(client, "PATCH", "{\"completed\":true}");
        if (round % 4 != 0)
            touch(client, "GET", NULL);
        if (round % 4 == 2)
            delete_last(client);
    }
    return NULL;
}

struct clients *clients_new(const struct test_server *server, unsigned number, long long served_by)
{
    struct clients *clients = calloc(1, sizeof(*clients) + number * sizeof(clients->list[0]));
    cr_assert(clients);
    clients->port = server->port;
    clients->count = number;
    for (unsigned i = 0; i < number; i++) {
        char email[64];
        snprintf(email, sizeof(email), "client%u@example.org", i);
        clients->list[i].all = clients;
        clients->list[i].number = i;
        clients->list[i].fd = -1;
        clients->list[i].authorization = http_login_by(server->port, email, served_by);
    }
    return clients;
}

void clients_run(struct clients *clients)
{
    atomic_store(&clients->stop, false);
    for (unsigned i = 0; i < clients->count; i++)
        cr_assert_eq(pthread_create(&clients->list[i].thread, NULL, work, &clients->list[i]), 0);
}

static bool any_wrong(const struct clients *clients)
{
    for (unsigned i = 0; i < clients->count; i++)
        if (clients->list[i].wrong[0])
            return true;
    return false;
}

bool clients_wait_served(struct clients *clients, unsigned more, int milliseconds)
{
    long long end = service_milliseconds() + milliseconds;
    unsigned from[64] = {0};
    cr_assert_leq(clients->count, 64);
    for (unsigned i = 0; i < clients->count; i++)
        from[i] = atomic_load(&clients->list[i].acknowledged);
    for (unsigned i = 0; i < clients->count; i++)
        while (atomic_load(&clients->list[i].acknowledged) - from[i] < more) {
            if (service_milliseconds() > end || any_wrong(clients))
                return false;
            service_breathe();
        }
    return true;
}

bool clients_wait_refused(struct clients *clients, unsigned more, int milliseconds)
{
    long long end = service_milliseconds() + milliseconds;
    unsigned from = clients_refused(clients) + clients_unknown(clients);
    while (clients_refused(clients) + clients_unknown(clients) - from < more) {
        if (service_milliseconds() > end || any_wrong(clients))
            return false;
        service_breathe();
    }
    return true;
}

void clients_stop(struct clients *clients)
{
    atomic_store(&clients->stop, true);
    for (unsigned i = 0; i < clients->count; i++)
        pthread_join(clients->list[i].thread, NULL);
    for (unsigned i = 0; i < clients->count; i++)
        cr_expect_str_empty(clients->list[i].wrong, "%s", clients->list[i].wrong);
}

struct seen {
    const struct clients *clients;
    unsigned char *times; /* by client and serial */
};

static void note(void *argument, const char *title, const char *owner)
{
    const struct seen *seen = argument;
    unsigned number, serial, of;
    cr_assert(sscanf(title, "client %u todo %u", &number, &serial) == 2 && number < seen->clients->count &&
                  serial < CREATES_MAX,
              "an unknown row: %s", title);
    cr_assert(sscanf(owner, "client%u@", &of) == 1 && of == number, "%s belongs to %s", title, owner);
    if (seen->times[number * CREATES_MAX + serial] < 255)
        seen->times[number * CREATES_MAX + serial]++;
}

void clients_check(struct clients *clients, const struct test_server *server)
{
    static const char *const names[] = {"never sent", "acknowledged", "refused", "of an unknown outcome", "deleted"};
    struct seen seen = {.clients = clients, .times = calloc(clients->count, CREATES_MAX)};
    unsigned bad = 0;
    cr_assert(seen.times);
    database_each(server, "SELECT t.title, u.email FROM todos t JOIN users u ON u.id = t.user_id", note, &seen);
    for (unsigned i = 0; i < clients->count; i++)
        for (unsigned serial = 0; serial < CREATES_MAX && bad < 10; serial++) {
            unsigned times = seen.times[i * CREATES_MAX + serial];
            enum outcome outcome = clients->list[i].outcomes[serial];
            bool fine = outcome == ACKNOWLEDGED ? times == 1 : outcome == UNKNOWN ? times <= 1 : times == 0;
            bad += !fine;
            cr_expect(fine, "client %u todo %u, %s, is there %u times", i, serial, names[outcome], times);
        }
    free(seen.times);
}

struct clients *clients_free(struct clients *clients)
{
    for (unsigned i = 0; clients && i < clients->count; i++) {
        if (clients->list[i].fd >= 0)
            close(clients->list[i].fd);
        free(clients->list[i].authorization);
    }
    free(clients);
    return NULL;
}

#define SUM(member)                                   \
    unsigned sum = 0;                                 \
    for (unsigned i = 0; i < clients->count; i++)     \
        sum += atomic_load(&clients->list[i].member); \
    return sum

unsigned clients_acknowledged(const struct clients *clients)
{
    SUM(acknowledged);
}

unsigned clients_refused(const struct clients *clients)
{
    SUM(refused);
}

unsigned clients_unknown(const struct clients *clients)
{
    SUM(unknown);
}

unsigned clients_timed_out(const struct clients *clients)
{
    SUM(timed_out);
}

const char *clients_authorization(const struct clients *clients)
{
    return clients->list[0].authorization;
}
