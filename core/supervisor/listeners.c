/* SPDX-License-Identifier: MIT */
#include "core/supervisor/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "backplane/status.h"

#define ACTIVATION_FIRST 3 /* sd_listen_fds(3) */

struct opening {
    struct listeners *listeners;
    struct buffer *problems;
    const struct config_listen *config;
    bool failed;
};

static void __attribute__((format(printf, 2, 3))) fail(struct opening *opening, const char *format, ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    buffer_printf(opening->problems, "cannot listen on %" BP_STR_FMT ": %s\n", BP_STR_ARG(opening->config->address),
                  text);
    opening->failed = true;
}

static void describe(struct listener *listener)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof(address);
    char host[64], port[16];

    (void)snprintf(listener->url, sizeof(listener->url), "fd:%d", listener->fd);
    if (getsockname(listener->fd, (struct sockaddr *)&address, &len) != 0)
        return;
    if (address.ss_family == AF_UNIX) {
        const struct sockaddr_un *local = (const struct sockaddr_un *)&address;
        (void)snprintf(listener->url, sizeof(listener->url), "http://unix:%.*s", (int)sizeof(local->sun_path),
                       len > offsetof(struct sockaddr_un, sun_path) ? local->sun_path : "");
    } else if (getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
                           NI_NUMERICHOST | NI_NUMERICSERV) == 0) {
        (void)snprintf(listener->url, sizeof(listener->url),
                       address.ss_family == AF_INET6 ? "http://[%s]:%s" : "http://%s:%s", host, port);
    }
}

static struct listener *add(struct opening *opening, int fd)
{
    struct listeners *listeners = opening->listeners;
    if (listeners->count == LISTENERS_MAX) {
        fail(opening, "more than %u sockets", LISTENERS_MAX);
        (void)close(fd);
        return NULL;
    }
    struct listener *listener = &listeners->items[listeners->count++];
    memset(listener, 0, sizeof(*listener));
    listener->fd = fd;
    listener->proxy_protocol = opening->config->proxy_protocol;
    listener->backlog = opening->config->backlog;
    listener->unix_mode = (mode_t)opening->config->unix_mode;
    (void)snprintf(listener->address, sizeof(listener->address), "%" BP_STR_FMT, BP_STR_ARG(opening->config->address));
    if (opening->config->name)
        (void)snprintf(listener->name, sizeof(listener->name), "%s", opening->config->name);
    describe(listener);
    return listener;
}

/* ---- inherited ---- */

static void take(struct opening *opening, int fd)
{
    int listening = 0, flags = fcntl(fd, F_GETFL);
    socklen_t len = sizeof(listening);

    if (flags < 0)
        fail(opening, "descriptor %d is not open", fd);
    else if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 || !listening)
        fail(opening, "descriptor %d is not a listening socket", fd);
    else if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        fail(opening, "descriptor %d: %s", fd, strerror(errno));
    else
        (void)add(opening, fd);
}

static unsigned activated(void)
{
    const char *process = getenv("LISTEN_PID"), *number = getenv("LISTEN_FDS");
    uint64_t pid, count;

    if (!process || !number || !bp_str_to_u64(bp_str_of(process), &pid) || pid != (uint64_t)getpid() ||
        !bp_str_to_u64(bp_str_of(number), &count) || count > LISTENERS_MAX)
        return 0;
    return (unsigned)count;
}

/* The index-th of LISTEN_FDNAMES, where an address has that name; else NULL. */
static const char *activated_name(const struct config_listen *addresses, size_t count, unsigned index)
{
    const char *at = getenv("LISTEN_FDNAMES");
    for (unsigned i = 0; at && i < index; i++) {
        at = strchr(at, ':');
        at = at ? at + 1 : NULL;
    }
    bp_str name = at ? bp_str_n(at, strcspn(at, ":")) : bp_str_n(NULL, 0);
    for (size_t i = 0; i < count; i++)
        if (addresses[i].name && bp_str_is(name, addresses[i].name))
            return addresses[i].name;
    return NULL;
}

static void take_activated(struct opening *opening, unsigned count, const struct config_listen *addresses,
                           size_t address_count)
{
    for (unsigned i = 0; i < count; i++) {
        char name[24];
        struct config_listen config = {0};
        (void)snprintf(name, sizeof(name), "fd:%u", ACTIVATION_FIRST + i);
        config.address = bp_str_of(name);
        config.proxy_protocol = i < address_count && addresses[i].proxy_protocol;
        config.name = activated_name(addresses, address_count, i);
        opening->config = &config;
        take(opening, (int)(ACTIVATION_FIRST + i));
    }
    for (unsigned i = 0; i < opening->listeners->count; i++)
        opening->listeners->items[i].address[0] = '\0';
    /* Not for our children. */
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
}

/* ---- Unix sockets ---- */

/* False when something else is there. */
static bool remove_stale(struct opening *opening, const struct sockaddr_un *address)
{
    struct stat status;

    if (lstat(address->sun_path, &status) != 0)
        return true; /* bind() will say what is wrong, if anything */
    if (!S_ISSOCK(status.st_mode)) {
        fail(opening, "the file exists and is not a socket");
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answers = fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN);
    if (fd >= 0)
        (void)close(fd);
    if (answers) {
        fail(opening, "another server answers there");
        return false;
    }
    (void)unlink(address->sun_path);
    return true;
}

static void open_unix(struct opening *opening, bp_str path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;

    if (path.len == 0 || path.len >= sizeof(address.sun_path)) {
        fail(opening, "a path has from 1 to %zu bytes", sizeof(address.sun_path) - 1);
        return;
    }
    memcpy(address.sun_path, path.ptr, path.len);
    if (!remove_stale(opening, &address))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The mode holds from the first moment. */
    mode_t before = umask((mode_t)(0777 & ~opening->config->unix_mode));
    int r = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&address, sizeof(address));
    int error = errno;
    (void)umask(before);
    if (r == 0 && listen(fd, (int)opening->config->backlog) != 0) {
        r = -1;
        error = errno;
        (void)unlink(address.sun_path);
    }
    if (r != 0) {
        fail(opening, "%s", strerror(error));
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    struct listener *listener = add(opening, fd);
    if (!listener) {
        (void)unlink(address.sun_path);
        return;
    }
    memcpy(listener->path, address.sun_path, path.len);
    if (lstat(listener->path, &status) == 0) {
        listener->device = status.st_dev;
        listener->inode = status.st_ino;
    }
}

/* ---- TCP ---- */

static int bind_tcp(const struct sockaddr *address, socklen_t len, bool v6_only, uint32_t backlog)
{
    int one = 1, only = v6_only;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        (address->sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) != 0) ||
        bind(fd, address, len) != 0 || listen(fd, (int)backlog) != 0) {
        int error = errno;
        (void)close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static void open_any(struct opening *opening, uint16_t port)
{
    struct sockaddr_in6 both = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};

    int fd = bind_tcp((struct sockaddr *)&both, sizeof(both), false, opening->config->backlog);
    if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) /* a kernel without IPv6 */
        fd = bind_tcp((struct sockaddr *)&four, sizeof(four), false, opening->config->backlog);
    if (fd < 0)
        fail(opening, "%s", strerror(errno));
    else
        (void)add(opening, fd);
}

static void open_named(struct opening *opening, bp_str host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *found = NULL;
    char name[256];
    int error = 0;
    bool any = false;

    if (host.len >= sizeof(name)) {
        fail(opening, "the host is too long");
        return;
    }
    (void)snprintf(name, sizeof(name), "%" BP_STR_FMT, BP_STR_ARG(host));
    int r = getaddrinfo(name, port, &hints, &found);
    if (r != 0) {
        fail(opening, "%s", gai_strerror(r));
        return;
    }
    for (const struct addrinfo *at = found; at; at = at->ai_next) {
        int fd = bind_tcp(at->ai_addr, at->ai_addrlen, true, opening->config->backlog);
        if (fd >= 0)
            any = add(opening, fd) != NULL || any;
        else if (errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT)
            error = errno; /* an address that this machine lacks is no reason to fail while another works */
        else if (!any && error == 0)
            error = -errno;
    }
    freeaddrinfo(found);
    if (error > 0 || !any)
        fail(opening, "%s", strerror(error < 0 ? -error : error));
}

static void open_address(struct opening *opening)
{
    bp_str address = opening->config->address;
    char port[8];
    uint64_t number;

    if (bp_str_starts(address, BP_STR("unix:"))) {
        open_unix(opening, bp_str_n(address.ptr + 5, address.len - 5));
        return;
    }
    if (bp_str_starts(address, BP_STR("fd:"))) {
        if (bp_str_to_u64(bp_str_n(address.ptr + 3, address.len - 3), &number) && number <= 65535)
            take(opening, (int)number);
        else
            fail(opening, "write fd: and a descriptor's number");
        return;
    }
    const char *colon = address.len > 0 ? memrchr(address.ptr, ':', address.len) : NULL;
    bp_str host = bp_str_n(address.ptr, colon ? (size_t)(colon - address.ptr) : 0);
    if (!colon || host.len == 0 || !bp_str_to_u64(bp_str_n(colon + 1, address.len - host.len - 1), &number) ||
        number > 65535) {
        fail(opening, "write it as host:port, with a port from 0 to 65535");
        return;
    }
    if (bp_str_is(host, "*")) {
        open_any(opening, (uint16_t)number);
        return;
    }
    if (host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = bp_str_n(host.ptr + 1, host.len - 2);
    else if (memchr(host.ptr, ':', host.len)) {
        fail(opening, "an IPv6 address stands in brackets");
        return;
    }
    (void)snprintf(port, sizeof(port), "%u", (unsigned)number);
    open_named(opening, host, port);
}

int listeners_open(const struct config_listen *addresses, size_t count, struct listeners *ret_listeners,
                   unsigned *ret_inherited, struct buffer *problems)
{
    struct opening opening = {.listeners = ret_listeners, .problems = problems};
    unsigned inherited = activated();

    ret_listeners->count = 0;
    take_activated(&opening, inherited, addresses, count);
    for (size_t i = 0; i < count; i++) {
        opening.config = &addresses[i];
        if (inherited == 0 || bp_str_starts(addresses[i].address, BP_STR("fd:")))
            open_address(&opening);
    }
    if (opening.failed) {
        listeners_close(ret_listeners);
        return BP_ERROR;
    }
    *ret_inherited = inherited;
    return 0;
}

/* ---- of a server that runs ---- */

/* Those that are open for the address, with what the configuration says of it now. False: there are none. */
static bool take_over(struct opening *opening, const struct listeners *open)
{
    struct listeners *listeners = opening->listeners;
    bool any = false;

    for (unsigned i = 0; i < open->count; i++) {
        if (!open->items[i].address[0] || !bp_str_is(opening->config->address, open->items[i].address))
            continue;
        if (listeners->count == LISTENERS_MAX) {
            fail(opening, "more than %u sockets", LISTENERS_MAX);
            return true;
        }
        struct listener *listener = &listeners->items[listeners->count++];
        *listener = open->items[i];
        listener->taken_over = any = true;
        listener->proxy_protocol = opening->config->proxy_protocol;
        listener->backlog = opening->config->backlog;
        listener->unix_mode = (mode_t)opening->config->unix_mode;
        (void)snprintf(listener->name, sizeof(listener->name), "%s",
                       opening->config->name ? opening->config->name : "");
    }
    return any;
}

static bool is_repeated(const struct config_listen *addresses, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (bp_str_eq(addresses[i].address, addresses[index].address))
            return true;
    return false;
}

int listeners_reopen(const struct config_listen *addresses, size_t count, const struct listeners *open,
                     struct listeners *ret_listeners, struct buffer *problems)
{
    struct opening opening = {.listeners = ret_listeners, .problems = problems};
    bool activated = false;

    ret_listeners->count = 0;
    for (unsigned i = 0; i < open->count; i++)
        if (!open->items[i].address[0]) {
            activated = true;
            ret_listeners->items[ret_listeners->count] = open->items[i];
            ret_listeners->items[ret_listeners->count].proxy_protocol = i < count && addresses[i].proxy_protocol;
            ret_listeners->items[ret_listeners->count++].taken_over = true;
        }
    for (size_t i = 0; i < count; i++) {
        opening.config = &addresses[i];
        if (activated && !bp_str_starts(addresses[i].address, BP_STR("fd:")))
            continue;
        if (is_repeated(addresses, i))
            fail(&opening, "it is there twice");
        else if (!take_over(&opening, open))
            open_address(&opening);
    }
    if (!opening.failed)
        return 0;
    listeners_close(ret_listeners);
    return BP_ERROR;
}

static bool has(const struct listeners *listeners, int fd)
{
    for (unsigned i = 0; i < listeners->count; i++)
        if (listeners->items[i].fd == fd)
            return true;
    return false;
}

static void close_listener(const struct listener *listener)
{
    struct stat status;
    if (listener->path[0] && lstat(listener->path, &status) == 0 && status.st_dev == listener->device &&
        status.st_ino == listener->inode)
        (void)unlink(listener->path);
    (void)close(listener->fd);
}

void listeners_exchange(struct listeners *open, struct listeners *next)
{
    for (unsigned i = 0; i < open->count; i++)
        if (!has(next, open->items[i].fd))
            close_listener(&open->items[i]);
    *open = *next;
    next->count = 0;
    for (unsigned i = 0; i < open->count; i++) {
        struct listener *listener = &open->items[i];
        if (listener->taken_over && listener->address[0]) { /* while it listens, that only changes the backlog */
            (void)listen(listener->fd, (int)listener->backlog);
            if (listener->path[0])
                (void)chmod(listener->path, listener->unix_mode);
        }
        listener->taken_over = false;
    }
}

void listeners_close(struct listeners *listeners)
{
    for (unsigned i = 0; i < listeners->count; i++)
        if (!listeners->items[i].taken_over)
            close_listener(&listeners->items[i]);
    listeners->count = 0;
}
