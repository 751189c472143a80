/* SPDX-License-Identifier: MIT */
/*
 * One table language. A row describes one member of a C struct: its type, bounds, default and meaning.
 * From the same rows the core decodes configuration and JSON, validates, reports every error at once,
 * decodes database rows, encodes replies, prints --help and documents the API.
 *
 *     struct todo_body { uint64_t set, null; bp_str title; bool completed; };
 *     static const struct bp_field todo_body[] = {
 *         BP_PRESENCE(struct todo_body, set, null),
 *         BP_TEXT(struct todo_body, title, .flags = BP_REQUIRED | BP_TRIM, .min = 1, .max = 500, .doc = "What to do."),
 *         BP_BOOL(struct todo_body, completed, .def = "false"),
 *         BP_END};
 *
 * Names: configuration and database columns use the member's name (created_at), JSON, parameters and messages
 * its camel-case form (createdAt); .name and .json override them.
 */
#ifndef BACKPLANE_FIELD_H
#define BACKPLANE_FIELD_H

#include "backplane/clock.h"
#include "backplane/uuid.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a row's member is in C, in a configuration and in JSON. */
enum bp_type {
    BP_TYPE_END,
    BP_TYPE_PRESENCE, /* the first row: where the two bit sets are */
    BP_TYPE_BOOL,     /* bool */
    BP_TYPE_U32,      /* uint32_t */
    BP_TYPE_I64,      /* int64_t */
    BP_TYPE_F64,      /* double; finite */
    BP_TYPE_TEXT,     /* bp_str, valid UTF-8; min and max count code points */
    BP_TYPE_CHOICE,   /* uint32_t: the index into choices */
    BP_TYPE_SPAN,     /* bp_span; "250ms" "30s" "15m" "1h" "7d", a bare number is seconds; JSON: such a text */
    BP_TYPE_SIZE,     /* uint64_t bytes; "512" "64KiB" "10MB" "10MiB" (KB, MB, GB are powers of 1000); JSON: a number */
    BP_TYPE_UUID,     /* bp_uuid; JSON and parameters: 36 characters */
    BP_TYPE_DATE,     /* bp_date; JSON: RFC 3339 with milliseconds, UTC */
    BP_TYPE_OBJECT,   /* a struct described by .sub */
    BP_TYPE_ARRAY     /* struct bp_array of structs described by .sub, item_size bytes each, .max items at most;
                         when .sub's only row is named "", an array of bare values */
};

/* .flags of a row, or'ed. */
enum bp_field_flag {
    BP_REQUIRED = 1u << 0,  /* missing, null or of another type: "<Label> is required" */
    BP_NULLABLE = 1u << 1,  /* null is a value of its own (its bit in the null set; else a text with ptr NULL) */
    BP_TRIM = 1u << 2,      /* white space at both ends is taken off before anything is checked */
    BP_LOWER = 1u << 3,     /* ASCII letters are lower-cased before anything is checked */
    BP_SECRET = 1u << 4,    /* never printed, logged or shown in an error */
    BP_STAGE = 1u << 5,     /* an option that a pipeline may override: the offset is in the stage struct */
    BP_LENIENT = 1u << 6,   /* a query parameter whose bad value falls back to the default and whose value
                              above max is max (the page and limit of a list) */
    BP_READ_ONLY = 1u << 7, /* of a resource: set by the server; ignored in bodies */
    BP_FILTER = 1u << 8,    /* of a resource: a list may be filtered by it */
    BP_SORT = 1u << 9       /* of a resource: a list may be sorted by it */
};

/* The member of a BP_ARRAY row: len structs (or bare values) at ptr, in the arena of who decoded them. */
struct bp_array {
    void *ptr;
    size_t len;
};

/* Opaque: what a .check function adds its findings to. */
struct bp_problems;

/* A row. Made by the macros below; static const. 128 bytes throughout ABI 1.x; spare words are zero. Rows end with BP_END. */
struct bp_field {
    const char *name;           /* of the member; configuration key and database column */
    const char *json;           /* NULL: name in camel case */
    const char *label;          /* in messages; NULL: the JSON name as words, "Due at" */
    const char *doc;            /* a sentence or two for option tables and OpenAPI */
    const char *def;            /* default, written as in a configuration file; NULL: zero, or required */
    const char *invalid;        /* message for a value of the wrong form; NULL: made from label and type */
    const char *example;        /* for documents */
    const char *const *choices; /* BP_TYPE_CHOICE: names, NULL at the end */
    const struct bp_field *sub; /* BP_TYPE_OBJECT and BP_TYPE_ARRAY: rows of the struct or item */
    /* More checks than bounds can say; adds problems. value points to the decoded member. Pure. May be NULL. */
    void (*check)(const struct bp_field *row, const void *value, struct bp_problems *problems);
    /* Value (spans: nanoseconds, dates: milliseconds), code points or items. Both 0: no bound; max 0 and min above 0: no upper bound. */
    int64_t min, max;
    uint32_t offset;    /* of the member, in the struct */
    uint32_t item_size; /* BP_TYPE_ARRAY: bytes per item; BP_TYPE_PRESENCE: offset of the null set */
    uint16_t type;      /* enum bp_type */
    uint16_t flags;     /* enum bp_field_flag */
    uint32_t spare32;
    /* What .check asks of a text, as regular expressions (ECMA-262, NULL at the end), all of which it fits: for documents. May be NULL. */
    const char *const *patterns;
    uint64_t spare[1];
};

#ifdef __cplusplus
static_assert(sizeof(struct bp_field) == 128, "struct bp_field is 128 bytes in ABI 1.x");
#else
_Static_assert(sizeof(struct bp_field) == 128, "struct bp_field is 128 bytes in ABI 1.x");

/* A wrong member type does not compile. */
#define BP_OFFSET_(S, member, T) \
    ((uint32_t)(offsetof(S, member) + 0 * sizeof(_Generic(&((S *)0)->member, T * : (char)0))))
#define BP_ROW_(S, member, T, TYPE, ...)                                                 \
    {                                                                                    \
        .name = #member, .type = (TYPE), .offset = BP_OFFSET_(S, member, T), __VA_ARGS__ \
    }

/* A row of each type: the struct, its member, and what else there is to say of it, by name.
 *
 *     BP_TEXT(struct note, text, .flags = BP_REQUIRED | BP_TRIM, .min = 1, .max = 2000, .doc = "What it says.")
 */
#define BP_BOOL(S, ...) BP_BOOL_(S, __VA_ARGS__, .spare32 = 0)
#define BP_U32(S, ...) BP_U32_(S, __VA_ARGS__, .spare32 = 0)
#define BP_I64(S, ...) BP_I64_(S, __VA_ARGS__, .spare32 = 0)
#define BP_F64(S, ...) BP_F64_(S, __VA_ARGS__, .spare32 = 0)
#define BP_TEXT(S, ...) BP_TEXT_(S, __VA_ARGS__, .spare32 = 0)
#define BP_CHOICE(S, ...) BP_CHOICE_(S, __VA_ARGS__, .spare32 = 0)
#define BP_SPAN(S, ...) BP_SPAN_(S, __VA_ARGS__, .spare32 = 0)
#define BP_SIZE(S, ...) BP_SIZE_(S, __VA_ARGS__, .spare32 = 0)
#define BP_UUID(S, ...) BP_UUID_(S, __VA_ARGS__, .spare32 = 0)
#define BP_DATE(S, ...) BP_DATE_(S, __VA_ARGS__, .spare32 = 0)
#define BP_BOOL_(S, member, ...) BP_ROW_(S, member, bool, BP_TYPE_BOOL, __VA_ARGS__)
#define BP_U32_(S, member, ...) BP_ROW_(S, member, uint32_t, BP_TYPE_U32, __VA_ARGS__)
#define BP_I64_(S, member, ...) BP_ROW_(S, member, int64_t, BP_TYPE_I64, __VA_ARGS__)
#define BP_F64_(S, member, ...) BP_ROW_(S, member, double, BP_TYPE_F64, __VA_ARGS__)
#define BP_TEXT_(S, member, ...) BP_ROW_(S, member, bp_str, BP_TYPE_TEXT, __VA_ARGS__)
#define BP_CHOICE_(S, member, ...) BP_ROW_(S, member, uint32_t, BP_TYPE_CHOICE, __VA_ARGS__)
#define BP_SPAN_(S, member, ...) BP_ROW_(S, member, bp_span, BP_TYPE_SPAN, __VA_ARGS__)
#define BP_SIZE_(S, member, ...) BP_ROW_(S, member, uint64_t, BP_TYPE_SIZE, __VA_ARGS__)
#define BP_UUID_(S, member, ...) BP_ROW_(S, member, bp_uuid, BP_TYPE_UUID, __VA_ARGS__)
#define BP_DATE_(S, member, ...) BP_ROW_(S, member, bp_date, BP_TYPE_DATE, __VA_ARGS__)
/* BP_OBJECT(struct page, meta, meta_fields, .doc = "…") */
#define BP_OBJECT(S, member, ...) BP_OBJECT_(S, member, __VA_ARGS__, .spare32 = 0)
#define BP_OBJECT_(S, member, rows, ...)                                                                             \
    {                                                                                                                \
        .name = #member, .type = BP_TYPE_OBJECT, .offset = (uint32_t)offsetof(S, member), .sub = (rows), __VA_ARGS__ \
    }
/* BP_ARRAY(struct page, data, struct todo, todo_fields, .max = 100) */
#define BP_ARRAY(S, member, Item, ...) BP_ARRAY_(S, member, Item, __VA_ARGS__, .spare32 = 0)
#define BP_ARRAY_(S, member, Item, rows, ...)                                                                    \
    {                                                                                                            \
        .name = #member, .type = BP_TYPE_ARRAY, .offset = BP_OFFSET_(S, member, struct bp_array), .sub = (rows), \
        .item_size = (uint32_t)sizeof(Item), __VA_ARGS__                                                         \
    }
/* The first row of a table whose structs say which members were given. Bit n stands for the n-th row after it. */
#define BP_PRESENCE(S, set_member, null_member)                                              \
    {                                                                                        \
        .name = "", .type = BP_TYPE_PRESENCE, .offset = BP_OFFSET_(S, set_member, uint64_t), \
        .item_size = BP_OFFSET_(S, null_member, uint64_t)                                    \
    }
#define BP_END                            \
    {                                     \
        .name = NULL, .type = BP_TYPE_END \
    }
#endif

/* Whether the member was given (and, for is_null, was null). False for a name that the table does not have,
 * and for a table without BP_PRESENCE. Pure. */
bool bp_is_set(const struct bp_field *rows, const void *object, const char *member);
bool bp_is_null(const struct bp_field *rows, const void *object, const char *member);

/* NULL, or what is wrong with rows that were made while the program runs (those of a plugin are checked when it is loaded): 'row "x" has a
 * default that is no legal value'. They are compiled here: they must then live, unchanged, as long as the process. Not for handlers. */
const char *bp_rows_check(const struct bp_field *rows);

/* The row's name in JSON and in parameters: "createdAt" for created_at. Lives with the process. */
bp_str bp_field_name(const struct bp_field *row);

/* For providers of databases: a column that holds JSON, into the BP_ARRAY or BP_OBJECT member of this row. 0, BP_NOMEM, or BP_ERROR when
 * it does not fit. Texts live in the arena. Does not suspend. */
struct bp_arena;
int bp_field_decode_json(const struct bp_field *row, bp_str json, struct bp_arena *arena, void *object);

/* The object as JSON, as a reply holds it, in the arena. ptr NULL: out of memory, or the rows are wrong. Pure. */
bp_str bp_object_encode(const struct bp_field *rows, const void *object, struct bp_arena *arena);
/* The reverse: checks, defaults and unknown members as in a body. 0; BP_NOMEM; BP_ERROR, and then *ret_problem, which may be NULL, says what is wrong
 * first ("title: Title is required"), in the arena. Does not suspend. */
int bp_object_decode(const struct bp_field *rows, bp_str json, struct bp_arena *arena, void *object,
                     bp_str *ret_problem);

/* For .check functions: adds a problem of this row. code: a dotted constant ("password.no_digit"). */
void bp_problem_add(struct bp_problems *problems, const struct bp_field *row, const char *code, const char *message);

#ifdef __cplusplus
}
#endif
#endif
