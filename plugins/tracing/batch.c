/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include <stdlib.h>

void batches_init(struct batches *batches, uint32_t batch_items, uint32_t max_items, size_t max_bytes)
{
    *batches = (struct batches){.batch_items = batch_items, .max_items = max_items, .max_bytes = max_bytes};
    pthread_mutex_init(&batches->mutex, NULL);
}

static struct batch *growing(struct batches *batches)
{
    struct batch *batch = batches->last;
    if (batch && batch->items < batches->batch_items)
        return batch;
    batch = calloc(1, sizeof(*batch));
    if (!batch)
        return NULL;
    if (batches->last)
        batches->last->next = batch;
    else
        batches->first = batch;
    batches->last = batch;
    return batch;
}

struct bytes *batches_begin(struct batches *batches)
{
    pthread_mutex_lock(&batches->mutex);
    struct batch *batch = NULL;
    if (batches->items < batches->max_items && batches->bytes < batches->max_bytes)
        batch = growing(batches);
    if (!batch) {
        pthread_mutex_unlock(&batches->mutex);
        return NULL;
    }
    batches->before = batch->bytes.len;
    return &batch->bytes;
}

bool batches_end(struct batches *batches, uint32_t items)
{
    struct batch *batch = batches->last;
    size_t len = batch->bytes.len - batches->before;
    bool kept = !batch->bytes.failed && len <= batches->max_bytes - batches->bytes;
    if (kept) {
        batches->bytes += len;
        batches->items += items;
        batch->items += items;
    } else {
        batch->bytes.failed = false;
        batch->bytes.len = batches->before;
    }
    pthread_mutex_unlock(&batches->mutex);
    return kept;
}

uint32_t batches_waiting(struct batches *batches)
{
    pthread_mutex_lock(&batches->mutex);
    uint32_t items = batches->items;
    pthread_mutex_unlock(&batches->mutex);
    return items;
}

bool batches_ready(struct batches *batches)
{
    pthread_mutex_lock(&batches->mutex);
    bool ready = batches->first && batches->first->items >= batches->batch_items;
    pthread_mutex_unlock(&batches->mutex);
    return ready;
}

struct batch *batches_take(struct batches *batches)
{
    pthread_mutex_lock(&batches->mutex);
    struct batch *batch = batches->first && batches->first->items > 0 ? batches->first : NULL;
    if (batch) {
        batches->first = batch->next;
        if (!batches->first)
            batches->last = NULL;
        batches->items -= batch->items;
        batches->bytes -= batch->bytes.len;
        batch->next = NULL;
    }
    pthread_mutex_unlock(&batches->mutex);
    return batch;
}

struct batch *batch_free(struct batch *batch)
{
    if (batch) {
        bytes_deinit(&batch->bytes);
        free(batch);
    }
    return NULL;
}

uint32_t batches_clear(struct batches *batches)
{
    pthread_mutex_lock(&batches->mutex);
    uint32_t items = batches->items;
    while (batches->first) {
        struct batch *batch = batches->first;
        batches->first = batch->next;
        batch_free(batch);
    }
    batches->last = NULL;
    batches->items = 0;
    batches->bytes = 0;
    pthread_mutex_unlock(&batches->mutex);
    return items;
}

void batches_deinit(struct batches *batches)
{
    if (batches->max_items == 0)
        return;
    (void)batches_clear(batches);
    pthread_mutex_destroy(&batches->mutex);
    *batches = (struct batches){0};
}
