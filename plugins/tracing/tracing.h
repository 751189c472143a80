/* SPDX-License-Identifier: MIT */
/* An instance: its options, then what it needs to run. */
#ifndef TRACING_TRACING_H
#define TRACING_TRACING_H

#include "backplane/backplane.h"
#include "export.h"
#include "pairs.h"
#include "sampler.h"

#include <stdatomic.h>

/* Attributes of the resource that are ours; then come those of the option. */
#define RESOURCE_OWN 8u

/* What the workers of a server share. The metrics are sums over all of them, so that one exports them, as the server. */
struct tracing_shared {
    struct bp_mutex mutex;
    bp_uuid instance; /* the server's, for as long as its counters last; zeroes: none yet */
    struct bp_duty exporting;
};

#define SHARED_LAYOUT 1u

/* The choices of the options …_exporter, in their order. */
enum exporter_choice { EXPORTER_NONE, EXPORTER_OTLP };

struct tracing {
    /* options */
    bp_str endpoint, traces_endpoint, metrics_endpoint, logs_endpoint, headers, certificate, service_name,
        resource_attributes;
    uint32_t traces_exporter, metrics_exporter, logs_exporter;
    uint32_t protocol, compression, sampler;
    double sampler_argument;
    uint32_t rate;
    bool disabled, accept_parent, keep_failed;
    bp_span keep_slow;
    bp_span timeout, schedule_delay, retry_time, flush_timeout;
    uint32_t queue_spans, batch_spans, spans, attributes;
    uint64_t queue_bytes, trace_bytes, attribute_length;
    bp_span metrics_interval, metrics_timeout, logs_delay;
    uint32_t logs_queue, logs_batch;

    struct bp_service client;
    struct bp_host *host;
    int slot;
    bool exports; /* spans are handed to a collector */
    struct pairs header_pairs, resource_pairs;
    struct attribute *resource, *server_resource; /* of this worker; of the server */
    char service_instance[BP_UUID_LEN], server_instance[BP_UUID_LEN];
    char host_name[256];

    struct bp_metric *exported, *dropped, *requests, *waiting; /* of spans */
    struct bp_metric *otlp_exported, *otlp_dropped, *otlp_requests, *otlp_waiting;

    /* from start on */
    struct sampler deciding;
    struct recorder recorder;
    struct exporter exporters[OTLP_SIGNALS];
    int64_t offset; /* from bp_clock() to the Unix epoch, in nanoseconds */
    bool started;
    struct tracing_shared *shared;
    bool reading;            /* a fiber reads them */
    struct bytes log_texts;  /* of the line that is being encoded */
    atomic_bool logs_posted; /* the loop will look at a batch of lines */
};

/* What a request carries. */
struct request_trace {
    struct bp_trace_span context; /* of one that is not recorded */
    struct record *record;        /* of one that is; NULL */
};

/* --- observe.c --- */

bp_handler tracing_observe;
/* Of struct bp_tracer_vtable. */
struct bp_trace_span *tracing_root(void *self, const struct bp_trace_context *parent, bp_str name,
                                   enum bp_trace_kind kind, bp_time began);
/* A trace without a request has ended. */
void tracing_root_ended(struct record *record, void *tracing);

/* --- spans.c --- */

/* Hands a trace that has ended to the exporter, and frees it. */
void tracing_keep(struct tracing *tracing, struct record *record);
/* Spans for which there was no memory. */
void tracing_no_memory(const struct tracing *tracing);
int spans_start(struct tracing *tracing);

/* --- metrics.c --- */

int metrics_start(struct tracing *tracing);
/* In stop: reads them a last time. Suspends. */
void metrics_stop(struct tracing *tracing);

/* --- logs.c --- */

int logs_start(struct tracing *tracing);

/* --- settings.c --- */

/* In init: what the options come to. 0, BP_NOMEM or BP_INVALID (reported). */
int settings_read(struct tracing *tracing, struct bp_host *host);
void settings_deinit(struct tracing *tracing);

#endif
