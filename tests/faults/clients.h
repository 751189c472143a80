/* SPDX-License-Identifier: MIT */
/*
 * Clients that go on while something fails: each has an account of its own, marks its titles, and checks every reply, so that a row of
 * somebody else, a lost write, or one that was refused and took place all the same, is noticed.
 */
#ifndef FAULTS_CLIENTS_H
#define FAULTS_CLIENTS_H

#include <stdbool.h>

#include "tests/support/server.h"

struct clients;

/* Signs up and logs in so many. Until served_by (service_milliseconds()) they may be refused. */
struct clients *clients_new(const struct test_server *server, unsigned count, long long served_by);
/* Puts them to work, each on a thread and a connection. */
void clients_run(struct clients *clients);
/* True when every client has had so many more creates acknowledged within milliseconds. */
bool clients_wait_served(struct clients *clients, unsigned more, int milliseconds);
/* True when together they have been refused so many more times. */
bool clients_wait_refused(struct clients *clients, unsigned more, int milliseconds);
/* Ends their work and fails the test when any reply was wrong: not 2xx, 503 with Retry-After, or 504. */
void clients_stop(struct clients *clients);
/* After clients_stop: asks the database for all rows. Acknowledged: there, once. Refused, or deleted: not there. Outcome unknown: at most once. */
void clients_check(struct clients *clients, const struct test_server *server);
struct clients *clients_free(struct clients *clients); /* NULL */

/* So far, over all of them. */
unsigned clients_acknowledged(const struct clients *clients);
unsigned clients_refused(const struct clients *clients); /* 503, but for those of an unknown outcome */
unsigned clients_unknown(const struct clients *clients);
unsigned clients_timed_out(const struct clients *clients); /* 504 */
/* "Authorization: Bearer ...\r\n" of the first. */
const char *clients_authorization(const struct clients *clients);

#endif
