/* SPDX-License-Identifier: MIT */
/*
 * One metric in shared memory: a fixed table of series (label sets), and per worker slot a block of cells, so that no two workers write to
 * one cache line. Looking a series up takes no lock; making one takes the region's robust mutex. Series 0 is the overflow series, and the only
 * one of a metric without labels.
 */
#ifndef CORE_METRIC_REGION_H
#define CORE_METRIC_REGION_H

#include <stdatomic.h>

#include "backplane/metric.h"
#include "backplane/shared.h"
#include "core/metric/exemplar.h"
#include "core/metric/label.h"

#define METRIC_BUCKETS_MAX 64u /* of a definition: without +Inf */

typedef _Atomic int64_t metric_cell;

struct metric_text {
    uint16_t lens[BP_METRIC_LABELS];
    char bytes[BP_METRIC_LABELS][METRIC_LABEL_MAX];
};

struct metric_region {
    uint32_t magic;
    uint32_t type;        /* enum bp_metric_type */
    uint32_t label_count; /* of each series */
    uint32_t capacity;    /* series, the overflow one included */
    uint32_t cells;       /* of a series in one slot */
    uint32_t index_mask;
    uint64_t index_at, texts_at, cells_at; /* offsets from here */
    uint64_t slot_stride;                  /* bytes of a slot's block of cells */
    uint64_t exemplars_at; /* a struct metric_exemplar for each bucket of each series; 0: none are kept */
    _Atomic uint64_t slots[BP_WORKER_SLOTS / 64]; /* bit n: slot n has written (untouched pages stay unallocated) */
    _Atomic uint32_t count;                       /* series made so far */
    struct bp_mutex mutex;
};

/* Bytes that a metric of this definition takes; and a number that differs when the layout does. */
size_t metric_region_size(const struct bp_metric_def *def);
uint32_t metric_region_version(const struct bp_metric_def *def);
/* In zeroed memory. By every process that gets the region: only the first changes anything. */
void metric_region_prepare(struct metric_region *region, const struct bp_metric_def *def);

/* The number of the series of these label values, made when missing; 0 when there is no room. */
uint32_t metric_region_series(struct metric_region *region, const bp_str *labels);
/* The cells of a series in a slot, which counts as written from now on. */
metric_cell *metric_region_cells(struct metric_region *region, unsigned slot);
/* Those of all series in a slot. */
static inline metric_cell *metric_region_block(struct metric_region *region, unsigned slot)
{
    return (metric_cell *)(void *)((char *)region + region->cells_at + slot * region->slot_stride);
}
static inline metric_cell *metric_series_cells(const struct metric_region *region, metric_cell *block, uint32_t series)
{
    return block + (size_t)series * region->cells;
}
static inline const struct metric_text *metric_region_text(const struct metric_region *region, uint32_t series)
{
    return (const struct metric_text *)(const void *)((const char *)region + region->texts_at) + series;
}
static inline unsigned metric_bucket_cells(const struct metric_region *region)
{
    return region->cells - 1; /* +Inf included; the last cell is the sum, as the bits of a double */
}
/* Where the exemplar of a bucket is; NULL when none are kept. */
static inline struct metric_exemplar *metric_region_exemplar(struct metric_region *region, uint32_t series,
                                                             uint32_t bucket)
{
    if (region->exemplars_at == 0)
        return NULL;
    return (struct metric_exemplar *)(void *)((char *)region + region->exemplars_at) +
           (size_t)series * metric_bucket_cells(region) + bucket;
}

/* A worker has died: its gauges are zero. Trusts nothing but the size, as the supervisor calls it. */
void metric_region_reap(void *memory, size_t size, unsigned slot);

#endif
