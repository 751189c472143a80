/* SPDX-License-Identifier: MIT */
/* Between values, columns in PostgreSQL's binary format, and C structs. Pure. */
#ifndef POSTGRES_ROW_H
#define POSTGRES_ROW_H

#include "backplane/iface/database.h"

/* A value as libpq wants it: binary. */
struct parameter {
    uint32_t oid; /* 0: the server shall find out, for a NULL */
    int len;
    const char *bytes; /* NULL: NULL; the value's own text, or scratch */
    char scratch[16];
};
/* The parameter borrows from the value and from itself: do not move it. False: it is no value, or out of Postgres' range. */
bool row_encode(const struct bp_db_value *value, struct parameter *ret_parameter);

/* Stores one column that is not NULL into the member; texts are copied into the arena. Any bytes may come. 0, BP_NOMEM, or
 * BP_ERROR when it does not fit. */
int row_decode(const struct bp_field *row, uint32_t oid, bp_str bytes, struct bp_arena *arena, void *member);
/* "int8" of an OID, for messages. */
const char *row_type_name(uint32_t oid);

#endif
