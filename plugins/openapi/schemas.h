/* SPDX-License-Identifier: MIT */
/* Field tables as JSON Schema (draft 2020-12, as OpenAPI 3.1 has it). */
#ifndef OPENAPI_SCHEMAS_H
#define OPENAPI_SCHEMAS_H

#include "document.h"

/* {"$ref":…} of the table; the component is made the first time, named so unless that name is another's. */
json_t *schema_table(struct document *document, const struct bp_field *rows, enum use use, const char *name);
/* What one row's value is. parent: of the names of its sub-tables. */
json_t *schema_value(struct document *document, const struct bp_field *row, enum use use, const char *parent);
/* The names of all rows, for "required". */
json_t *schema_names(struct document *document, const struct bp_field *rows);
/* Adds the components that no table describes: Error, Problem, JsonPatch. */
void schema_add_common(struct document *document);
/* {"$ref":"#/components/schemas/<name>"} */
json_t *schema_ref(const char *name);

#endif
