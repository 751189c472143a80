/* SPDX-License-Identifier: MIT */
/* The database layer: what stands between a plugin's bp_db_*() call and the provider, the same for every provider. */
#ifndef CORE_DATABASE_FRONT_H
#define CORE_DATABASE_FRONT_H

#include "core/plugin/assembly.h"

/* In assembly_load, after init: defines the metrics, when any instance provides a database. BP_NOMEM or 0. */
int database_front_init(struct assembly *assembly);
/* In the worker, before the first start and after the last stop: whose cache tags and metrics are used. */
void database_front_start(const struct assembly *assembly);
void database_front_stop(void);

#endif
