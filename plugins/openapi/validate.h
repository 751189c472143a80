/* SPDX-License-Identifier: MIT */
/* Whether a value is what a schema says: as much of JSON Schema as schemas.c writes. */
#ifndef OPENAPI_VALIDATE_H
#define OPENAPI_VALIDATE_H

#include <jansson.h>
#include <stdbool.h>

#define VALIDATE_WHY 300

/* Stricter than JSON Schema in one point: a member that "properties" does not list is wrong. why: what is wrong, and where. */
bool validate(json_t *document, json_t *schema, json_t *value, char why[VALIDATE_WHY]);

#endif
