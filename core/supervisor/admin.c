/* SPDX-License-Identifier: MIT */
#include "core/supervisor/admin.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backplane/status.h"

#define PATIENCE (5 * BP_SECOND)

static int fail(const struct admin *admin, const char *what, int fd, struct buffer *problems)
{
    buffer_printf(problems, "cannot %s the admin socket %s: %s\n", what, admin->path, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return BP_ERROR;
}

int admin_open(struct admin *admin, bp_str folder, struct buffer *problems)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    admin->fd = -1;
    for (unsigned i = 0; i < ADMIN_CLIENTS; i++)
        admin->clients[i].fd = -1;
    int len = snprintf(admin->path, sizeof(admin->path), "%" BP_STR_FMT "/" ADMIN_SOCKET, BP_STR_ARG(folder));
    if (len < 0 || (size_t)len >= sizeof(admin->path)) {
        buffer_printf(problems, "the data folder's name is too long for the admin socket\n");
        return BP_ERROR;
    }
    memcpy(address.sun_path, admin->path, (size_t)len + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fail(admin, "open", fd, problems);
    if (unlink(admin->path) != 0 && errno != ENOENT)
        return fail(admin, "replace", fd, problems);
    mode_t mask = umask(0177); /* no moment in which others may connect */
    int bound = bind(fd, (const struct sockaddr *)&address, sizeof(address));
    (void)umask(mask);
    if (bound != 0)
        return fail(admin, "make", fd, problems);
    if (listen(fd, (int)ADMIN_CLIENTS) != 0)
        return fail(admin, "listen on", fd, problems);
    admin->fd = fd;
    return 0;
}

static void drop(struct admin_client *client)
{
    if (client->fd >= 0)
        (void)close(client->fd);
    buffer_deinit(&client->out);
    *client = (struct admin_client){.fd = -1};
}

void admin_close(struct admin *admin)
{
    if (admin->fd < 0)
        return;
    for (unsigned i = 0; i < ADMIN_CLIENTS; i++)
        drop(&admin->clients[i]);
    (void)close(admin->fd);
    (void)unlink(admin->path);
    admin->fd = -1;
}

static struct admin_client *vacant(struct admin *admin)
{
    for (unsigned i = 0; i < ADMIN_CLIENTS; i++)
        if (admin->clients[i].fd < 0)
            return &admin->clients[i];
    return NULL;
}

void admin_poll(const struct admin *admin, struct pollfd *ret_polled)
{
    bool room = false;

    for (unsigned i = 0; i < ADMIN_CLIENTS; i++) {
        const struct admin_client *client = &admin->clients[i];
        room |= client->fd < 0;
        ret_polled[1 + i] = (struct pollfd){
            .fd = client->fd,
            .events = client->reading ? POLLIN
                      : client->waits ? 0
                                      : POLLOUT,
        };
    }
    /* Who finds all places taken waits in the backlog until one is free, which takes PATIENCE at most. */
    ret_polled[0] = (struct pollfd){.fd = room ? admin->fd : -1, .events = POLLIN};
}

/* The file's mode says so, too; but not every system looks at that of a socket. */
static bool is_trusted(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

static void accept_client(struct admin *admin, bp_time now)
{
    struct admin_client *client = vacant(admin);
    if (!client)
        return;
    int fd = accept4(admin->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (!is_trusted(fd)) {
        (void)close(fd);
        return;
    }
    client->fd = fd;
    client->until = now + PATIENCE;
    client->reading = true;
}

static bool is_printable(bp_str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] < ' ' || line.ptr[i] > '~')
            return false;
    return true;
}

static void answer(struct admin *admin, struct admin_client *client, bp_str line)
{
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    client->reading = false;
    if (!is_printable(line))
        buffer_add(&client->out, BP_STR("{\"error\":\"not a line of printable ASCII\"}"));
    else
        client->waits = admin->answer(admin->argument, line, &client->out);
    if (client->waits == ADMIN_RELOAD)
        client->until = BP_FOREVER;
    if (!client->waits)
        buffer_add_char(&client->out, '\n');
}

static void read_line(struct admin *admin, struct admin_client *client)
{
    ssize_t n = recv(client->fd, client->line + client->len, sizeof(client->line) - client->len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop(client);
        return;
    }
    const char *end = memchr(client->line + client->len, '\n', (size_t)n);
    client->len += (size_t)n;
    if (end) {
        answer(admin, client, bp_str_n(client->line, (size_t)(end - client->line)));
    } else if (client->len == sizeof(client->line)) {
        client->reading = false;
        buffer_add(&client->out, BP_STR("{\"error\":\"the line is too long\"}\n"));
    }
}

static void write_answer(struct admin_client *client)
{
    if (client->out.failed) {
        drop(client);
        return;
    }
    ssize_t n = send(client->fd, client->out.ptr + client->sent, client->out.len - client->sent, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    client->sent += n > 0 ? (size_t)n : 0;
    if (n <= 0 || client->sent == client->out.len)
        drop(client);
}

void admin_serve(struct admin *admin, const struct pollfd *polled, bp_time now)
{
    if (admin->fd < 0)
        return;
    for (unsigned i = 0; i < ADMIN_CLIENTS; i++) {
        struct admin_client *client = &admin->clients[i];
        if (client->fd < 0)
            continue;
        if (polled[1 + i].revents != 0 && client->reading)
            read_line(admin, client);
        else if (polled[1 + i].revents != 0 && client->waits)
            drop(client); /* it hung up */
        if (client->fd >= 0 && !client->reading && !client->waits)
            write_answer(client);
        if (client->fd >= 0 && now >= client->until)
            drop(client);
    }
    if (polled[0].revents != 0)
        accept_client(admin, now);
}

bp_time admin_due(const struct admin *admin)
{
    bp_time due = BP_FOREVER;
    for (unsigned i = 0; admin->fd >= 0 && i < ADMIN_CLIENTS; i++)
        if (admin->clients[i].fd >= 0 && admin->clients[i].until < due)
            due = admin->clients[i].until;
    return due;
}

void admin_settle(struct admin *admin, enum admin_answer what, bp_str text)
{
    for (unsigned i = 0; admin->fd >= 0 && i < ADMIN_CLIENTS; i++) {
        struct admin_client *client = &admin->clients[i];
        if (client->fd < 0 || client->waits != what)
            continue;
        client->waits = ADMIN_ANSWERED;
        client->until = bp_clock() + PATIENCE;
        buffer_add(&client->out, text);
        buffer_add_char(&client->out, '\n');
    }
}
