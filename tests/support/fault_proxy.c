/* SPDX-License-Identifier: MIT */
#include "tests/support/fault_proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/service.h"

enum { PAIRS_MAX = 256, BUFFER = 64 * 1024, BACKLOG = 128 };
enum mode { PASS, BLACK_HOLE, REFUSE };

/* What goes one way. */
struct flow {
    int from, to;
    char *bytes;
    size_t len, sent;
    long long due; /* when they may go, in milliseconds */
    bool ended;    /* from has said all, and to has been told */
};

struct pair {
    struct flow up, down; /* client to target, and back */
    bool open;
};

/* The thread holds the lock whenever it does not wait. A command has to end its wait first: a socket that is polled does not close. */
struct fault_proxy {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int wake, listener, port, target;
    unsigned commands; /* that want the lock, and the thread out of poll() */
    bool polling;
    enum mode mode;
    unsigned delay;
    bool quit, cut_all, has_cut;
    size_t cut_after; /* bytes until the cut; 0: none is to come */
    unsigned connections, accepted;
    struct pair pairs[PAIRS_MAX];
};

static int listen_on(int *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((unsigned short)*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        service_fail("the fault proxy cannot listen on port %d: %s", *port, strerror(errno));
    *port = ntohs(address.sin_port);
    return fd;
}

static void hang_up(int fd, bool reset)
{
    const struct linger now = {.l_onoff = 1};
    if (reset)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}

static void close_pair(struct fault_proxy *proxy, struct pair *pair, bool reset)
{
    hang_up(pair->up.from, reset);
    hang_up(pair->up.to, reset);
    free(pair->up.bytes);
    free(pair->down.bytes);
    *pair = (struct pair){.open = false};
    proxy->connections--;
}

static void close_all(struct fault_proxy *proxy)
{
    for (size_t i = 0; i < PAIRS_MAX; i++)
        if (proxy->pairs[i].open)
            close_pair(proxy, &proxy->pairs[i], true);
}

static int dial(int port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 && errno != EINPROGRESS) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void take(struct fault_proxy *proxy)
{
    const int on = 1;
    int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    size_t i = 0;
    if (client < 0)
        return;
    proxy->accepted++;
    while (i < PAIRS_MAX && proxy->pairs[i].open)
        i++;
    int target = i < PAIRS_MAX ? dial(proxy->target) : -1;
    if (target < 0) {
        hang_up(client, true);
        return;
    }
    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(target, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    proxy->pairs[i] = (struct pair){.up = {.from = client, .to = target, .bytes = malloc(BUFFER)},
                                    .down = {.from = target, .to = client, .bytes = malloc(BUFFER)},
                                    .open = true};
    if (!proxy->pairs[i].up.bytes || !proxy->pairs[i].down.bytes)
        service_fail("no memory for the fault proxy");
    proxy->connections++;
}

/* Passes on what is due. False when the pair is closed. */
static bool pass_on(struct fault_proxy *proxy, struct pair *pair, struct flow *flow)
{
    if (flow->len == 0 || service_milliseconds() < flow->due)
        return true;
    size_t len = flow->len - flow->sent;
    bool counted = flow == &pair->down && proxy->cut_after > 0;
    if (counted && len > proxy->cut_after)
        len = proxy->cut_after;
    ssize_t n = send(flow->to, flow->bytes + flow->sent, len, MSG_NOSIGNAL);
    if (n < 0) {
        if (errno == EAGAIN || errno == EINTR || errno == ENOTCONN)
            return true;
        close_pair(proxy, pair, true);
        return false;
    }
    flow->sent += (size_t)n;
    if (flow->sent == flow->len)
        flow->len = flow->sent = 0;
    if (!counted || (proxy->cut_after -= (size_t)n) > 0)
        return true;
    proxy->has_cut = true;
    if (proxy->cut_all)
        close_all(proxy);
    else
        close_pair(proxy, pair, true);
    return false;
}

static bool fetch(struct fault_proxy *proxy, struct pair *pair, struct flow *flow)
{
    if (flow->len > 0 || flow->ended)
        return true;
    ssize_t n = recv(flow->from, flow->bytes, BUFFER, 0);
    if (n > 0) {
        flow->len = (size_t)n;
        flow->due = service_milliseconds() + proxy->delay;
        return pass_on(proxy, pair, flow);
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    flow->ended = true;
    shutdown(flow->to, SHUT_WR);
    if (n < 0 || (pair->up.ended && pair->down.ended)) {
        close_pair(proxy, pair, n < 0);
        return false;
    }
    return true;
}

/* What to wait for at a flow: whether it can be read, or written, or (with a delay) only the time. */
static void want(const struct flow *flow, struct pollfd *from, struct pollfd *to, int *timeout)
{
    if (flow->len > 0) {
        long long left = flow->due - service_milliseconds();
        if (left <= 0)
            to->events |= POLLOUT;
        else if (*timeout < 0 || left < *timeout)
            *timeout = (int)left;
    } else if (!flow->ended) {
        from->events |= POLLIN;
    }
}

static void turn(struct fault_proxy *proxy)
{
    struct pollfd fds[2 + 2 * PAIRS_MAX];
    int timeout = -1;
    nfds_t count = 2;
    fds[0] = (struct pollfd){.fd = proxy->wake, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = proxy->mode == PASS ? proxy->listener : -1, .events = POLLIN};
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        struct pair *pair = &proxy->pairs[i];
        if (!pair->open || proxy->mode != PASS)
            continue;
        fds[count] = (struct pollfd){.fd = pair->up.from};
        fds[count + 1] = (struct pollfd){.fd = pair->up.to};
        want(&pair->up, &fds[count], &fds[count + 1], &timeout);
        want(&pair->down, &fds[count + 1], &fds[count], &timeout);
        for (nfds_t j = count; j < count + 2; j++)
            if (fds[j].events == 0) /* a hang-up that nobody asked for would not let us wait */
                fds[j].fd = -1;
        count += 2;
    }
    proxy->polling = true;
    pthread_mutex_unlock(&proxy->lock);
    (void)poll(fds, count, timeout);
    pthread_mutex_lock(&proxy->lock);
    proxy->polling = false;
    if (fds[0].revents) {
        uint64_t times;
        (void)!read(proxy->wake, &times, sizeof(times));
    }
    if (proxy->commands > 0) {
        pthread_cond_broadcast(&proxy->changed);
        while (proxy->commands > 0)
            pthread_cond_wait(&proxy->changed, &proxy->lock);
        return;
    }
    if (proxy->mode != PASS)
        return;
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        struct pair *pair = &proxy->pairs[i];
        (void)(pair->open && pass_on(proxy, pair, &pair->up) && pass_on(proxy, pair, &pair->down) &&
               fetch(proxy, pair, &pair->up) && fetch(proxy, pair, &pair->down));
    }
    take(proxy);
}

static void *run(void *argument)
{
    struct fault_proxy *proxy = argument;
    pthread_mutex_lock(&proxy->lock);
    while (!proxy->quit)
        turn(proxy);
    pthread_mutex_unlock(&proxy->lock);
    return NULL;
}

struct fault_proxy *fault_proxy_start(int target)
{
    struct fault_proxy *proxy = calloc(1, sizeof(*proxy));
    if (!proxy)
        service_fail("no memory for the fault proxy");
    proxy->target = target;
    proxy->listener = listen_on(&proxy->port);
    proxy->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&proxy->lock, NULL);
    pthread_cond_init(&proxy->changed, NULL);
    if (proxy->wake < 0 || pthread_create(&proxy->thread, NULL, run, proxy) != 0)
        service_fail("the fault proxy does not start: %s", strerror(errno));
    return proxy;
}

static void command(struct fault_proxy *proxy)
{
    const uint64_t once = 1;
    pthread_mutex_lock(&proxy->lock);
    proxy->commands++;
    (void)!write(proxy->wake, &once, sizeof(once));
    while (proxy->polling)
        pthread_cond_wait(&proxy->changed, &proxy->lock);
}

static void commanded(struct fault_proxy *proxy)
{
    proxy->commands--;
    pthread_cond_broadcast(&proxy->changed);
    pthread_mutex_unlock(&proxy->lock);
}

struct fault_proxy *fault_proxy_stop(struct fault_proxy *proxy)
{
    if (!proxy)
        return NULL;
    command(proxy);
    proxy->quit = true;
    commanded(proxy);
    pthread_join(proxy->thread, NULL);
    close_all(proxy);
    if (proxy->listener >= 0)
        close(proxy->listener);
    close(proxy->wake);
    pthread_cond_destroy(&proxy->changed);
    pthread_mutex_destroy(&proxy->lock);
    free(proxy);
    return NULL;
}

int fault_proxy_port(const struct fault_proxy *proxy)
{
    return proxy->port;
}

static void change(struct fault_proxy *proxy, enum mode mode, unsigned delay)
{
    command(proxy);
    if (mode == REFUSE) {
        close_all(proxy);
        if (proxy->listener >= 0)
            close(proxy->listener);
        proxy->listener = -1;
    } else if (proxy->listener < 0) {
        proxy->listener = listen_on(&proxy->port);
    }
    proxy->mode = mode;
    proxy->delay = delay;
    proxy->cut_after = 0;
    commanded(proxy);
}

void fault_proxy_pass(struct fault_proxy *proxy)
{
    change(proxy, PASS, 0);
}

void fault_proxy_delay(struct fault_proxy *proxy, unsigned milliseconds)
{
    change(proxy, PASS, milliseconds);
}

void fault_proxy_black_hole(struct fault_proxy *proxy)
{
    change(proxy, BLACK_HOLE, 0);
}

void fault_proxy_refuse(struct fault_proxy *proxy)
{
    change(proxy, REFUSE, 0);
}

void fault_proxy_cut(struct fault_proxy *proxy)
{
    command(proxy);
    close_all(proxy);
    commanded(proxy);
}

void fault_proxy_cut_after(struct fault_proxy *proxy, size_t bytes, bool all)
{
    command(proxy);
    proxy->cut_after = bytes;
    proxy->cut_all = all;
    proxy->has_cut = false;
    commanded(proxy);
}

bool fault_proxy_has_cut(struct fault_proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    bool has_cut = proxy->has_cut;
    pthread_mutex_unlock(&proxy->lock);
    return has_cut;
}

unsigned fault_proxy_connections(struct fault_proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    unsigned connections = proxy->connections;
    pthread_mutex_unlock(&proxy->lock);
    return connections;
}

unsigned fault_proxy_accepted(struct fault_proxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    unsigned accepted = proxy->accepted;
    pthread_mutex_unlock(&proxy->lock);
    return accepted;
}
