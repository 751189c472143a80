/* SPDX-License-Identifier: MIT */
/* A field table as compiled: what decoding and encoding would otherwise work out again for every request. */
#ifndef CORE_SCHEMA_TABLE_H
#define CORE_SCHEMA_TABLE_H

#include "core/schema/schema.h"

/* The value of a scalar member, at the offset it has in any struct. */
union value {
    bool boolean;
    uint32_t u32;
    int64_t i64;
    uint64_t size;
    double f64;
    bp_str text;
    bp_uuid uuid;
};

/* One row. Everything in it lives with the process. */
struct column {
    const struct bp_field *row;
    bp_str key;        /* ,"createdAt": with SCHEMA_SLACK readable bytes behind it */
    bp_str json;       /* createdAt */
    bp_str label;      /* Created at */
    int64_t low, high; /* bounds of value, code points or items; INT64_MIN and INT64_MAX: none */
    uint16_t type, flags;
    uint32_t offset;
    uint32_t size; /* of a scalar member; 0: object or array */
    bool has_default;
    union value initial; /* of has_default */
};

/* Copies of at most this many bytes may be done as one of exactly as many. */
#define SCHEMA_SLACK 32

struct table {
    const struct bp_field *rows;
    const char *error; /* what is wrong with the table; NULL: nothing */
    bool presence;
    bool bare; /* describes items that are no objects: its only row is named "" */
    uint32_t set_offset, null_offset;
    uint32_t count;
    struct column columns[];
};

/* The compiled form of a table, or of one row; NULL when out of memory. Thread-safe. */
const struct table *table_of(const struct bp_field *rows);
const struct column *column_of(const struct bp_field *row);

/* names.c: NULL text when out of memory. On the heap. */
bp_str name_camel(const char *name);
bp_str name_label(bp_str json);

#endif
