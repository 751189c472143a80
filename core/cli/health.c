/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/cli/load.h"
#include "core/config/config.h"
#include "core/plugin/endpoints.h"

#define TIMEOUT_SECONDS 5

static const char request[] = "GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/* A header of the PROXY protocol that says: no client, only a check. */
static const char local_header[16] = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n', 0x20};

static int open_socket(int family, const struct sockaddr *address, socklen_t len)
{
    const struct timeval timeout = {.tv_sec = TIMEOUT_SECONDS};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0 && connect(fd, address, len) == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_unix(bp_str path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path.len >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path.ptr, path.len);
    return open_socket(AF_UNIX, (const struct sockaddr *)&address, sizeof(address));
}

static int connect_tcp(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int fd = -1;
    if (getaddrinfo(host, port, &hints, &list) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    for (const struct addrinfo *item = list; item && fd < 0; item = item->ai_next)
        fd = open_socket(item->ai_family, item->ai_addr, item->ai_addrlen);
    freeaddrinfo(list);
    return fd;
}

/* A wildcard address is listened on; what reaches it from here is loopback. */
static const char *reachable(const char *host)
{
    if (strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0 || host[0] == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

static int connect_to(bp_str address)
{
    char text[256];
    if (bp_str_starts(address, BP_STR("unix:")))
        return connect_unix(bp_str_n(address.ptr + 5, address.len - 5));
    if (address.len >= sizeof(text)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(text, address.ptr, address.len);
    text[address.len] = 0;
    char *colon = strrchr(text, ':');
    if (!colon || bp_str_starts(address, BP_STR("fd:"))) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    char *host = text;
    *colon = 0;
    if (host[0] == '[' && colon[-1] == ']') {
        colon[-1] = 0;
        host++;
    }
    return connect_tcp(reachable(host), colon + 1);
}

/* The status of the reply, 0 when there was none. */
static unsigned ask(int fd, bool proxied)
{
    char reply[64];
    size_t len = 0;
    unsigned status = 0;
    if (proxied && send(fd, local_header, sizeof(local_header), MSG_NOSIGNAL) != (ssize_t)sizeof(local_header))
        return 0;
    if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(request) - 1)
        return 0;
    for (ssize_t got = 1; len < sizeof(reply) - 1 && got > 0; len += got > 0 ? (size_t)got : 0)
        got = recv(fd, reply + len, sizeof(reply) - 1 - len, 0);
    reply[len] = 0;
    return sscanf(reply, "HTTP/1.%*1[01] %3u", &status) == 1 ? status : 0;
}

/* The first that serves the route; one without the PROXY protocol, which would have to be trusted, before one with it. */
static const struct config_listen *find_listen(const struct config *config)
{
    const struct config_listen *listens = config->server.listen.ptr, *found = NULL;
    const struct config_route *route = endpoints_entry(config, BP_STR("/health/ready"));
    const char *wanted = route ? route->listener : NULL;
    for (size_t i = 0; i < config->server.listen.len; i++) {
        const char *name = listens[i].name;
        bool serves = name && wanted ? strcmp(name, wanted) == 0 : !name && !wanted;
        if (serves && (!found || (found->proxy_protocol && !listens[i].proxy_protocol)))
            found = &listens[i];
    }
    return found;
}

static int check(const struct config *config)
{
    const struct config_listen *listen = find_listen(config);
    if (!listen) {
        fputs("backplane: the configuration has no listener for /health/ready\n", stderr);
        return CLI_FAILED;
    }
    bp_str address = listen->address;
    int fd = connect_to(address);
    if (fd < 0) {
        fprintf(stderr, "not ready: cannot connect to %" BP_STR_FMT ": %s\n", BP_STR_ARG(address), strerror(errno));
        return CLI_FAILED;
    }
    unsigned status = ask(fd, listen->proxy_protocol);
    close(fd);
    if (status == 200) {
        puts("ready");
        return CLI_OK;
    }
    if (status)
        fprintf(stderr, "not ready: %" BP_STR_FMT " answered %u\n", BP_STR_ARG(address), status);
    else
        fprintf(stderr, "not ready: %" BP_STR_FMT " gave no HTTP answer within %d s\n", BP_STR_ARG(address),
                TIMEOUT_SECONDS);
    return CLI_FAILED;
}

int cli_health(const struct cli_options *options)
{
    struct config *config = cli_load_config(options, true);
    int result = config ? check(config) : CLI_FAILED;
    config_free(config);
    return result;
}
