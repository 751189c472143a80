/* SPDX-License-Identifier: MIT */
#include "webhook_site.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/database.h"
#include "tests/support/service.h"

#define MORE_MAX 8

void site_start(const char *const *environment, const char *const *options)
{
    static const char *const usual[] = {"plugins.webhooks.timeout=1s", "plugins.webhooks.endpoints=25",
                                        "plugins.webhooks.attempts=3", "plugins.webhooks.failures=4",
                                        "plugins.webhooks.failing_for=0s"};
    const char *variables[MORE_MAX + 3] = {"WEBHOOKS=1", "WEBHOOKS_PRIVATE_NETWORKS=127.0.0.1,127.0.0.3", NULL};
    const char *arguments[2 * (LENGTH(usual) + MORE_MAX) + 1] = {NULL};
    size_t count = 0;
    for (size_t i = 0; environment && environment[i]; i++)
        variables[2 + i] = environment[i];
    for (size_t i = 0; i < LENGTH(usual); i++) {
        arguments[count++] = "--set";
        arguments[count++] = usual[i];
    }
    for (size_t i = 0; options && options[i]; i++) {
        arguments[count++] = "--set";
        arguments[count++] = options[i];
    }
    receiver_start();
    server_start(&server, &(struct server_options){.environment = variables, .arguments = arguments});
    ada = http_login(server.port, "ada@example.com");
    bob = http_login(server.port, "bob@example.com");
}

void site_start_plain(void)
{
    site_start(NULL, NULL);
}

void site_stop(void)
{
    stop();
    receiver_stop();
}

void add_webhook(const char *who, const char *path, const char *types, char ret_id[40])
{
    char body[2500], url[2200];
    if (path[0] == '/')
        snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", receiver_port, path);
    else
        snprintf(url, sizeof(url), "%s", path);
    snprintf(body, sizeof(body), "{\"url\":\"%s\",\"types\":%s}", url, types ? types : "[]");
    json_t *root = call(who, "POST", WEBHOOKS, body, 201);
    snprintf(ret_id, 40, "%s", http_json_text(root, "data.id"));
    json_decref(root);
}

const char *webhook_path(const char *id, const char *more)
{
    static char path[200];
    snprintf(path, sizeof(path), WEBHOOKS "/%s%s", id, more);
    return path;
}

json_t *wait_delivery(const char *who, const char *webhook, const char *state, long long attempts)
{
    char newest[80] = "", more[100];
    long long tried = 0;
    for (long long begun = 0;;) {
        json_t *root = call(who, "GET", webhook_path(webhook, "/deliveries?limit=1"), NULL, 200);
        snprintf(newest, sizeof(newest), "%s", http_json_text(root, "data.data.0.state"));
        snprintf(more, sizeof(more), "/deliveries/%s", http_json_text(root, "data.data.0.id"));
        tried = http_json_integer(root, "data.data.0.attempts");
        json_decref(root);
        if (strcmp(newest, state) == 0 && tried == attempts)
            return call(who, "GET", webhook_path(webhook, more), NULL, 200);
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "the delivery is \"%s\" after %lld attempts",
                  newest, tried);
    }
}

void send_test(const char *who, const char *id)
{
    json_decref(call(who, "POST", webhook_path(id, "/test"), NULL, 202));
}

void wait_count(const char *sql, long long count)
{
    for (long long begun = 0; database_integer(&server, sql) != count;)
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "%s: %lld", sql,
                  database_integer(&server, sql));
}

void hurry(void)
{
    static const char running[] = "SELECT count(*) FROM jobs WHERE kind = 'webhooks.deliver' AND state = 'running'";
    for (long long begun = 0; database_integer(&server, running) > 0;) /* it is followed by one that waits */
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "a job does not end");
    database_execute(&server, "UPDATE webhooks SET paused_until = NULL");
    database_execute(&server, "UPDATE jobs SET run_at = enqueued_at WHERE state = 'scheduled'");
}

static long long milliseconds(const json_t *root, const char *path)
{
    struct tm tm = {.tm_isdst = 0};
    int fraction = 0;
    const char *end = strptime(http_json_text(root, path), "%Y-%m-%dT%H:%M:%S", &tm);
    cr_assert(end && sscanf(end, ".%3dZ", &fraction) == 1, "%s: %s", path, http_json_text(root, path));
    return (long long)timegm(&tm) * 1000 + fraction;
}

long long span_of(const json_t *root, const char *from, const char *to)
{
    return milliseconds(root, to) - milliseconds(root, from);
}
