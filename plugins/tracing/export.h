/* SPDX-License-Identifier: MIT */
/* The way of one signal to the collector. */
#ifndef TRACING_EXPORT_H
#define TRACING_EXPORT_H

#include "backplane/backplane.h"
#include "batch.h"
#include "otlp.h"

/* The choices of the options of these names, in their order. */
enum protocol { PROTOCOL_PROTOBUF, PROTOCOL_JSON };
enum compression { COMPRESSION_NONE, COMPRESSION_GZIP };

enum drop_reason { DROP_QUEUE_FULL, DROP_REJECTED, DROP_UNREACHABLE, DROP_STOPPED, DROP_MEMORY, DROP_REASONS };

struct tracing;

struct exporter {
    struct tracing *tracing;
    enum otlp_signal signal;
    const struct otlp_encoder *encoder;
    char *url;                 /* where it goes, NUL behind it; NULL: nowhere */
    struct otlp_source source; /* from start on */
    struct batches batches;
    struct bytes item; /* the one that is being encoded */
    bp_span retry_time, timeout;
    bool eager; /* batches that are not full need not wait for more */

    struct bp_series *exported, *waiting, *dropped[DROP_REASONS];
    bp_event wake;                /* its fiber has something to do */
    bp_event idle;                /* it has ended */
    const struct bp_arena *fiber; /* of that fiber; NULL: there is none */
    bool sending, stopping;
    bool failing; /* the last try did not reach the collector, or was refused */
    bp_time complained;
};

/* In start. */
void exporter_start(struct exporter *exporter, struct tracing *tracing, enum otlp_signal signal);
/* An item is encoded into what the first returns, if there is room for one, and then waits to be sent; the second counts those as lost that do not,
 * and returns whether they do. By one thread at a time. */
struct bytes *exporter_item(struct exporter *exporter);
bool exporter_keep(struct exporter *exporter, uint32_t items);
/* Sends a batch, if there is one, unless one is on its way: that looks for the next. On the loop. */
void exporter_send(struct exporter *exporter);
/* Counts what is lost. Thread-safe. */
void exporter_drop(const struct exporter *exporter, enum drop_reason reason, uint64_t items);
void exporter_note_waiting(struct exporter *exporter);
/* In stop: begins to send what is left; waits for it until then. What comes later is lost, and counted. */
void exporter_stop(struct exporter *exporter);
void exporter_finish(struct exporter *exporter, bp_time until);
/* Accepts one that was not started. */
void exporter_deinit(struct exporter *exporter);

#endif
