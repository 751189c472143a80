/* SPDX-License-Identifier: MIT */
/* An instance: its options, then what it needs to run. */
#ifndef TRACING_TRACING_H
#define TRACING_TRACING_H

#include "backplane/backplane.h"
#include "batch.h"
#include "pairs.h"
#include "sampler.h"

/* Attributes of the resource that are ours; then come those of the option. */
#define RESOURCE_OWN 8u

enum drop_reason { DROP_QUEUE_FULL, DROP_REJECTED, DROP_UNREACHABLE, DROP_STOPPED, DROP_MEMORY, DROP_REASONS };

struct tracing {
    /* options */
    bp_str endpoint, traces_endpoint, headers, certificate, service_name, resource_attributes;
    uint32_t protocol, compression, sampler;
    double sampler_argument;
    uint32_t rate;
    bool disabled, accept_parent, keep_failed;
    bp_span keep_slow;
    bp_span timeout, schedule_delay, retry_time, flush_timeout;
    uint32_t queue_spans, batch_spans, spans, attributes;
    uint64_t queue_bytes, trace_bytes, attribute_length;

    struct bp_service client;
    struct bp_host *host;
    int slot;
    bool exports; /* there is an endpoint */
    char *url;    /* where traces go, NUL behind it */
    struct pairs header_pairs, resource_pairs;
    struct attribute *resource;
    char service_instance[BP_UUID_LEN];
    char host_name[256];

    struct bp_metric *exported, *dropped, *requests, *waiting;
    struct bp_series *exported_series, *waiting_series, *dropped_series[DROP_REASONS];

    /* from start on */
    struct sampler deciding;
    struct recorder recorder;
    struct batches batches;
    struct otlp_source source;
    int64_t offset; /* from bp_clock() to the Unix epoch, in nanoseconds */
    bp_event wake;  /* the exporter has something to do */
    bp_event idle;  /* it has ended */
    bool started, sending, stopping;
    bool failing; /* the last try did not reach the collector, or was refused */
    bp_time complained;
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

/* --- export.c --- */

/* Hands a trace that has ended to the exporter, and frees it. */
void tracing_keep(struct tracing *tracing, struct record *record);
void tracing_drop(struct tracing *tracing, enum drop_reason reason, uint64_t spans);
/* In start and stop. */
int export_start(struct tracing *tracing);
void export_stop(struct tracing *tracing);

/* --- settings.c --- */

/* In init: what the options come to. 0, BP_NOMEM or BP_INVALID (reported). */
int settings_read(struct tracing *tracing, struct bp_host *host);
void settings_deinit(struct tracing *tracing);

#endif
