/* SPDX-License-Identifier: MIT */
/* Bodies of a resource's writes. */
#ifndef CORE_RESOURCE_BODY_H
#define CORE_RESOURCE_BODY_H

#include <jansson.h>

#include "core/resource/resource.h"

/* The body, decoded by rows. 0, or BP_REFUSED with the error recorded, or a fatal status. Suspends. */
int body_object(struct bp_request *rq, const struct resource *resource, const struct bp_field *rows, void *ret_object);
/* The same of a value that was read already. */
int body_value(struct bp_request *rq, const struct resource *resource, const struct bp_field *rows, json_t *value,
               void *ret_object);
/* The body as a JSON value, json_decref() it. */
int body_json(struct bp_request *rq, json_t **ret_value);

#endif
