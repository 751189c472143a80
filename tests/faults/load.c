/* SPDX-License-Identifier: MIT */
/*
 * Puts a running server under load from several threads, for server_under_load.sh: load PORT SECONDS. Sign-ups, logins, lists, creates, changes, pipelined requests,
 * clients that leave before the reply. Exits 0 when every reply was whole, none was a 500, and each kind of request was answered.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, BUFFER = 1024 * 1024, PATIENCE_SECONDS = 60 };

enum kind { SIGN_UP, LOGIN, CREATE, LIST, CHANGE, PIPELINE, CANCEL, METRICS, HEALTH, KINDS };
static const char *const kind_names[KINDS] = {"sign-up",  "login",  "create",  "list",  "change",
                                              "pipeline", "cancel", "metrics", "health"};

static int port;
static time_t end_at;
static atomic_ulong answered[KINDS], busy, wrong;

struct client {
    pthread_t thread;
    unsigned number, serial;
    int fd;
    char token[2048], todo[64];
    char buffer[BUFFER];
    size_t len;
};

static bool complain(const struct client *client, const char *what)
{
    if (atomic_fetch_add(&wrong, 1) < 20)
        fprintf(stderr, "client %u: %s: %.300s\n", client->number, what, client->len > 0 ? client->buffer : "");
    return false;
}

static void hang_up(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    client->len = 0;
}

static bool dial(struct client *client)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval limit = {.tv_sec = PATIENCE_SECONDS};
    if (client->fd >= 0)
        return true;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
           complain(client, "cannot connect");
}

static bool say(struct client *client, const char *method, const char *target, const char *body)
{
    char request[4096];
    int len = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: x\r\n%s%s%s", method, target,
                       client->token[0] ? "Authorization: Bearer " : "", client->token, client->token[0] ? "\r\n" : "");
    if (body)
        len += snprintf(request + len, sizeof(request) - (size_t)len,
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    else
        len += snprintf(request + len, sizeof(request) - (size_t)len, "\r\n");
    return dial(client) && (send(client->fd, request, (size_t)len, MSG_NOSIGNAL) == len ||
                            complain(client, "the connection was closed"));
}

/* The next reply, whole, at the beginning of the buffer; its length, 0 when it does not come. */
static size_t hear(struct client *client, unsigned *ret_status)
{
    for (;;) {
        client->buffer[client->len] = '\0';
        char *end = strstr(client->buffer, "\r\n\r\n"), *length = strstr(client->buffer, "\r\nContent-Length: ");
        if (end && length && length < end) {
            size_t whole = (size_t)(end + 4 - client->buffer) + strtoul(length + 18, NULL, 10);
            if (client->len >= whole && sscanf(client->buffer, "HTTP/1.1 %u ", ret_status) == 1)
                return whole;
        } else if (end) {
            complain(client, "a reply without a length");
            return 0;
        }
        if (client->len + 1 >= BUFFER) {
            complain(client, "a reply that is too long");
            return 0;
        }
        ssize_t n = recv(client->fd, client->buffer + client->len, BUFFER - 1 - client->len, 0);
        if (n <= 0) {
            complain(client, "no whole reply");
            return 0;
        }
        client->len += (size_t)n;
    }
}

static void consume(struct client *client, size_t len)
{
    bool last = memmem(client->buffer, len, "\r\nConnection: close\r\n", 21) != NULL;
    memmove(client->buffer, client->buffer + len, client->len - len);
    client->len -= len;
    if (last)
        hang_up(client);
}

/* A text member of the reply in the buffer. */
static void note(const struct client *client, const char *name, char *value, size_t size)
{
    char start[32];
    snprintf(start, sizeof(start), "\"%s\":\"", name);
    const char *at = strstr(client->buffer, start);
    if (at)
        snprintf(value, size, "%.*s", (int)strcspn(at + strlen(start), "\""), at + strlen(start));
}

/* Reads a reply: expected, or 503. True when it was expected; then it is still in the buffer, ret_len long. */
static bool expect(struct client *client, enum kind kind, unsigned expected, size_t *ret_len)
{
    unsigned status = 0;
    size_t len = hear(client, &status);
    if (len == 0) {
        hang_up(client);
        return false;
    }
    *ret_len = len;
    if (status == expected) {
        atomic_fetch_add(&answered[kind], 1);
        return true;
    }
    if (status == 503)
        atomic_fetch_add(&busy, 1);
    else
        complain(client, kind_names[kind]);
    consume(client, len);
    return false;
}

static void ask(struct client *client, enum kind kind, const char *method, const char *target, const char *body,
                unsigned expected)
{
    size_t len;
    if (!say(client, method, target, body))
        hang_up(client);
    else if (expect(client, kind, expected, &len)) {
        if (kind == LOGIN)
            note(client, "token", client->token, sizeof(client->token));
        if (kind == CREATE)
            note(client, "id", client->todo, sizeof(client->todo));
        consume(client, len);
    }
}

static void begin_account(struct client *client)
{
    char body[256];
    hang_up(client);
    client->token[0] = client->todo[0] = '\0';
    snprintf(body, sizeof(body), "{\"email\":\"load%u-%u-%d@example.org\",\"password\":\"Passw0rd!\"}", client->number,
             client->serial++, (int)getpid());
    ask(client, SIGN_UP, "POST", "/api/v1/auth/sign-up", body, 201);
    ask(client, LOGIN, "POST", "/api/v1/auth/login", body, 200);
}

static void change(struct client *client)
{
    char target[128];
    if (!client->todo[0])
        return;
    snprintf(target, sizeof(target), "/api/v1/todos/%s", client->todo);
    ask(client, CHANGE, "PATCH", target, "{\"completed\":true}", 200);
    ask(client, CHANGE, "GET", target, NULL, 200);
    ask(client, CHANGE, "DELETE", target, NULL, 200);
    client->todo[0] = '\0';
}

static void pipeline(struct client *client)
{
    size_t len;
    bool said = true;
    for (int i = 0; i < 8 && said; i++)
        said = say(client, i % 2 ? "GET" : "POST", "/api/v1/todos", i % 2 ? NULL : "{\"title\":\"pipelined\"}");
    for (int i = 0; i < 8 && said && client->fd >= 0; i++)
        if (expect(client, PIPELINE, i % 2 ? 200 : 201, &len))
            consume(client, len);
    if (!said)
        hang_up(client);
}

/* Gone before the answer: at once, or a moment later, with a FIN or a reset. */
static void cancel(struct client *client)
{
    const struct linger reset = {.l_onoff = 1};
    const struct timespec moment = {.tv_nsec = (long)(client->serial % 5) * 300000};
    hang_up(client);
    if (client->serial % 7 == 0) {
        if (!say(client, "POST", "/api/v1/auth/login", "{\"email\":\"a@example.org\",\"password\":\"Passw0rd!\"}"))
            return;
    } else if (!say(client, client->serial % 2 ? "GET" : "POST", "/api/v1/todos",
                    client->serial % 2 ? NULL : "{\"title\":\"left\"}")) {
        return;
    }
    (void)nanosleep(&moment, NULL);
    if (client->serial % 3 == 0)
        (void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    hang_up(client);
    atomic_fetch_add(&answered[CANCEL], 1);
}

static void *work(void *argument)
{
    struct client *client = argument;
    for (unsigned round = 0; time(NULL) < end_at && atomic_load(&wrong) == 0; round++) {
        if (!client->token[0] || round % 40 == 0)
            begin_account(client);
        if (!client->token[0])
            continue;
        client->serial++;
        ask(client, CREATE, "POST", "/api/v1/todos", "{\"title\":\"load\"}", 201);
        ask(client, LIST, "GET", "/api/v1/todos?limit=20", NULL, 200);
        change(client);
        pipeline(client);
        cancel(client);
        if (round % 8 == 0)
            ask(client, METRICS, "GET", "/metrics", NULL, 200);
        ask(client, HEALTH, "GET", "/health/ready", NULL, 200);
    }
    hang_up(client);
    return NULL;
}

int main(int argc, char **argv)
{
    int failed = 0;
    if (argc != 3)
        return 2;
    struct client *clients = calloc(THREADS, sizeof(*clients));
    if (!clients)
        return 2;
    port = atoi(argv[1]);
    end_at = time(NULL) + atoi(argv[2]);
    for (unsigned i = 0; i < THREADS; i++) {
        clients[i].number = i;
        clients[i].fd = -1;
        if (pthread_create(&clients[i].thread, NULL, work, &clients[i]) != 0)
            return 2;
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(clients[i].thread, NULL);
    for (int kind = 0; kind < KINDS; kind++) {
        printf("%s %lu, ", kind_names[kind], atomic_load(&answered[kind]));
        failed |= atomic_load(&answered[kind]) == 0;
    }
    printf("busy %lu, wrong %lu\n", atomic_load(&busy), atomic_load(&wrong));
    free(clients);
    return failed || atomic_load(&wrong) > 0;
}
