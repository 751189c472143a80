/* SPDX-License-Identifier: MIT */
/* The HTTP server of one worker: accepts on inherited listeners, owns the connections, runs requests on fibers. */
#ifndef CORE_HTTP_SERVER_H
#define CORE_HTTP_SERVER_H

struct assembly;
struct loop;
struct server;

/* assembly must be started before server_listen(); both outlive the server. */
int server_new(struct loop *loop, struct assembly *assembly, struct server **ret_server);
/* Accepts on fd (listening, non-blocking, shared with other workers; stays open and the caller's): at most 8 a turn, paused at the
 * connection cap and for 100 ms after EMFILE or ENFILE. proxy_protocol: each connection begins with a header that names its client.
 * name: config_listener_name(), NULL for a listener without one; borrowed. */
int server_listen(struct server *server, int fd, const char *name, bool proxy_protocol);
/* An accepted socket, taken over (also from tests: one end of a socketpair). */
int server_take(struct server *server, int fd);
/* Stops accepting and closes idle connections; requests in flight finish, each reply saying Connection: close. Calls drained(argument) once, on the loop,
 * when no connection is left. */
void server_drain(struct server *server, void (*drained)(void *argument), void *argument);
/* The same, but whoever is connected stays: an idle connection until its next reply, a stream as long as it lasts. Or until server_drain(). */
void server_retire(struct server *server, void (*drained)(void *argument), void *argument);
/* Cancels every request and closes every connection. Fibers unwind on the loop; drained is then called as above. */
void server_abort(struct server *server);
/* No connection may be left. Accepts NULL, returns NULL. */
struct server *server_free(struct server *server);

struct server_stats {
    uint64_t connections, requests, accepted;
    uint64_t limit; /* of connections */
};
struct server_stats server_stats(const struct server *server);

#endif
