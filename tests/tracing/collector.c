/* SPDX-License-Identifier: MIT */
#include "collector.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/http.h"

#define HERE BACKPLANE_SOURCE_ROOT "/tests/tracing"
#define PATIENCE 10000

void collector_start(struct collector *collector)
{
    static const char *const arguments[] = {"/usr/bin/env", "node", HERE "/collector.mjs", NULL};
    char log[SERVICE_FOLDER_SIZE + 8], line[512];
    long long begun = 0;
    cr_assert_eq(access(HERE "/node_modules/@opentelemetry/otlp-transformer/package.json", R_OK), 0,
                 "npm ci in tests/tracing (./dev test does it)");
    service_folder(collector->folder);
    snprintf(log, sizeof(log), "%s/log", collector->folder);
    collector->pid = service_spawn(arguments, log);
    collector->port = 0;
    while (collector->port == 0 && service_patience(&begun, SERVICE_READY_MILLISECONDS)) {
        FILE *file = fopen(log, "r");
        if (!file)
            continue;
        /* Measured coverage complains first that it may not write where the tests were built. */
        while (collector->port == 0 && fgets(line, sizeof(line), file))
            if (!strchr(line, '\n') || sscanf(line, "port %d\n", &collector->port) != 1)
                collector->port = 0;
        fclose(file);
    }
    if (collector->port == 0)
        service_fail_with_log("the collector did not start", log);
    snprintf(collector->endpoint, sizeof(collector->endpoint), "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:%d",
             collector->port);
}

void collector_stop(struct collector *collector)
{
    service_stop(collector->pid, SIGTERM);
    service_folder_remove(collector->folder);
}

static json_t *ask(const struct collector *collector, const char *method, const char *target, const char *body)
{
    struct http_reply reply;
    http_call(collector->port, method, target, NULL, body, &reply);
    cr_assert_eq(reply.status, 200, "%s", reply.body);
    json_t *root = json_loads(reply.body, 0, NULL);
    cr_assert(root);
    http_reply_free(&reply);
    return root;
}

void collector_mode(const struct collector *collector, const char *mode)
{
    json_decref(ask(collector, "POST", "/mode", mode));
}

void collector_reset(const struct collector *collector)
{
    json_decref(ask(collector, "POST", "/reset", "{}"));
}

json_t *collector_spans(const struct collector *collector)
{
    return ask(collector, "GET", "/spans", NULL);
}

json_t *collector_points(const struct collector *collector)
{
    return ask(collector, "GET", "/points", NULL);
}

json_t *collector_lines(const struct collector *collector)
{
    return ask(collector, "GET", "/lines", NULL);
}

json_t *collector_requests(const struct collector *collector)
{
    return ask(collector, "GET", "/requests", NULL);
}

json_t *collector_wait(const struct collector *collector, size_t count)
{
    long long begun = 0;
    json_t *spans = collector_spans(collector);
    while (json_array_size(spans) < count && service_patience(&begun, PATIENCE)) {
        json_decref(spans);
        spans = collector_spans(collector);
    }
    if (json_array_size(spans) < count) {
        json_t *requests = collector_requests(collector);
        char *text = json_dumps(requests, 0);
        cr_assert_fail("%zu of %zu spans: %s", json_array_size(spans), count, text);
    }
    return spans;
}

json_t *collector_find(json_t *spans, const char *name)
{
    size_t i;
    json_t *span;
    json_array_foreach(spans, i,
                       span) if (strcmp(json_string_value(json_object_get(span, "name")), name) == 0) return span;
    return NULL;
}

json_t *collector_wait_for(const struct collector *collector, const char *name, json_t **ret_span)
{
    long long begun = 0;
    json_t *spans = collector_spans(collector);
    while (!(*ret_span = collector_find(spans, name)) && service_patience(&begun, PATIENCE)) {
        json_decref(spans);
        spans = collector_spans(collector);
    }
    cr_assert(*ret_span, "no span %s", name);
    return spans;
}
