/* SPDX-License-Identifier: MIT */
/*
 * The admin socket: BACKPLANE_DATA/admin.sock, for whoever may act as the server's user. A client sends one line and reads a JSON object to the
 * end. Everything about it is bounded: clients, their line, their time. Never blocks.
 */
#ifndef CORE_SUPERVISOR_ADMIN_H
#define CORE_SUPERVISOR_ADMIN_H

#include <poll.h>
#include <sys/un.h>

#include "backplane/clock.h"
#include "core/base/buffer.h"

#define ADMIN_SOCKET "admin.sock"
#define ADMIN_CLIENTS 8u
#define ADMIN_LINE 256u

/* The others: later, by admin_settle(). */
enum admin_answer { ADMIN_ANSWERED, ADMIN_METRICS, ADMIN_RELOAD /* with all the time that takes */ };

struct admin_client {
    int fd; /* -1: free */
    bp_time until;
    bool reading;
    enum admin_answer waits; /* ADMIN_ANSWERED: for nothing */
    size_t len, sent;
    struct buffer out;
    char line[ADMIN_LINE];
};

struct admin {
    int fd; /* -1: there is none */
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    struct admin_client clients[ADMIN_CLIENTS];
    /* Writes the answer to a line of printable ASCII into out, without a line feed. */
    enum admin_answer (*answer)(void *argument, bp_str line, struct buffer *out);
    void *argument;
};

/* Opens the socket, mode 0600, in place of one that an earlier server left: the caller holds the folder's lock. answer and argument are set.
 * BP_ERROR: a line in problems says why, and there is none. */
int admin_open(struct admin *admin, bp_str folder, struct buffer *problems);
/* Also removes the file. */
void admin_close(struct admin *admin);

/* The descriptors to poll: 1 + ADMIN_CLIENTS entries, fd -1 where there is none. */
#define ADMIN_POLLED (1u + ADMIN_CLIENTS)
void admin_poll(const struct admin *admin, struct pollfd *ret_polled);
void admin_serve(struct admin *admin, const struct pollfd *polled, bp_time now);
/* When a client's time is over; BP_FOREVER. */
bp_time admin_due(const struct admin *admin);
/* The answer to all that wait for this one. */
void admin_settle(struct admin *admin, enum admin_answer what, bp_str text);

#endif
