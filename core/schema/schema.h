/* SPDX-License-Identifier: MIT */
/*
 * What the core does with field tables (backplane/field.h). Tables are compiled on first use and remembered by their address, per process;
 * compiling checks them (types, defaults that parse, sub-tables, at most 64 rows under presence).
 */
#ifndef CORE_SCHEMA_SCHEMA_H
#define CORE_SCHEMA_SCHEMA_H

#include "backplane/arena.h"
#include "backplane/field.h"
#include "core/base/buffer.h"

/* One thing wrong with an input. Texts live in the arena given to problems_init. */
struct problem {
    bp_str field;   /* JSON or option name: "title"; "items[2].name" */
    bp_str pointer; /* RFC 6901: "/items/2/name" */
    bp_str code;    /* "required" "too_short" "too_long" "invalid" "out_of_range" "unknown" …, or a check's own */
    bp_str message;
    unsigned line; /* configuration only; else 0 */
    const char *file;
};
/* Where in a nested input a value is: a member's name, or (name.ptr NULL) an index. Lives on the decoder's stack. */
struct problem_path {
    const struct problem_path *parent;
    bp_str name;
    size_t index;
};
struct bp_problems {
    struct bp_arena *arena;
    struct problem *items;
    size_t len, cap;
    const struct problem_path *path; /* of the nested object or item being checked; NULL: the top */
    unsigned line;
    const char *file;
    bool failed; /* out of memory */
};
void problems_init(struct bp_problems *problems, struct bp_arena *arena);
/* Adds one for the member called name (empty: the value that path leads to). After PROBLEMS_MAX the rest is dropped. */
void problems_add(struct bp_problems *problems, bp_str name, const char *code, bp_str message);
#define PROBLEMS_MAX 1000

/* Says what is wrong with a table itself (an author's error); NULL when it is fine. The text is static or lives with the process. */
const char *schema_check(const struct bp_field *rows);

/*
 * JSON (RFC 8259). One scan bounds the nesting to 64 and refuses raw control bytes before jansson reads it; legal JSON of any kind is understood.
 * A syntax error is one problem with code "syntax" and the message "Invalid JSON at line L, column C: …" (returns SCHEMA_SYNTAX);
 * validation errors are all reported (SCHEMA_INVALID). Unknown members are ignored. Every member that rows describe is zeroed first, defaults
 * are filled in, texts are copied into the arena. U+0000 in a text is a validation error. 0, BP_NOMEM or a condition.
 */
enum schema_condition { SCHEMA_SYNTAX = 1, SCHEMA_INVALID };
int schema_decode_json(const struct bp_field *rows, bp_str json, struct bp_arena *arena, void *object,
                       struct bp_problems *problems);

/* The same of a value that was read already (json_t of jansson), without the syntax error. */
struct json_t;
int schema_decode_value(const struct bp_field *rows, struct json_t *value, struct bp_arena *arena, void *object,
                        struct bp_problems *problems);

/* Texts by name (path parameters, query parameters, already percent-decoded): 0 or SCHEMA_INVALID. find: gives the text of a name, false when absent. */
int schema_decode_texts(const struct bp_field *rows, bool (*find)(void *argument, bp_str json_name, bp_str *ret_text),
                        void *argument, struct bp_arena *arena, void *object, struct bp_problems *problems);

/* One value from its text as in a configuration file or an environment variable ("30s", "true", "10MB", a choice's name), for defaults and ${…};
 * checks bounds and .check. Texts are copied into the arena. 0, BP_NOMEM or SCHEMA_INVALID. object: the struct that the row's offset is in. */
int schema_set_text(const struct bp_field *row, bp_str text, struct bp_arena *arena, void *object,
                    struct bp_problems *problems);
/* A typed value of a configuration file: same checks. Integers for every integer type (also SPAN seconds and SIZE bytes), bool for BOOL, floats for F64. */
int schema_set_integer(const struct bp_field *row, int64_t value, void *object, struct bp_problems *problems);
int schema_set_bool(const struct bp_field *row, bool value, void *object, struct bp_problems *problems);
int schema_set_number(const struct bp_field *row, double value, void *object, struct bp_problems *problems);
/* Fills every default of a table into a zeroed object; stage chooses BP_STAGE rows (true), the others (false). */
int schema_set_defaults(const struct bp_field *rows, bool stage, struct bp_arena *arena, void *object);

/* Appends the object as JSON: members of rows in order; those not in the set bits of BP_PRESENCE are left out, those in null are null. */
void schema_encode_json(const struct bp_field *rows, const void *object, struct buffer *out);
/* One member's value. */
void schema_encode_member(const struct bp_field *row, const void *object, struct buffer *out);
/* A JSON string with quotes, escaped. Invalid UTF-8 becomes U+FFFD. */
void schema_encode_text(bp_str text, struct buffer *out);
/* One value as in a configuration file ("30s", "true", 10485760), for `config print`; "[secret]" for BP_SECRET. */
void schema_print_value(const struct bp_field *row, const void *object, struct buffer *out);

/* "createdAt" for created_at: the row's JSON name. Lives with the process. */
bp_str schema_json_name(const struct bp_field *row);
/* "an integer from 1 to 100", "a duration such as 30s": for messages and option tables, into out. */
void schema_describe_type(const struct bp_field *row, struct buffer *out);
/* The row of this configuration name, or NULL; and the nearest name for a suggestion (at most 2 edits, or a third of its length), or NULL. */
const struct bp_field *schema_find(const struct bp_field *rows, bp_str name);
const char *schema_nearest(const struct bp_field *rows, bp_str name);
/* The nearest of count names to name under the same rule, or NULL. */
const char *nearest_name(bp_str name, const char *const *names, size_t count);

#endif
