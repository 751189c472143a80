/* SPDX-License-Identifier: MIT */
/* collector.mjs, as a test sees it. */
#ifndef TESTS_TRACING_COLLECTOR_H
#define TESTS_TRACING_COLLECTOR_H

#include <jansson.h>
#include <sys/types.h>

#include "tests/support/service.h"

struct collector {
    pid_t pid;
    int port;
    char folder[SERVICE_FOLDER_SIZE];
    char endpoint[128]; /* "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:…" */
};

void collector_start(struct collector *collector);
void collector_stop(struct collector *collector);
/* What happens to spans from now on, as JSON. */
void collector_mode(const struct collector *collector, const char *mode);
/* Forgets all, the mode, too. */
void collector_reset(const struct collector *collector);
/* All spans so far, all points of metrics, all lines, or all requests. json_decref() it. */
json_t *collector_spans(const struct collector *collector);
json_t *collector_points(const struct collector *collector);
json_t *collector_lines(const struct collector *collector);
json_t *collector_requests(const struct collector *collector);
/* Waits until there are so many spans (10 s, then the test fails), and returns all. */
json_t *collector_wait(const struct collector *collector, size_t count);
/* The same until there is one of this name, which is *ret_span; borrowed. */
json_t *collector_wait_for(const struct collector *collector, const char *name, json_t **ret_span);
/* The first span of this name; NULL. Borrowed. */
json_t *collector_find(json_t *spans, const char *name);

#endif
