/* SPDX-License-Identifier: MIT */
#include "core/metric/region.h"

#define MAGIC 0x424d4554u /* "BMET" */
#define LINE 64u
#define DEFAULT_SERIES 200u

static size_t round_up(size_t size)
{
    return (size + LINE - 1) / LINE * LINE;
}

static uint32_t label_count(const struct bp_metric_def *def)
{
    uint32_t n = 0;
    while (n < BP_METRIC_LABELS && def->labels[n])
        n++;
    return n;
}

/* Everything but what is shared and changes. */
static struct metric_region shape(const struct bp_metric_def *def, size_t *ret_size)
{
    struct metric_region region = {.magic = MAGIC, .type = def->type, .label_count = label_count(def)};
    uint32_t index = 2;

    region.capacity = region.label_count == 0 ? 1 : 1 + (def->max_series ? def->max_series : DEFAULT_SERIES);
    region.cells = def->type == BP_HISTOGRAM ? def->bucket_count + 2 : 1;
    while (index < 2 * region.capacity)
        index *= 2;
    region.index_mask = index - 1;
    region.index_at = round_up(sizeof(region));
    region.texts_at = round_up(region.index_at + index * sizeof(uint64_t));
    region.cells_at = round_up(region.texts_at +
                               (region.label_count == 0 ? 0 : (size_t)region.capacity * sizeof(struct metric_text)));
    region.slot_stride = round_up((size_t)region.capacity * region.cells * sizeof(metric_cell));
    *ret_size = region.cells_at + BP_WORKER_SLOTS * region.slot_stride;
    if (def->exemplars) {
        region.exemplars_at = *ret_size;
        *ret_size += round_up((size_t)region.capacity * metric_bucket_cells(&region) * sizeof(struct metric_exemplar));
    }
    return region;
}

size_t metric_region_size(const struct bp_metric_def *def)
{
    size_t size;
    (void)shape(def, &size);
    return size;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ (hash >> 32);
}

/* Eight bytes at a time. Not keyed: the table is bounded, and labels are compared in full. */
static uint64_t mix_text(uint64_t hash, const char *text, size_t len)
{
    uint64_t word;
    hash = mix(hash, len);
    for (; len >= sizeof(word); text += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, text, sizeof(word));
        hash = mix(hash, word);
    }
    if (len > 0) {
        word = 0;
        memcpy(&word, text, len);
        hash = mix(hash, word);
    }
    return hash;
}

uint32_t metric_region_version(const struct bp_metric_def *def)
{
    uint64_t hash = mix(mix(mix(MAGIC, def->type), def->max_series), def->exemplars);
    for (uint32_t i = 0; i < label_count(def); i++)
        hash = mix_text(hash, def->labels[i], strlen(def->labels[i]));
    for (uint32_t i = 0; i < def->bucket_count; i++)
        hash = mix_text(hash, (const char *)&def->buckets[i], sizeof(def->buckets[i]));
    return (uint32_t)hash;
}

void metric_region_prepare(struct metric_region *region, const struct bp_metric_def *def)
{
    size_t size;
    struct metric_region made = shape(def, &size);

    (void)bp_mutex_lock(&region->mutex);
    if (region->magic != MAGIC) { /* written last: also after a death in the middle of this */
        region->type = made.type;
        region->label_count = made.label_count;
        region->capacity = made.capacity;
        region->cells = made.cells;
        region->index_mask = made.index_mask;
        region->index_at = made.index_at;
        region->texts_at = made.texts_at;
        region->cells_at = made.cells_at;
        region->slot_stride = made.slot_stride;
        region->exemplars_at = made.exemplars_at;
        atomic_store(&region->count, 1);
        atomic_thread_fence(memory_order_release);
        region->magic = MAGIC;
    }
    bp_mutex_unlock(&region->mutex);
}

/* An entry of the index: the upper half of the hash, and the number of a series; 0 is free. */
typedef _Atomic uint64_t metric_entry;

static metric_entry *index_of(struct metric_region *region)
{
    return (metric_entry *)(void *)((char *)region + region->index_at);
}

static bool same_labels(const struct metric_region *region, uint32_t series, const bp_str *labels)
{
    const struct metric_text *text = metric_region_text(region, series);
    for (uint32_t i = 0; i < region->label_count; i++)
        if (text->lens[i] != labels[i].len || memcmp(text->bytes[i], labels[i].ptr, labels[i].len) != 0)
            return false;
    return true;
}

/* 0: not there; *ret_free is where it would go. */
static uint32_t find(struct metric_region *region, uint64_t hash, const bp_str *labels, uint32_t *ret_free)
{
    metric_entry *index = index_of(region);
    uint32_t at = (uint32_t)hash & region->index_mask;

    for (;; at = (at + 1) & region->index_mask) { /* at most half full, so it ends */
        uint64_t entry = atomic_load_explicit(&index[at], memory_order_acquire);
        if (entry == 0)
            break;
        if ((uint32_t)(entry >> 32) == (uint32_t)(hash >> 32) && same_labels(region, (uint32_t)entry, labels))
            return (uint32_t)entry;
    }
    *ret_free = at;
    return 0;
}

static uint32_t add(struct metric_region *region, uint64_t hash, const bp_str *labels, uint32_t free_at)
{
    uint32_t series = atomic_load_explicit(&region->count, memory_order_relaxed);
    struct metric_text *text = (struct metric_text *)(void *)((char *)region + region->texts_at) + series;

    for (uint32_t i = 0; i < region->label_count; i++) {
        text->lens[i] = (uint16_t)labels[i].len;
        if (labels[i].len > 0)
            memcpy(text->bytes[i], labels[i].ptr, labels[i].len);
    }
    atomic_store_explicit(&index_of(region)[free_at], (hash & 0xffffffff00000000u) | series, memory_order_release);
    atomic_store_explicit(&region->count, series + 1, memory_order_release);
    return series;
}

/* Whoever held the mutex died between the index and the count. */
static void repair(struct metric_region *region)
{
    uint32_t last = 0;
    for (uint32_t i = 0; i <= region->index_mask; i++) {
        uint32_t series = (uint32_t)atomic_load_explicit(&index_of(region)[i], memory_order_relaxed);
        if (series > last)
            last = series;
    }
    atomic_store(&region->count, last + 1);
}

static uint64_t hash_labels(const struct metric_region *region, const bp_str *labels)
{
    uint64_t hash = MAGIC;
    for (uint32_t i = 0; i < region->label_count; i++)
        hash = mix_text(hash, labels[i].ptr, labels[i].len);
    return hash;
}

uint32_t metric_region_series(struct metric_region *region, const bp_str *labels)
{
    bp_str kept[BP_METRIC_LABELS];
    char space[BP_METRIC_LABELS][METRIC_LABEL_MAX];
    uint32_t series, free_at;

    if (region->label_count == 0)
        return 0;
    for (uint32_t i = 0; i < region->label_count; i++)
        kept[i] = bp_utf8_cut(labels[i], METRIC_LABEL_MAX);
    series = find(region, hash_labels(region, kept), kept, &free_at);
    if (series != 0)
        return series;

    /* Only clean values are in the table: those that are not are looked up again, as what they become. */
    for (uint32_t i = 0; i < region->label_count; i++)
        kept[i] = label_clean(kept[i], space[i]);
    uint64_t hash = hash_labels(region, kept);
    series = find(region, hash, kept, &free_at);
    if (series != 0 || atomic_load_explicit(&region->count, memory_order_relaxed) >= region->capacity)
        return series;

    if (bp_mutex_lock(&region->mutex))
        repair(region);
    series = find(region, hash, kept, &free_at);
    if (series == 0 && atomic_load_explicit(&region->count, memory_order_relaxed) < region->capacity)
        series = add(region, hash, kept, free_at);
    bp_mutex_unlock(&region->mutex);
    return series;
}

metric_cell *metric_region_cells(struct metric_region *region, unsigned slot)
{
    atomic_fetch_or_explicit(&region->slots[slot / 64], UINT64_C(1) << slot % 64, memory_order_relaxed);
    return metric_region_block(region, slot);
}

void metric_region_reap(void *memory, size_t size, unsigned slot)
{
    struct metric_region *region = memory;
    uint64_t at;

    if (size < sizeof(*region) || region->magic != MAGIC || region->type != BP_GAUGE ||
        !(atomic_load_explicit(&region->slots[slot / 64], memory_order_relaxed) >> slot % 64 & 1))
        return;
    at = region->cells_at + slot * region->slot_stride;
    if (at > size || region->slot_stride > size - at || at % sizeof(metric_cell) != 0)
        return;
    for (uint64_t i = 0; i < region->slot_stride / sizeof(metric_cell); i++)
        atomic_store_explicit((metric_cell *)(void *)((char *)memory + at) + i, 0, memory_order_relaxed);
}
