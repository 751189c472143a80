/* SPDX-License-Identifier: MIT */
#include "origin.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/service.h"

struct origin origin;
static int listener;
static pthread_t acceptor;
static SSL_CTX *context;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool released;

struct peer {
    int fd;
    SSL *tls; /* NULL: plain */
    char head[8192];
    char body[8192];
};

static ssize_t take(struct peer *peer, char *bytes, size_t size)
{
    return peer->tls ? SSL_read(peer->tls, bytes, (int)size) : recv(peer->fd, bytes, size, 0);
}

static bool say_bytes(struct peer *peer, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = peer->tls ? SSL_write(peer->tls, bytes, (int)len) : send(peer->fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool say(struct peer *peer, const char *text)
{
    return say_bytes(peer, text, strlen(text));
}

/* One request. False: the end of the connection. */
static bool read_request(struct peer *peer)
{
    size_t len = 0, want = 0;
    char *end = NULL;
    while (!end && len < sizeof(peer->head) - 1) {
        ssize_t n = take(peer, peer->head + len, sizeof(peer->head) - 1 - len);
        if (n <= 0)
            return false;
        len += (size_t)n;
        peer->head[len] = '\0';
        end = strstr(peer->head, "\r\n\r\n");
    }
    if (!end)
        return false;
    size_t got = len - (size_t)(end + 4 - peer->head);
    memcpy(peer->body, end + 4, got);
    end[2] = '\0';
    const char *length = strcasestr(peer->head, "\r\nContent-Length: ");
    if (length)
        want = strtoul(length + 18, NULL, 10);
    while (got < want) {
        ssize_t n = take(peer, peer->body + got, sizeof(peer->body) - 1 - got);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    peer->body[got] = '\0';
    atomic_fetch_add(&origin.requests, 1);
    return true;
}

static bool say_body(struct peer *peer, const char *status, const char *fields, const char *body)
{
    char head[512];
    snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status, strlen(body), fields);
    return say(peer, head) && (strncmp(peer->head, "HEAD", 4) == 0 || say(peer, body));
}

/* Until the client goes away. */
static bool wait_for_client(struct peer *peer)
{
    char byte;
    while (take(peer, &byte, 1) > 0)
        ;
    return false;
}

static bool wait_for_release(struct peer *peer)
{
    pthread_mutex_lock(&mutex);
    while (!released)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    return say_body(peer, "200 OK", "", "released");
}

static bool say_without_end(struct peer *peer)
{
    static const char chunk[4096];
    if (!say(peer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"))
        return false;
    while (say_bytes(peer, chunk, sizeof(chunk)))
        ;
    return false;
}

static bool reset(struct peer *peer)
{
    const struct linger linger = {.l_onoff = 1};
    (void)setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    return false;
}

static bool echo(struct peer *peer)
{
    char text[sizeof(peer->head) + sizeof(peer->body)];
    snprintf(text, sizeof(text), "%s|%s", peer->head, peer->body);
    return say_body(peer, "200 OK", "", text);
}

static bool redirect(struct peer *peer, const char *to)
{
    char fields[256];
    snprintf(fields, sizeof(fields), "Location: %s\r\n", to);
    return say_body(peer, "302 Found", fields, "elsewhere");
}

static bool answer(struct peer *peer, const char *path)
{
    if (strcmp(path, "/hello") == 0)
        return say_body(peer, "200 OK", "X-One: 1\r\nx-empty:\r\nX-Two:  two words \r\nX-One: again\r\n", "hello");
    if (strcmp(path, "/echo") == 0)
        return echo(peer);
    if (strcmp(path, "/early") == 0)
        return say(peer, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n") &&
               say_body(peer, "201 Created", "A: b\r\n", "made");
    if (strcmp(path, "/chunked") == 0)
        return say(
            peer,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n");
    if (strcmp(path, "/nothing") == 0)
        return say(peer, "HTTP/1.1 204 No Content\r\n\r\n");
    if (strcmp(path, "/missing") == 0)
        return say_body(peer, "404 Not Found", "", "no");
    if (strcmp(path, "/once") == 0) /* closes what it says that it keeps */
        return say_body(peer, "200 OK", "Connection: keep-alive\r\n", "once") && false;
    if (strcmp(path, "/silent") == 0)
        return wait_for_client(peer);
    if (strcmp(path, "/wait") == 0)
        return wait_for_release(peer);
    if (strcmp(path, "/large") == 0)
        return say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n") && wait_for_client(peer);
    if (strcmp(path, "/endless") == 0)
        return say_without_end(peer);
    if (strcmp(path, "/reset") == 0)
        return reset(peer);
    if (strcmp(path, "/short") == 0)
        return say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort") && false;
    if (strcmp(path, "/garbage") == 0)
        return say(peer, "SSH-2.0-server\r\n\r\n") && false;
    if (strcmp(path, "/redirect") == 0)
        return redirect(peer, "/hello");
    if (strcmp(path, "/loop") == 0)
        return redirect(peer, "/loop");
    if (strcmp(path, "/file") == 0)
        return redirect(peer, "file:///etc/passwd");
    return say_body(peer, "500 Unknown Path", "", path);
}

static void *serve(void *argument)
{
    struct peer *peer = argument;
    char path[256];
    if (context) {
        peer->tls = SSL_new(context);
        SSL_set_fd(peer->tls, peer->fd);
    }
    bool going = !peer->tls || SSL_accept(peer->tls) == 1;
    while (going)
        going = read_request(peer) && sscanf(peer->head, "%*s %255s", path) == 1 && answer(peer, path);
    SSL_free(peer->tls);
    close(peer->fd);
    free(peer);
    atomic_fetch_sub(&origin.open, 1);
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
        struct peer *peer = calloc(1, sizeof(*peer));
        if (!peer)
            service_fail("no memory");
        peer->fd = fd;
        atomic_fetch_add(&origin.connections, 1);
        atomic_fetch_add(&origin.open, 1);
        if (pthread_create(&thread, NULL, serve, peer) != 0)
            service_fail("no thread");
        pthread_detach(thread);
    }
}

static SSL_CTX *context_of(const char *certificate, const char *key)
{
    SSL_CTX *made = SSL_CTX_new(TLS_server_method());
    if (!made || SSL_CTX_use_certificate_file(made, certificate, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(made, key, SSL_FILETYPE_PEM) != 1)
        service_fail("%s cannot be used", certificate);
    return made;
}

void origin_start(const char *certificate, const char *key)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t len = sizeof(address);
    signal(SIGPIPE, SIG_IGN); /* as in a worker */
    released = false;
    atomic_store(&origin.connections, 0);
    atomic_store(&origin.requests, 0);
    context = certificate ? context_of(certificate, key) : NULL;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, len) != 0 || listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &len) != 0 ||
        pthread_create(&acceptor, NULL, accept_all, NULL) != 0)
        service_fail("the server of the test does not start");
    origin.port = ntohs(address.sin_port);
}

void origin_release(void)
{
    pthread_mutex_lock(&mutex);
    released = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
}

void origin_stop(void)
{
    origin_release();
    shutdown(listener, SHUT_RDWR);
    pthread_join(acceptor, NULL);
    close(listener);
    for (long long begun = 0; atomic_load(&origin.open) > 0;)
        if (!service_patience(&begun, SERVICE_READY_MILLISECONDS))
            service_fail("%u connections are left", atomic_load(&origin.open));
    SSL_CTX_free(context);
}
