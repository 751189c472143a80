/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include <stdlib.h>

void batches_init(struct batches *batches, bp_str separator, uint32_t batch_items, uint32_t max_items, size_t max_bytes)
{
    *batches = (struct batches){
        .separator = separator, .batch_items = batch_items, .max_items = max_items, .max_bytes = max_bytes};
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

static bool has_room(const struct batches *batches)
{
    return !batches->closed && batches->items < batches->max_items && batches->bytes < batches->max_bytes;
}

bool batches_full(struct batches *batches)
{
    pthread_mutex_lock(&batches->mutex);
    bool full = !has_room(batches);
    pthread_mutex_unlock(&batches->mutex);
    return full;
}

static bool append(struct batches *batches, bp_str item)
{
    struct batch *batch = growing(batches);
    if (!batch)
        return false;
    size_t before = batch->bytes.len;
    if (before > 0)
        bytes_add_str(&batch->bytes, batches->separator);
    bytes_add_str(&batch->bytes, item);
    size_t len = batch->bytes.len - before;
    if (batch->bytes.failed || len > batches->max_bytes - batches->bytes) {
        batch->bytes.failed = false;
        batch->bytes.len = before;
        return false;
    }
    batches->bytes += len;
    return true;
}

bool batches_add(struct batches *batches, bp_str item, uint32_t items)
{
    pthread_mutex_lock(&batches->mutex);
    bool added = has_room(batches) && append(batches, item);
    if (added) {
        batches->items += items;
        batches->last->items += items;
    }
    pthread_mutex_unlock(&batches->mutex);
    return added;
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

static uint32_t clear(struct batches *batches, bool close)
{
    pthread_mutex_lock(&batches->mutex);
    batches->closed = batches->closed || close;
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

uint32_t batches_clear(struct batches *batches)
{
    return clear(batches, false);
}

uint32_t batches_close(struct batches *batches)
{
    return clear(batches, true);
}

void batches_deinit(struct batches *batches)
{
    if (batches->max_items == 0)
        return;
    (void)batches_clear(batches);
    pthread_mutex_destroy(&batches->mutex);
    *batches = (struct batches){0};
}
