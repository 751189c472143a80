/* SPDX-License-Identifier: MIT */
/* Spans on their way to the exporter. */
#include <time.h>

#include "tracing.h"

void tracing_no_memory(const struct tracing *tracing)
{
    exporter_drop(&tracing->exporters[OTLP_TRACES], DROP_MEMORY, 1);
}

void tracing_keep(struct tracing *tracing, struct record *record)
{
    struct exporter *exporter = &tracing->exporters[OTLP_TRACES];
    for (struct span *span = record->root; span; span = span->next) {
        if (span->ended == 0) /* its code forgot it, or was still at it when the request ended */
            span->ended = record->root->ended;
        struct bytes *out = exporter_item(exporter);
        if (out)
            exporter->encoder->span(out, span, tracing->offset);
        (void)exporter_keep(exporter, 1);
    }
    record_free(record);
    if (batches_ready(&exporter->batches))
        exporter_send(exporter);
}

/* The wall clock may be set meanwhile: it is looked at again and again. */
static void tick(void *argument)
{
    struct tracing *tracing = argument;
    struct exporter *exporter = &tracing->exporters[OTLP_TRACES];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    tracing->offset = (int64_t)now.tv_sec * BP_SECOND + now.tv_nsec - bp_clock();
    exporter_drop(exporter, DROP_MEMORY, tracing->recorder.dropped);
    tracing->recorder.dropped = 0;
    exporter_note_waiting(exporter);
    exporter_send(exporter);
}

int spans_start(struct tracing *tracing)
{
    struct exporter *exporter = &tracing->exporters[OTLP_TRACES];
    exporter_start(exporter, tracing, OTLP_TRACES);
    batches_init(&exporter->batches, exporter->encoder->separator, tracing->batch_spans, tracing->queue_spans,
                 tracing->queue_bytes);
    tick(tracing);
    return bp_timer_every(tracing->host, tracing->schedule_delay, tick, tracing) ? 0 : BP_NOMEM;
}
