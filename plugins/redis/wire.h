/* SPDX-License-Identifier: MIT */
/* One connection to the server, plain or TLS: bytes out, replies in. Nothing here but wire_open() suspends. */
#ifndef REDIS_WIRE_H
#define REDIS_WIRE_H

#include <openssl/ssl.h>

#include "backplane/backplane.h"
#include "reply.h"
#include "url.h"

#define WIRE_REASON BP_HEALTH_DETAIL

struct wire {
    int fd; /* -1: closed */
    SSL *ssl;
    redisReader *reader;
    struct reply_budget budget;
    bool drained;             /* nothing was left behind by the last read: the descriptor will say when there is more */
    unsigned waits_for;       /* what the last WIRE_WAIT waits for: BP_READABLE, BP_WRITABLE */
    char reason[WIRE_REASON]; /* why it could not be opened, or why it ended */
};

/* What wire_open() connects to, and how. */
struct wire_target {
    const struct redis_endpoint *endpoint;
    SSL_CTX *tls;       /* with endpoint->tls */
    bp_str server_name; /* to verify; empty: the host */
    const char *client_name;
    bp_span timeout; /* of all of it; the look-up of a name is not bounded by it */
    size_t reply_limit;
};

enum wire_condition { WIRE_WAIT = 1 }; /* not now */

/* Looks the name up (off the loop), connects, shakes hands (TLS), logs in, selects the database, and lets the server
 * answer a PING. 0; BP_BUSY with wire->reason; BP_CANCELED. Suspends. wire is closed before and unless 0. */
int wire_open(struct wire *wire, const struct wire_target *target);
void wire_close(struct wire *wire);
/* Notes the reason, keeping an earlier one, and returns BP_BUSY. */
int wire_fail(struct wire *wire, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Takes what has arrived. 0: something did; WIRE_WAIT; BP_BUSY: the connection has ended. */
int wire_read(struct wire *wire);
/* The next whole reply of what was read, NULL when there is none; the caller frees it. 0 or BP_BUSY. */
int wire_next(struct wire *wire, struct reply **ret_reply);
/* Writes some of it: 0, WIRE_WAIT (nothing was; again with the same bytes at least), BP_BUSY. */
int wire_write(struct wire *wire, const char *bytes, size_t len, size_t *ret_written);

/* A context for TLS from files (empty: none; without ca the system's). NULL: reason says why. Blocks for reading them. */
struct tls_files {
    bp_str ca, certificate, key;
    bool verify;
};
SSL_CTX *tls_context_new(const struct tls_files *files, char reason[WIRE_REASON]);
/* The client's side of a TLS connection on the wire's descriptor. False: wire->reason. */
bool tls_attach(struct wire *wire, SSL_CTX *context, const char *server_name);
/* What follows a call of OpenSSL that did not do its work: WIRE_WAIT or BP_BUSY. */
int tls_result(struct wire *wire, int result);

/* A connected socket in wire->fd, until then. 0, BP_BUSY, BP_CANCELED. Suspends. */
int socket_connect(struct wire *wire, const struct redis_endpoint *endpoint, bp_time until);

#endif
