/* SPDX-License-Identifier: MIT */
/* Whether the schema is as new as the code needs: until it is, queries are refused. */
#ifndef POSTGRES_SCHEMA_H
#define POSTGRES_SCHEMA_H

#include "backplane/backplane.h"

struct database;

struct expectation {
    struct expectation *next;
    const char *owner; /* borrowed */
    uint32_t version;
};

enum schema_state { SCHEMA_UNKNOWN, SCHEMA_BEHIND, SCHEMA_READY };

struct schema {
    struct expectation *expectations;
    enum schema_state state;
    char detail[BP_HEALTH_DETAIL]; /* while it is behind: what is missing */
};

/* Before start. */
void schema_expect(void *self, const char *owner, uint32_t version);
int schema_start(struct database *database);
void schema_free(struct schema *schema);

#endif
