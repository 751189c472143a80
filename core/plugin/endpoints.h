/* SPDX-License-Identifier: MIT */
/* The plugins' routes, each with the pipeline that the routes: entries give it. */
#ifndef CORE_PLUGIN_ENDPOINTS_H
#define CORE_PLUGIN_ENDPOINTS_H

#include "core/plugin/assembly.h"

/* Fills assembly->router and endpoints; everything wrong is in the report. BP_NOMEM or 0. After the pipelines were compiled. */
int endpoints_build(struct assembly *assembly);
/* True when the match of a routes: entry ("/x/<star>", or exact) covers the path. */
bool endpoints_match(const char *match, bp_str path);
/* The first routes: entry that covers the path, or NULL. */
const struct config_route *endpoints_entry(const struct config *config, bp_str path);
/* Its listener; NULL without one. */
const char *endpoints_listener(const struct assembly *assembly, bp_str path);
/* "GET" */
const char *endpoints_method_name(uint32_t method);

#endif
