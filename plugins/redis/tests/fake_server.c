/* SPDX-License-Identifier: MIT */
#include "fake_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 16

struct fake_server {
    pthread_t thread;
    struct fake_answer answer;
    int listener, port;
    int stop[2];
    atomic_uint accepted;
    struct pollfd fds[2 + CLIENTS];
};

static void say(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        bytes += sent;
        len -= (size_t)sent;
    }
}

/* False: hang up. Each greeting is a write of its own, whose answer is awaited. */
static bool talk(struct fake_server *server, int fd)
{
    char asked[4096];
    ssize_t len = recv(fd, asked, sizeof(asked), 0);
    if (len <= 0)
        return false;
    if (server->answer.to_greet) {
        say(fd, server->answer.bytes, server->answer.len);
        return !server->answer.hang_up;
    }
    if (memmem(asked, (size_t)len, "\r\nSETNAME\r\n", 11)) {
        say(fd, "+OK\r\n", 5);
        return true;
    }
    if (memmem(asked, (size_t)len, "\r\nPING\r\n", 8)) {
        say(fd, "+PONG\r\n", 7);
        return true;
    }
    say(fd, server->answer.bytes, server->answer.len);
    return !server->answer.hang_up;
}

static void add_client(struct fake_server *server)
{
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    for (size_t i = 2; i < 2 + CLIENTS; i++)
        if (server->fds[i].fd < 0) {
            server->fds[i].fd = fd;
            atomic_fetch_add(&server->accepted, 1);
            return;
        }
    close(fd);
}

static void *serve(void *argument)
{
    struct fake_server *server = argument;
    for (;;) {
        if (poll(server->fds, 2 + CLIENTS, -1) < 0)
            continue;
        if (server->fds[0].revents)
            return NULL;
        for (size_t i = 2; i < 2 + CLIENTS; i++)
            if (server->fds[i].fd >= 0 && server->fds[i].revents && !talk(server, server->fds[i].fd)) {
                close(server->fds[i].fd);
                server->fds[i].fd = -1;
            }
        if (server->fds[1].revents)
            add_client(server);
    }
}

struct fake_server *fake_server_start(const struct fake_answer *answer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    struct fake_server *server = calloc(1, sizeof(*server));
    if (!server)
        abort();
    server->answer = *answer;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->listener, (const struct sockaddr *)&address, len) != 0 || listen(server->listener, 16) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &len) != 0 || pipe(server->stop) != 0)
        abort();
    server->port = ntohs(address.sin_port);
    for (size_t i = 0; i < 2 + CLIENTS; i++)
        server->fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    server->fds[0].fd = server->stop[0];
    server->fds[1].fd = server->listener;
    if (pthread_create(&server->thread, NULL, serve, server) != 0)
        abort();
    return server;
}

int fake_server_port(const struct fake_server *server)
{
    return server->port;
}

unsigned fake_server_accepted(const struct fake_server *server)
{
    return atomic_load(&server->accepted);
}

struct fake_server *fake_server_stop(struct fake_server *server)
{
    close(server->stop[1]);
    pthread_join(server->thread, NULL);
    for (size_t i = 0; i < 2 + CLIENTS; i++)
        if (server->fds[i].fd >= 0)
            close(server->fds[i].fd);
    free(server);
    return NULL;
}
