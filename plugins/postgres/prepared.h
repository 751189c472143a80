/* SPDX-License-Identifier: MIT */
/* What a connection has prepared, by the address of the statement and the types of its values. */
#ifndef POSTGRES_PREPARED_H
#define POSTGRES_PREPARED_H

#include "row.h"

#define PREPARED_BUCKETS 64u
#define PREPARED_NAME 16u

enum prepared_state { PREPARED_NOT, PREPARED_SENT, PREPARED_READY };

struct prepared {
    struct prepared *next; /* in the bucket */
    const struct bp_statement *statement;
    enum prepared_state state;
    char name[PREPARED_NAME];
    size_t count;
    uint32_t types[]; /* OIDs; 0: the server finds out */
};

struct prepared_table {
    struct prepared *buckets[PREPARED_BUCKETS];
    unsigned names; /* given so far: none is used twice on a connection */
};

/* One that fits the types of these values (a NULL fits any), made when there is none. NULL when out of memory. */
struct prepared *prepared_get(struct prepared_table *table, const struct bp_statement *statement,
                              const struct parameter *parameters, size_t count);
/* Accepts zeroes. Names go on. */
void prepared_forget(struct prepared_table *table);

#endif
