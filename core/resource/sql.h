/* SPDX-License-Identifier: MIT */
/* Building a statement for both databases at once, and binding its parameters. */
#ifndef CORE_RESOURCE_SQL_H
#define CORE_RESOURCE_SQL_H

#include "backplane/iface/database.h"
#include "core/base/buffer.h"

struct resource;

enum dialect { SQLITE, POSTGRES, DIALECTS };

/* Where a parameter's value comes from. */
enum source {
    SOURCE_ID,
    SOURCE_OWNER,
    SOURCE_NOW,
    SOURCE_IF_VERSION, /* NULL: any */
    SOURCE_GIVEN,      /* whether the member was given */
    SOURCE_VALUE,      /* the member's value */
    SOURCE_FILTER,
    SOURCE_KEY, /* of a cursor */
    SOURCE_LIMIT,
    SOURCE_OFFSET
};
struct parameter {
    uint8_t source; /* enum source */
    uint8_t index;  /* member, filter or key */
};

#define PARAMETERS_MAX 120

struct sql {
    const struct resource *resource;
    struct buffer text[DIALECTS];
    struct parameter parameters[PARAMETERS_MAX];
    unsigned count;
    bool overflow;
};

/* A statement of a resource, ready to be run. */
struct statement {
    struct bp_statement statement; /* its texts are from malloc */
    struct parameter *parameters;
    unsigned count;
};

/* What the parameters take their values from. */
struct binding {
    const bp_uuid *id, *owner;
    bp_date now;
    const int64_t *if_version;
    const void *object;
    uint64_t given, null;              /* members */
    const struct bp_db_value *filters; /* of a list */
    const struct bp_db_value *keys;
    int64_t limit, offset;
};

/* Appends to both texts, or to one. */
void sql_add(struct sql *sql, const char *text);
void sql_add_each(struct sql *sql, const char *sqlite, const char *postgres);
/* "$3" for the parameter, which is the same number wherever it is used. */
void sql_parameter(struct sql *sql, enum source source, unsigned index);
/* As SQL wants a member's value: cast to jsonb where it is JSON. */
void sql_value(struct sql *sql, unsigned member);
/* A member's column name, or all of them with ", " between. */
void sql_column(struct sql *sql, unsigned member);
void sql_columns(struct sql *sql);
/* Expands "{title}" by value(sql, member), "{now}", "{owner}" and "{value}" (SOURCE_FILTER filter) in one dialect each. */
void sql_expand(struct sql *sql, const char *sqlite, const char *postgres,
                void (*value)(struct sql *sql, unsigned member), unsigned filter);
/* Takes the texts. False when out of memory, or there were too many parameters. name is from malloc, and taken. */
bool sql_finish(struct sql *sql, char *name, uint32_t flags, struct statement *ret_statement);
void statement_free(struct statement *statement);

/* A member's value as a parameter. False when out of memory. */
bool sql_value_of(const struct bp_field *row, const void *object, struct bp_arena *arena,
                  struct bp_db_value *ret_value);
/* Runs it. */
int statement_run(const struct resource *resource, struct bp_tx *tx, const struct statement *statement,
                  const struct binding *binding, struct bp_arena *arena, struct bp_result *ret_result);

#endif
