/* SPDX-License-Identifier: MIT */
/* Tables and helpers of the tests. */
#ifndef TESTS_UNIT_SCHEMA_SAMPLE_H
#define TESTS_UNIT_SCHEMA_SAMPLE_H

#include "core/schema/schema.h"

/* What POST /api/v1/todos takes. */
struct todo_body {
    uint64_t set, null;
    bp_str title;
    bool completed;
};
extern const struct bp_field todo_body[];

/* What POST /api/v1/auth/sign-up takes. */
struct account_body {
    bp_str email, password;
};
extern const struct bp_field account_body[];

/* One of every scalar type, all optional and nullable. */
struct scalars {
    uint64_t set, null;
    bool flag;
    uint32_t count;
    int64_t offset;
    double ratio;
    bp_str text;
    uint32_t color;
    bp_span span;
    uint64_t size;
    bp_uuid id;
    bp_date due_at;
};
extern const struct bp_field scalars[];

/* All that problems say, one "field pointer code: message" a line. Lives in the problems' arena. */
const char *problems_text(const struct bp_problems *problems);
/* The messages alone, joined by "|". */
const char *problems_messages(const struct bp_problems *problems);
/* NUL-terminated, in a static place that the next call uses again. */
const char *encoded(const struct bp_field *rows, const void *object);

#endif
