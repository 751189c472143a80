/* SPDX-License-Identifier: MIT */
/*
 * What is recorded of one trace while its request, or its job, runs: spans with attributes, in a few chunks of memory that are bounded and used
 * again. Knows no request.
 */
#ifndef TRACING_RECORD_H
#define TRACING_RECORD_H

#include "backplane/iface/tracer.h"

struct record;

struct attribute {
    struct attribute *next;
    const char *key;
    enum { ATTRIBUTE_TEXT, ATTRIBUTE_INTEGER, ATTRIBUTE_BOOLEAN, ATTRIBUTE_NUMBER } type;
    union {
        bp_str text; /* valid UTF-8 */
        int64_t integer;
        bool boolean;
        double number;
    } as;
};

struct span_link {
    struct span_link *next;
    struct bp_trace_context context; /* without baggage */
};

struct span {
    struct bp_trace_span base;
    struct record *record;
    struct span *next; /* in the order in which they began */
    uint8_t parent_id[8];
    bool has_parent, parent_is_remote;
    bool failed;
    uint8_t kind; /* enum bp_trace_kind */
    bp_str name;
    bp_time began, ended; /* ended 0: not yet */
    struct attribute *attributes, **attributes_end;
    struct span_link *links, **links_end;
    uint32_t attribute_count, dropped_attributes, link_count, dropped_links;
};

struct record_limits {
    uint32_t spans, attributes, links;
    size_t text;  /* bytes of a value */
    size_t bytes; /* of all of a trace */
};

struct chunk;

/* Of an instance: what its records share. */
struct recorder {
    struct record_limits limits;
    const struct bp_tracer_vtable *tracer;
    void (*ended)(struct record *record, void *argument); /* of a root without a request */
    void *argument;
    uint64_t random[4]; /* of identifiers, which need not be secret */
    uint64_t dropped;   /* spans for which there was no room, since somebody last looked */
    struct chunk *free;
    unsigned free_count;
};

struct record {
    struct recorder *recorder;
    struct chunk *chunks; /* the first is the one being filled */
    size_t used, held;    /* of that one; of all */
    struct span *root, **end;
    uint32_t span_count;
    bool sampled;    /* decided when it began; false: by how it ends */
    bool of_request; /* its end is not the root's */
};

void recorder_init(struct recorder *recorder, const struct record_limits *limits,
                   const struct bp_tracer_vtable *tracer);
void recorder_deinit(struct recorder *recorder);
/* Random bytes, a multiple of 8, not all zero. */
void recorder_identify(struct recorder *recorder, uint8_t *ret_bytes, size_t len);

/* A record with its root span. The context is copied, its texts borrowed; name is borrowed. NULL: out of memory. */
struct record *record_new(struct recorder *recorder, const struct bp_trace_context *context, bp_str name,
                          enum bp_trace_kind kind, bp_time began);
/* Accepts NULL, returns NULL. */
struct record *record_free(struct record *record);
/* From the record's memory, aligned to 8. NULL: there is no room left. */
void *record_alloc(struct record *record, size_t size);
/* A text as it may be exported: valid UTF-8, at most limits.text bytes; of the text itself where it can be. ptr NULL: no room. */
bp_str record_clean(struct record *record, bp_str text, bool borrowed);

/* One more attribute, of a key that the span does not have yet; NULL: no room, counted. */
struct attribute *record_attribute(struct span *span, const char *key);

/* The functions of struct bp_tracer_vtable. */
struct bp_trace_span *record_begin(struct bp_trace_span *parent, bp_str name, enum bp_trace_kind kind, bp_time began);
void record_end(struct bp_trace_span *span, bp_time ended);
void record_rename(struct bp_trace_span *span, bp_str name);
void record_text(struct bp_trace_span *span, const char *key, bp_str value, bool borrowed);
void record_integer(struct bp_trace_span *span, const char *key, int64_t value);
void record_boolean(struct bp_trace_span *span, const char *key, bool value);
void record_error(struct bp_trace_span *span, const char *type);
void record_link(struct bp_trace_span *span, const struct bp_trace_context *context);

#endif
