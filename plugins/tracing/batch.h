/* SPDX-License-Identifier: MIT */
/* Encoded items (spans, metrics, lines) that wait to be sent, in the batches in which they will be. Bounded; knows no network. Thread-safe. */
#ifndef TRACING_BATCH_H
#define TRACING_BATCH_H

#include <pthread.h>

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
    size_t before;              /* of an item that is being added */
};

void batches_init(struct batches *batches, uint32_t batch_items, uint32_t max_items, size_t max_bytes);
/* Accepts zeroes. */
void batches_deinit(struct batches *batches);

/* Where to encode an item, behind the others; batches_end() must follow. NULL: there is no room. */
struct bytes *batches_begin(struct batches *batches);
/* It is there, and counts as so many. False when it has no room: nothing is kept of it. */
bool batches_end(struct batches *batches, uint32_t items);
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

#endif
