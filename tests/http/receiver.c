/* SPDX-License-Identifier: MIT */
#include "receiver.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/service.h"

#define REQUESTS 256

int receiver_port;
static int listener;
static pthread_t acceptor;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct receiver_request *requests[REQUESTS];
static unsigned request_count;
static bool healed;

static bool say(int fd, const char *text)
{
    for (size_t len = strlen(text); len > 0;) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

static bool answer(int fd, const char *status, const char *fields, const char *body)
{
    char head[512];
    snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n", status,
             strlen(body), fields);
    return say(fd, head) && say(fd, body);
}

static bool client_is_there(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
    return n < 0;
}

/* A byte now and then, for ever. */
static void dribble(int fd)
{
    if (say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n"))
        while (client_is_there(fd) && say(fd, "."))
            service_breathe();
}

static void say_without_end(int fd)
{
    static char chunk[4097];
    memset(chunk, 'h', sizeof(chunk) - 1);
    if (say(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"))
        while (say(fd, chunk))
            ;
}

static void reset(int fd)
{
    const struct linger linger = {.l_onoff = 1};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void wait_for_client(int fd)
{
    char byte;
    while (recv(fd, &byte, 1, 0) > 0)
        ;
}

static bool is_healed(void)
{
    pthread_mutex_lock(&mutex);
    bool fine = healed;
    pthread_mutex_unlock(&mutex);
    return fine;
}

static bool is(const char *path, const char *first)
{
    size_t len = strlen(first);
    return strncmp(path, first, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static void behave(int fd, const char *path)
{
    static char large[100001];
    char text[300];
    if (is(path, "/status")) {
        snprintf(text, sizeof(text), "%.3s As Asked", path + 8);
        answer(fd, text, "", "no");
    } else if (is(path, "/later")) {
        snprintf(text, sizeof(text), "Retry-After: %s\r\n", path + 7);
        for (char *at = text; *at; at++) /* of a date */
            *at = *at == '_' ? ' ' : *at;
        answer(fd, "429 Too Many Requests", text, "");
    } else if (is(path, "/gone"))
        answer(fd, "410 Gone", "", "for ever");
    else if (is(path, "/switch")) {
        bool fine = is_healed();
        answer(fd, fine ? "200 OK" : "500 Broken", "", fine ? "well" : "unwell");
    } else if (is(path, "/held")) {
        while (!is_healed() && client_is_there(fd))
            service_breathe();
        if (is(path, "/held/later"))
            answer(fd, "429 Too Many Requests", "Retry-After: 3600\r\n", "");
        else
            answer(fd, "200 OK", "", "well");
    } else if (is(path, "/silent"))
        wait_for_client(fd);
    else if (is(path, "/dribble"))
        dribble(fd);
    else if (is(path, "/huge"))
        say_without_end(fd);
    else if (is(path, "/large")) {
        memset(large, 'l', sizeof(large) - 1);
        answer(fd, "200 OK", "", large);
    } else if (is(path, "/redirect"))
        answer(fd, "302 Found", "Location: http://169.254.169.254/latest/meta-data/\r\n", "");
    else if (is(path, "/reset"))
        reset(fd);
    else if (is(path, "/garbage"))
        say(fd, "SSH-2.0-server\r\n\r\n");
    else
        answer(fd, "200 OK", "", "thank you \xff");
}

/* To the end of the body. */
static struct receiver_request *read_request(int fd)
{
    static const char mark[] = "\r\n\r\n";
    struct receiver_request *request = calloc(1, sizeof(*request));
    size_t len = 0, body = 0, want = 0;
    char *end = NULL;
    if (!request)
        abort();
    while (!end && len < sizeof(request->head) - 1) {
        ssize_t n = recv(fd, request->head + len, 1, 0); /* no byte of the body */
        if (n <= 0)
            break;
        len += (size_t)n;
        end = strstr(request->head, mark);
    }
    const char *length = strcasestr(request->head, "\r\nContent-Length: ");
    want = length ? strtoul(length + 18, NULL, 10) : 0;
    while (end && body < want && want < sizeof(request->body)) {
        ssize_t n = recv(fd, request->body + body, want - body, 0);
        if (n <= 0)
            break;
        body += (size_t)n;
    }
    if (end && body == want && sscanf(request->head, "%*s %255s", request->path) == 1)
        return request;
    free(request);
    return NULL;
}

static void *serve(void *argument)
{
    int fd = (int)(intptr_t)argument;
    struct receiver_request *request = read_request(fd);
    char path[256] = "";
    if (request) {
        memcpy(path, request->path, sizeof(path));
        pthread_mutex_lock(&mutex);
        if (request_count == REQUESTS)
            abort();
        requests[request_count++] = request;
        pthread_mutex_unlock(&mutex);
        behave(fd, path);
    }
    close(fd);
    return NULL;
}

static void *accept_all(void *argument)
{
    (void)argument;
    for (;;) {
        pthread_t thread;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return NULL;
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) != 0)
            abort();
        pthread_detach(thread);
    }
}

void receiver_start(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t len = sizeof(address);
    healed = false;
    request_count = 0;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(listener, (struct sockaddr *)&address, len), 0);
    cr_assert_eq(listen(listener, 64), 0);
    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    cr_assert_eq(pthread_create(&acceptor, NULL, accept_all, NULL), 0);
    receiver_port = ntohs(address.sin_port);
}

/* Threads that still wait for a client end with the test's process. */
void receiver_stop(void)
{
    shutdown(listener, SHUT_RDWR);
    pthread_join(acceptor, NULL);
    close(listener);
}

void receiver_heal(void)
{
    pthread_mutex_lock(&mutex);
    healed = true;
    pthread_mutex_unlock(&mutex);
}

static unsigned find(const char *path, struct receiver_request *ret_last)
{
    unsigned found = 0;
    pthread_mutex_lock(&mutex);
    for (unsigned i = 0; i < request_count; i++) {
        if (strcmp(requests[i]->path, path) != 0)
            continue;
        found++;
        if (ret_last)
            *ret_last = *requests[i];
    }
    pthread_mutex_unlock(&mutex);
    return found;
}

unsigned receiver_count(const char *path)
{
    return find(path, NULL);
}

void receiver_wait(const char *path, unsigned count, struct receiver_request *ret_request)
{
    for (long long begun = 0; find(path, ret_request) < count;)
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "%s: %u requests, not %u", path,
                  receiver_count(path), count);
}

const char *receiver_field(const struct receiver_request *request, const char *name)
{
    static char value[1024];
    char mark[128];
    snprintf(mark, sizeof(mark), "\r\n%s: ", name);
    const char *at = strcasestr(request->head, mark);
    value[0] = '\0';
    if (at)
        snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + strlen(mark), "\r"), at + strlen(mark));
    return value;
}
