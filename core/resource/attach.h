/* SPDX-License-Identifier: MIT */
#ifndef CORE_RESOURCE_ATTACH_H
#define CORE_RESOURCE_ATTACH_H

#include "core/plugin/assembly.h"

/* Of a route with .resource: compiles it, once per instance, and fills in what the route leaves open. Everything wrong is in the
 * report of the assembly. What is compiled lives with the process: field tables and statements are known by their addresses. BP_NOMEM or 0. */
int resource_attach(struct bp_host *host, struct endpoint *endpoint);

#endif
