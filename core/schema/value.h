/* SPDX-License-Identifier: MIT */
/* Values: from text, within bounds, into a struct. */
#ifndef CORE_SCHEMA_VALUE_H
#define CORE_SCHEMA_VALUE_H

#include "core/schema/table.h"

enum verdict { VALUE_FINE, VALUE_MALFORMED, VALUE_BELOW, VALUE_ABOVE };

/* Every scalar type but BP_TYPE_TEXT, bounds included. *ret_value is untouched unless VALUE_FINE. */
enum verdict value_parse(const struct column *column, bp_str text, union value *ret_value);
/* The integer types within their bounds (SPAN: nanoseconds). */
enum verdict value_of_integer(const struct column *column, int64_t integer, union value *ret_value);
/* The same from a double that has no fraction; BP_TYPE_F64 from any. */
enum verdict value_of_number(const struct column *column, double number, union value *ret_value);
/* A SPAN of whole seconds or a SIZE of bytes; any other type as value_of_integer(). */
enum verdict value_of_plain_integer(const struct column *column, int64_t integer, union value *ret_value);
/* The bound that a value above or below it is brought to. */
void value_clamp(const struct column *column, enum verdict verdict, union value *ret_value);

/* Trims, lower-cases, bounds and copies a text into the struct and runs .check; problems go into problems. valid_utf8: known to be. */
void text_store(const struct column *column, bp_str text, bool valid_utf8, struct bp_arena *arena, void *object,
                struct bp_problems *problems);
/* The white space (as ECMAScript's trim() knows it) at both ends taken off. */
bp_str text_trim(bp_str text);
/* Number of code points, or SIZE_MAX when it is not UTF-8. */
size_t text_length(bp_str text);

/* Puts a scalar value into the struct and runs .check. */
void value_store(const struct column *column, const union value *value, void *object, struct bp_problems *problems);
/* The problem of a value that is no value of this column. */
void value_refuse(const struct column *column, enum verdict verdict, struct bp_problems *problems);
/* "<Label> is required" */
void value_require(const struct column *column, struct bp_problems *problems);
/* "<Label> <rest>"; limit is put where rest has %d. */
void value_complain(const struct column *column, const char *code, const char *format, int64_t limit,
                    struct bp_problems *problems);
/* Fills in the defaults of the rows whose BP_STAGE flag is in stages (1: set, 2: not set). */
enum { DEFAULTS_STAGE = 1, DEFAULTS_SELF = 2 };
int defaults_fill(const struct table *table, unsigned stages, void *object);
/* Zeroes every member that the rows describe, then fills in all defaults. */
int object_reset(const struct table *table, void *object);

#endif
