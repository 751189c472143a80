/* SPDX-License-Identifier: MIT */
/* Names, addresses, connected sockets. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "wire.h"

struct look_up {
    const char *host;
    char port[8];
    int flags;
    int error;
    struct addrinfo *found;
};

static int look_up(void *job)
{
    struct look_up *wanted = job;
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | wanted->flags};
    wanted->error = getaddrinfo(wanted->host, wanted->port, &hints, &wanted->found);
    return 0;
}

/* Addresses need no thread, names may block for long. */
static int resolve(struct wire *wire, const struct redis_endpoint *endpoint, struct addrinfo **ret_found)
{
    struct look_up wanted = {.host = endpoint->host, .flags = AI_NUMERICHOST};
    int status = 0;
    snprintf(wanted.port, sizeof(wanted.port), "%u", endpoint->port);
    look_up(&wanted);
    if (wanted.error == EAI_NONAME) {
        wanted.flags = 0;
        status = bp_offload(look_up, &wanted);
    }
    if (status != 0)
        return status == BP_CANCELED ? status : wire_fail(wire, "too busy to look the name up");
    if (wanted.error != 0)
        return wire_fail(wire, "name look-up: %s", gai_strerror(wanted.error));
    *ret_found = wanted.found;
    return 0;
}

static int finish_connect(int fd, bp_time until)
{
    int error = 0;
    socklen_t len = sizeof(error);
    int status = bp_wait_fd(fd, BP_WRITABLE, until - bp_clock());
    if (status == BP_CANCELED)
        return status;
    if (status != 0)
        error = ETIMEDOUT;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    return error;
}

/* 0, an errno, or BP_CANCELED. */
static int connect_to(const struct sockaddr *address, socklen_t len, bp_time until, int *ret_fd)
{
    int one = 1, error = 0;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, address, len) != 0)
        error = errno == EINPROGRESS ? finish_connect(fd, until) : errno;
    if (error != 0) {
        close(fd);
        return error;
    }
    if (address->sa_family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    }
    *ret_fd = fd;
    return 0;
}

static int connect_local(struct wire *wire, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int error;
    memcpy(address.sun_path, path, strnlen(path, sizeof(address.sun_path) - 1));
    error = connect_to((const struct sockaddr *)&address, sizeof(address), 0, &wire->fd);
    return error ? wire_fail(wire, "connect: %s", strerror(error)) : 0;
}

int socket_connect(struct wire *wire, const struct redis_endpoint *endpoint, bp_time until)
{
    struct addrinfo *found = NULL;
    int error = 0, status, left = 0;
    bp_span timeout = until - bp_clock();
    if (endpoint->local)
        return connect_local(wire, endpoint->host);
    status = resolve(wire, endpoint, &found);
    if (status != 0)
        return status;
    /* The look-up took its own time. Each address gets its share, so that one which is dead does not hide the next. */
    until = bp_clock() + timeout;
    for (struct addrinfo *address = found; address; address = address->ai_next)
        left++;
    for (struct addrinfo *address = found; address && wire->fd < 0 && error != BP_CANCELED;
         address = address->ai_next) {
        bp_time now = bp_clock();
        error = connect_to(address->ai_addr, address->ai_addrlen, now + (until - now) / left--, &wire->fd);
    }
    freeaddrinfo(found);
    if (error == BP_CANCELED)
        return error;
    return error ? wire_fail(wire, "connect: %s", strerror(error)) : 0;
}
