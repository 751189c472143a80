/* SPDX-License-Identifier: MIT */
/* Encoded spans that wait to be sent, in the batches in which they will be. Bounded; knows no network. */
#ifndef TRACING_BATCH_H
#define TRACING_BATCH_H

#include "otlp.h"

struct batch {
    struct batch *next;
    struct bytes bytes;
    uint32_t spans;
};

struct batches {
    const struct otlp_encoder *encoder;
    uint32_t batch_spans; /* of one batch, at most */
    uint32_t max_spans;   /* of all that wait */
    size_t max_bytes;
    uint32_t spans;
    size_t bytes;
    struct batch *first, *last; /* the last one may still be growing */
};

/* Encodes a span behind the others. False when there is no room: nothing is kept of it. */
bool batches_add(struct batches *batches, const struct span *span, int64_t offset);
/* Whether a batch is as large as it will be. */
bool batches_ready(const struct batches *batches);
/* The oldest one, the caller's from now on; NULL: none. */
struct batch *batches_take(struct batches *batches);
/* Accepts NULL, returns NULL. */
struct batch *batch_free(struct batch *batch);
void batches_deinit(struct batches *batches);

#endif
