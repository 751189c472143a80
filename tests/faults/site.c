/* SPDX-License-Identifier: MIT */
#include "site.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http.h"
#include "tests/support/service.h"

enum { LIVE_MILLISECONDS = 1000, SERVED = 5 };

unsigned site_rounds(unsigned all)
{
    return getenv("BACKPLANE_TEST_ALL") ? all : 1;
}

unsigned site_status(const struct site *site, const char *target, const char *authorization)
{
    struct http_reply reply;
    http_call(site->server.port, "GET", target, authorization, NULL, &reply);
    unsigned status = reply.status;
    if (status == 503 && strncmp(target, "/health/", 8) != 0) {
        const char *after = http_header(&reply, "Retry-After");
        cr_assert(after && atoi(after) >= 1, "%s: Retry-After: %s", target, after ? after : "is missing");
    }
    http_reply_free(&reply);
    return status;
}

void site_services(struct site *site, const struct site_options *options)
{
    memset(site, 0, sizeof(*site));
    postgres_start(&site->postgres, &(struct postgres_options){.durable = true, .settings = options->postgres});
    postgres_url(&site->postgres, NULL, "postgres", site->superuser);
    postgres_migrated(site->superuser, site->database);
    const char *name = strrchr(site->database, '/') + 1;
    struct test_postgres behind = site->postgres; /* as the pooler sees it */
    switch (options->way) {
    case SITE_DIRECT:
        snprintf(site->url, sizeof(site->url), "%s", site->database);
        break;
    case SITE_PROXY:
        site->proxy = fault_proxy_start(site->postgres.port);
        snprintf(site->url, sizeof(site->url), "postgresql://backplane@127.0.0.1:%d/%s", fault_proxy_port(site->proxy),
                 name);
        break;
    case SITE_PGBOUNCER:
    case SITE_PGBOUNCER_PROXY:
        if (options->way == SITE_PGBOUNCER_PROXY) {
            site->proxy = fault_proxy_start(site->postgres.port);
            behind.port = fault_proxy_port(site->proxy);
        }
        pgbouncer_start(&site->pgbouncer, &behind, options->pgbouncer);
        pgbouncer_url(&site->pgbouncer, "backplane", name, site->url);
        strcat(site->url, "?pgbouncer=true");
        break;
    }
}

void site_server(struct site *site, const struct site_options *options)
{
    char url[POSTGRES_URL_SIZE + 16], direct[POSTGRES_URL_SIZE + 16];
    const char *arguments[16] = {"--set", "plugins.main.grace=300ms", "--set", "plugins.health.interval=100ms"};
    size_t count = 4;
    for (size_t i = 0; i < sizeof(options->arguments) / sizeof(options->arguments[0]) && options->arguments[i]; i++)
        arguments[count++] = options->arguments[i];
    snprintf(url, sizeof(url), "DATABASE_URL=%s", site->url);
    snprintf(direct, sizeof(direct), "DIRECT_URL=%s", options->way >= SITE_PGBOUNCER ? site->database : site->url);
    server_start(&site->server,
                 &(struct server_options){
                     .environment = (const char *[]){url, direct, "BACKPLANE_WORKERS=2", "LOG_LEVEL=info", NULL},
                     .arguments = arguments});
    snprintf(site->server.database, sizeof(site->server.database), "%s", site->database);
}

void site_clients(struct site *site)
{
    site->clients = clients_new(&site->server, SITE_CLIENTS, site->served_by);
    clients_run(site->clients);
    if (!clients_wait_served(site->clients, SERVED, SITE_BACK_MILLISECONDS)) {
        char *output = server_output(&site->server);
        clients_stop(site->clients);
        cr_assert_fail("not everybody is served:\n%s", output);
    }
}

void site_start(struct site *site, const struct site_options *options)
{
    site_services(site, options);
    site_server(site, options);
    site_clients(site);
}

static void expect_live(const struct site *site)
{
    long long began = service_milliseconds();
    cr_assert_eq(site_status(site, "/health/live", NULL), 200);
    cr_assert_lt(service_milliseconds() - began, LIVE_MILLISECONDS, "/health/live waits for nothing");
}

/* Until /health/ready says that. */
static bool wait_ready(const struct site *site, unsigned status, long long end)
{
    while (site_status(site, "/health/ready", NULL) != status) {
        expect_live(site);
        if (service_milliseconds() > end)
            return false;
        service_breathe();
    }
    return true;
}

void site_expect_down(struct site *site)
{
    expect_live(site);
    if (site->clients)
        cr_expect(clients_wait_refused(site->clients, SITE_CLIENTS, SITE_DOWN_MILLISECONDS), "nobody is refused");
    cr_expect(wait_ready(site, 503, service_milliseconds() + SITE_DOWN_MILLISECONDS), "/health/ready stays 200");
    if (site->clients)
        cr_expect_eq(site_status(site, "/api/v1/todos", clients_authorization(site->clients)), 503);
    expect_live(site);
}

void site_expect_back(struct site *site)
{
    long long end = service_milliseconds() + SITE_BACK_MILLISECONDS;
    site->served_by = end; /* one worker that is ready speaks for itself only */
    bool back = site->clients ? clients_wait_served(site->clients, SERVED, SITE_BACK_MILLISECONDS) : true;
    back = back && wait_ready(site, 200, end);
    if (!back) {
        char *output = server_output(&site->server);
        cr_expect_fail("not back within %d ms:\n%s", SITE_BACK_MILLISECONDS, output);
        free(output);
    }
}

void site_end(struct site *site)
{
    if (site->clients) {
        clients_stop(site->clients);
        clients_check(site->clients, &site->server);
    }
    char *output = server_output(&site->server);
    cr_expect_null(strstr(output, "worker.died"), "%s", output);
    cr_expect_null(strstr(output, "worker.stalled"), "%s", output);
    free(output);
    site->clients = clients_free(site->clients);
    cr_expect_eq(server_stop(&site->server), 0);
    site->proxy = fault_proxy_stop(site->proxy);
    if (site->pgbouncer.pid)
        pgbouncer_stop(&site->pgbouncer);
    postgres_stop(&site->postgres);
}
