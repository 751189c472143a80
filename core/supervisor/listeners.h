/* SPDX-License-Identifier: MIT */
/* The sockets that the server listens on: opened once, by the supervisor, and inherited by every worker. */
#ifndef CORE_SUPERVISOR_LISTENERS_H
#define CORE_SUPERVISOR_LISTENERS_H

#include <sys/types.h>

#include "core/base/buffer.h"
#include "core/config/config.h"

#define LISTENERS_MAX 64u

struct listener {
    int fd;                         /* non-blocking, close-on-exec */
    char name[CONFIG_NAME_MAX + 1]; /* empty: none */
    char url[160];                  /* "http://127.0.0.1:3000", "http://unix:/run/x.sock" */
    char path[112];                 /* of a Unix socket that we made, else empty */
    dev_t device;                   /* … and what it was, so that nobody else's is removed */
    ino_t inode;
    bool proxy_protocol;
    /* What it was opened for. */
    char address[280]; /* as configured; empty: handed over by the service manager */
    uint32_t backlog;
    mode_t unix_mode;
    bool taken_over; /* of a listeners_reopen(): it is the open socket of the set before */
};
struct listeners {
    struct listener items[LISTENERS_MAX];
    unsigned count;
};

/*
 * Opens every address: "127.0.0.1:3000", "[::1]:3000" (IPv6 only), "name:3000" (each address of the name), "*:3000" (IPv4 and IPv6),
 * "unix:/run/x.sock" (a stale socket is replaced, one that answers is not), "fd:3" (already listening). When the service
 * manager hands sockets over (LISTEN_FDS), those are used and only fd: addresses beside them; *ret_inherited says how many. The first
 * of them has the proxy_protocol of the first address, and so on; one whose name (LISTEN_FDNAMES) is that of an address is a
 * listener of that name.
 * All that is wrong goes into problems, a line each, and BP_ERROR is returned with nothing left open.
 */
int listeners_open(const struct config_listen *addresses, size_t count, struct listeners *ret_listeners,
                   unsigned *ret_inherited, struct buffer *problems);
/*
 * The same for another configuration of a server that runs: a socket that is open for the same address is taken over, as it is, and so are those of the
 * service manager, all of them. Until listeners_exchange() nothing of the open ones has changed; listeners_close() closes only what is new.
 */
int listeners_reopen(const struct config_listen *addresses, size_t count, const struct listeners *open,
                     struct listeners *ret_listeners, struct buffer *problems);
/* Takes the ones of listeners_reopen() in place of those that were open: what is not among them is closed. Empties next. */
void listeners_exchange(struct listeners *open, struct listeners *next);
/* Closes them; also removes Unix sockets that we made. */
void listeners_close(struct listeners *listeners);

#endif
