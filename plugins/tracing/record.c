/* SPDX-License-Identifier: MIT */
#include "record.h"

#include <stdlib.h>

#include "backplane/uuid.h"
#include "utf8.h"

#define CHUNK_BYTES ((size_t)8192)
#define FREE_CHUNKS 64u
#define ALIGNMENT ((size_t)8)

struct chunk {
    struct chunk *next;
    size_t size; /* of data */
    _Alignas(16) unsigned char data[];
};

/* --- identifiers: xoshiro256** (Blackman and Vigna, 2018) --- */

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static uint64_t next_random(uint64_t s[4])
{
    uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

void recorder_identify(struct recorder *recorder, uint8_t *ret_bytes, size_t len)
{
    for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
        uint64_t word = next_random(recorder->random);
        word += word == 0; /* all zeroes is no identifier */
        memcpy(ret_bytes + i, &word, sizeof(word));
    }
}

/* --- memory --- */

void recorder_init(struct recorder *recorder, const struct record_limits *limits, const struct bp_tracer_vtable *tracer)
{
    recorder->limits = *limits;
    recorder->tracer = tracer;
    do
        bp_random(recorder->random, sizeof(recorder->random));
    while (!(recorder->random[0] | recorder->random[1] | recorder->random[2] | recorder->random[3]));
}

void recorder_deinit(struct recorder *recorder)
{
    while (recorder->free) {
        struct chunk *chunk = recorder->free;
        recorder->free = chunk->next;
        free(chunk);
    }
    recorder->free_count = 0;
}

static struct chunk *chunk_new(struct recorder *recorder, size_t least)
{
    size_t size = CHUNK_BYTES - sizeof(struct chunk);
    struct chunk *chunk = recorder->free;
    if (least <= size && chunk) {
        recorder->free = chunk->next;
        recorder->free_count--;
        return chunk;
    }
    if (least > size)
        size = least;
    chunk = malloc(sizeof(*chunk) + size);
    if (chunk)
        chunk->size = size;
    return chunk;
}

static void chunk_release(struct recorder *recorder, struct chunk *chunk)
{
    if (recorder->free_count >= FREE_CHUNKS || chunk->size > CHUNK_BYTES) {
        free(chunk);
        return;
    }
    chunk->next = recorder->free;
    recorder->free = chunk;
    recorder->free_count++;
}

void *record_alloc(struct record *record, size_t size)
{
    size = (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    if (size > record->chunks->size - record->used) {
        size_t limit = record->recorder->limits.bytes;
        if (record->held > limit || size > limit - record->held)
            return NULL;
        struct chunk *chunk = chunk_new(record->recorder, size);
        if (!chunk)
            return NULL;
        chunk->next = record->chunks;
        record->chunks = chunk;
        record->held += chunk->size;
        record->used = 0;
    }
    void *memory = record->chunks->data + record->used;
    record->used += size;
    return memory;
}

static void span_init(struct span *span, struct record *record, enum bp_trace_kind kind, bp_time began)
{
    memset(span, 0, sizeof(*span));
    span->base.tracer = record->recorder->tracer;
    span->base.recording = true;
    span->record = record;
    span->kind = (uint8_t)kind;
    span->began = began;
    span->attributes_end = &span->attributes;
    span->links_end = &span->links;
    *record->end = span;
    record->end = &span->next;
    record->span_count++;
}

struct record *record_new(struct recorder *recorder, const struct bp_trace_context *context, bp_str name,
                          enum bp_trace_kind kind, bp_time began)
{
    struct chunk *chunk = chunk_new(recorder, 0);
    if (!chunk)
        return NULL;
    struct record *record = (void *)chunk->data;
    chunk->next = NULL;
    memset(record, 0, sizeof(*record));
    record->recorder = recorder;
    record->chunks = chunk;
    record->used = (sizeof(*record) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    record->held = chunk->size;
    record->end = &record->root;
    span_init(record_alloc(record, sizeof(struct span)), record, kind, began); /* the first chunk has room for it */
    record->root->base.context = *context;
    record->root->name = name;
    return record;
}

struct record *record_free(struct record *record)
{
    if (!record)
        return NULL;
    struct recorder *recorder = record->recorder; /* the record itself lies in the last of the chunks */
    for (struct chunk *chunk = record->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        chunk_release(recorder, chunk);
    }
    return NULL;
}

bp_str record_clean(struct record *record, bp_str text, bool borrowed)
{
    size_t limit = record->recorder->limits.text;
    bp_str cut = bp_utf8_cut(text, limit);
    if (cut.len == 0)
        return BP_STR("");
    size_t valid = utf8_valid(cut);
    if (valid == cut.len && borrowed)
        return cut;
    char *copy = record_alloc(record, valid + 3 * (cut.len - valid));
    if (!copy)
        return bp_str_n(NULL, 0);
    return bp_utf8_cut(bp_str_n(copy, utf8_repair(cut, copy)), limit);
}

/* --- spans --- */

static struct span *of(struct bp_trace_span *span)
{
    return (struct span *)(void *)span;
}

struct bp_trace_span *record_begin(struct bp_trace_span *parent, bp_str name, enum bp_trace_kind kind, bp_time began)
{
    struct record *record = of(parent)->record;
    struct span *span = NULL;
    bp_str copy = {NULL, 0};
    if (record->span_count < record->recorder->limits.spans)
        copy = record_clean(record, name, false);
    if (copy.ptr)
        span = record_alloc(record, sizeof(*span));
    if (!span) {
        record->recorder->dropped++;
        return NULL;
    }
    span_init(span, record, kind, began);
    span->name = copy;
    span->base.context = parent->context;
    recorder_identify(record->recorder, span->base.context.span_id, sizeof(span->base.context.span_id));
    span->has_parent = true;
    memcpy(span->parent_id, parent->context.span_id, sizeof(span->parent_id));
    return &span->base;
}

void record_end(struct bp_trace_span *base, bp_time ended)
{
    struct span *span = of(base);
    struct record *record = span->record;
    span->ended = ended;
    if (record->root == span && !record->of_request)
        record->recorder->ended(record, record->recorder->argument);
}

void record_rename(struct bp_trace_span *base, bp_str name)
{
    struct span *span = of(base);
    bp_str copy = record_clean(span->record, name, false);
    if (copy.ptr)
        span->name = copy;
}

struct attribute *record_attribute(struct span *span, const char *key)
{
    struct attribute *a = NULL;
    if (span->attribute_count < span->record->recorder->limits.attributes)
        a = record_alloc(span->record, sizeof(*a));
    if (!a) {
        span->dropped_attributes++;
        return NULL;
    }
    a->next = NULL;
    a->key = key;
    *span->attributes_end = a;
    span->attributes_end = &a->next;
    span->attribute_count++;
    return a;
}

/* NULL: no room. One of the same key is replaced. */
static struct attribute *attribute(struct span *span, const char *key)
{
    for (struct attribute *a = span->attributes; a; a = a->next)
        if (a->key == key || strcmp(a->key, key) == 0)
            return a;
    return record_attribute(span, key);
}

void record_text(struct bp_trace_span *base, const char *key, bp_str value, bool borrowed)
{
    struct span *span = of(base);
    bp_str text = record_clean(span->record, value, borrowed);
    if (!text.ptr) {
        span->dropped_attributes++;
        return;
    }
    struct attribute *a = attribute(span, key);
    if (!a)
        return;
    a->type = ATTRIBUTE_TEXT;
    a->as.text = text;
}

void record_integer(struct bp_trace_span *base, const char *key, int64_t value)
{
    struct attribute *a = attribute(of(base), key);
    if (!a)
        return;
    a->type = ATTRIBUTE_INTEGER;
    a->as.integer = value;
}

void record_boolean(struct bp_trace_span *base, const char *key, bool value)
{
    struct attribute *a = attribute(of(base), key);
    if (!a)
        return;
    a->type = ATTRIBUTE_BOOLEAN;
    a->as.boolean = value;
}

void record_error(struct bp_trace_span *base, const char *type)
{
    of(base)->failed = true;
    record_text(base, "error.type", bp_str_of(type), false);
}

void record_link(struct bp_trace_span *base, const struct bp_trace_context *context)
{
    struct span *span = of(base);
    struct span_link *link = NULL;
    bp_str state = {NULL, 0};
    if (span->link_count < span->record->recorder->limits.links)
        link = record_alloc(span->record, sizeof(*link));
    if (link && context->state.len > 0)
        state = record_clean(span->record, context->state, false);
    if (!link) {
        span->dropped_links++;
        return;
    }
    link->next = NULL;
    link->context = *context;
    link->context.state = state;
    link->context.baggage = bp_str_n(NULL, 0);
    *span->links_end = link;
    span->links_end = &link->next;
    span->link_count++;
}
