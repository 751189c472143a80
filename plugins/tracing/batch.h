/* SPDX-License-Identifier: MIT */
/* Encoded items (spans, metrics, lines) that wait to be sent, in the batches in which they will be. Bounded; knows no network. Thread-safe. */
#ifndef TRACING_BATCH_H
#define TRACING_BATCH_H

#include <pthread.h>
#include <stdatomic.h>

#include "bytes.h"

struct batch {
    struct batch *next;
    struct bytes bytes;
    uint32_t items;
};

struct batches {
    pthread_mutex_t mutex;
    uint32_t batch_items; /* of one batch, at most */
    uint32_t max_items;   /* of all that wait */
    size_t max_bytes;
    uint32_t items;
    size_t bytes;
    struct batch *first, *last; /* the last one may still be growing */
    bp_str separator;           /* of items */
    atomic_bool closed;
};

void batches_init(struct batches *batches, bp_str separator, uint32_t batch_items, uint32_t max_items,
                  size_t max_bytes);
/* Accepts zeroes. */
void batches_deinit(struct batches *batches);

/* Whether there is no room for any item. */
bool batches_full(struct batches *batches);
/* Puts an encoded item, which counts as so many, behind the others. False when there is no room for it. */
bool batches_add(struct batches *batches, bp_str item, uint32_t items);
/* How many wait. */
uint32_t batches_waiting(struct batches *batches);
/* Whether a batch is as large as it will be. */
bool batches_ready(struct batches *batches);
/* The oldest one, the caller's from now on; NULL: none. */
struct batch *batches_take(struct batches *batches);
/* Accepts NULL, returns NULL. */
struct batch *batch_free(struct batch *batch);
/* Forgets what waits; how many that were. */
uint32_t batches_clear(struct batches *batches);
/* The same, and there is no room for any from then on. */
uint32_t batches_close(struct batches *batches);

#endif
