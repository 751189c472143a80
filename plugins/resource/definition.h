/* SPDX-License-Identifier: MIT */
/* What the toolkit of resources (backplane/resource.h) wants to know, made from options. */
#ifndef RESOURCE_DEFINITION_H
#define RESOURCE_DEFINITION_H

#include "options.h"

#define ROUTES 7

/* Lives as long as the process, with all that it points to: the core knows its tables by their addresses. */
struct definition {
    struct bp_resource resource;
    struct bp_route routes[ROUTES + 1];
    struct bp_resource_filter filters[2];
    struct bp_answer answers[2];
    struct bp_migration *migrations; /* ends with BP_MIGRATION_END */
    struct bp_field rows[FIELDS_MAX + 8];
    struct bp_field items[FIELDS_MAX][2]; /* of lists of texts */
    const char *choices[FIELDS_MAX][101];
};

/* The row of a field in a table, with its bounds and default; its offset is the caller's. False when out of memory. */
bool definition_row(const struct field_option *field, struct definition *definition, size_t index,
                    struct bp_field *ret_row);
/* BP_INVALID when something was reported, BP_NOMEM, or 0. */
int definition_new(struct bp_host *host, const struct resource_plugin *self, struct definition **ret_definition);

/* tables.c: the history of its table: what the fields of each `since` come to. NULL: out of memory. */
struct bp_migration *tables_migrations(const struct resource_plugin *self, const char *name);

#endif
