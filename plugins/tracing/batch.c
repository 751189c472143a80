/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include <stdlib.h>

static struct batch *growing(struct batches *batches)
{
    struct batch *batch = batches->last;
    if (batch && batch->spans < batches->batch_spans)
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

bool batches_add(struct batches *batches, const struct span *span, int64_t offset)
{
    if (batches->spans >= batches->max_spans || batches->bytes >= batches->max_bytes)
        return false;
    struct batch *batch = growing(batches);
    if (!batch)
        return false;
    size_t before = batch->bytes.len;
    batches->encoder->span(&batch->bytes, span, offset);
    if (batch->bytes.failed || batches->bytes + batch->bytes.len - before > batches->max_bytes) {
        batch->bytes.failed = false;
        batch->bytes.len = before;
        return false;
    }
    batches->bytes += batch->bytes.len - before;
    batches->spans++;
    batch->spans++;
    return true;
}

bool batches_ready(const struct batches *batches)
{
    return batches->first && batches->first->spans >= batches->batch_spans;
}

struct batch *batches_take(struct batches *batches)
{
    struct batch *batch = batches->first;
    if (!batch || batch->spans == 0)
        return NULL;
    batches->first = batch->next;
    if (!batches->first)
        batches->last = NULL;
    batches->spans -= batch->spans;
    batches->bytes -= batch->bytes.len;
    batch->next = NULL;
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

void batches_deinit(struct batches *batches)
{
    while (batches->first) {
        struct batch *batch = batches->first;
        batches->first = batch->next;
        batch_free(batch);
    }
    batches->last = NULL;
    batches->spans = 0;
    batches->bytes = 0;
}
