/* SPDX-License-Identifier: MIT */
#include "prepared.h"

#include <stdio.h>
#include <stdlib.h>

static struct prepared **bucket_of(struct prepared_table *table, const struct bp_statement *statement)
{
    size_t hash = (size_t)((uintptr_t)statement >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32;
    return &table->buckets[hash % PREPARED_BUCKETS];
}

static bool fits(const struct prepared *prepared, const struct parameter *parameters, size_t count)
{
    if (prepared->count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (parameters[i].oid != 0 && parameters[i].oid != prepared->types[i])
            return false;
    return true;
}

struct prepared *prepared_get(struct prepared_table *table, const struct bp_statement *statement,
                              const struct parameter *parameters, size_t count)
{
    struct prepared **bucket = bucket_of(table, statement), *other = NULL;
    for (struct prepared *prepared = *bucket; prepared; prepared = prepared->next) {
        if (prepared->statement != statement)
            continue;
        if (fits(prepared, parameters, count))
            return prepared;
        other = prepared;
    }
    struct prepared *prepared = calloc(1, sizeof(*prepared) + count * sizeof(prepared->types[0]));
    if (!prepared)
        return NULL;
    prepared->statement = statement;
    prepared->count = count;
    /* What was NULL now may be known from an earlier call: so in the end there is one that fits all. */
    for (size_t i = 0; i < count; i++)
        prepared->types[i] = parameters[i].oid || !other || other->count != count ? parameters[i].oid : other->types[i];
    snprintf(prepared->name, sizeof(prepared->name), "s%u", ++table->names);
    prepared->next = *bucket;
    *bucket = prepared;
    return prepared;
}

void prepared_forget(struct prepared_table *table)
{
    for (size_t i = 0; i < PREPARED_BUCKETS; i++) {
        for (struct prepared *prepared = table->buckets[i], *next; prepared; prepared = next) {
            next = prepared->next;
            free(prepared);
        }
        table->buckets[i] = NULL;
    }
}
