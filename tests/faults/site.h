/* SPDX-License-Identifier: MIT */
/* A Postgres of the test's own that will fail, what may stand before it, a server on it, and clients that go on meanwhile. */
#ifndef FAULTS_SITE_H
#define FAULTS_SITE_H

#include "clients.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/pgbouncer.h"
#include "tests/support/postgres.h"
#include "tests/support/server.h"

enum site_way { SITE_DIRECT, SITE_PROXY, SITE_PGBOUNCER, SITE_PGBOUNCER_PROXY /* the proxy behind pgbouncer */ };
enum { SITE_CLIENTS = 6, SITE_BACK_MILLISECONDS = 5000, SITE_DOWN_MILLISECONDS = 10000 };

struct site {
    struct test_postgres postgres;
    struct test_pgbouncer pgbouncer; /* SITE_PGBOUNCER… */
    struct fault_proxy *proxy;       /* SITE_…PROXY */
    struct test_server server;
    struct clients *clients;                                        /* NULL until the server is well */
    long long served_by;                                            /* until then a first request may be refused */
    char superuser[POSTGRES_URL_SIZE], database[POSTGRES_URL_SIZE]; /* not through anything */
    char url[POSTGRES_URL_SIZE];                                    /* the server's */
};

struct site_options {
    enum site_way way;
    const char *postgres;     /* lines of postgresql.conf */
    const char *pgbouncer;    /* lines of pgbouncer.ini */
    const char *arguments[8]; /* of the server: "--set", ... */
};

/* All of it, with a migrated database; clients are served. */
void site_start(struct site *site, const struct site_options *options);
/* The same in steps, for servers that begin with a fault: services and a migrated database; the server on site->url; clients at work. */
void site_services(struct site *site, const struct site_options *options);
void site_server(struct site *site, const struct site_options *options);
void site_clients(struct site *site);
/* /health/live is 200 and quick all along, requests are refused with 503 and Retry-After, and /health/ready turns to 503. */
void site_expect_down(struct site *site);
/* Within SITE_BACK_MILLISECONDS every client is served again, and /health/ready says so. */
void site_expect_back(struct site *site);
/* Every client was answered rightly, every row is as it was told, no worker died; then ends all. */
void site_end(struct site *site);
/* The status of a GET; with 503 Retry-After is demanded. authorization may be NULL. */
unsigned site_status(const struct site *site, const char *target, const char *authorization);
/* How often a fault is repeated: once, or so often with BACKPLANE_TEST_ALL=1. */
unsigned site_rounds(unsigned all);

#endif
