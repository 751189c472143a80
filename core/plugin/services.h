/* SPDX-License-Identifier: MIT */
/* Who uses whom: every need gets its provider, and the instances the order in which they start. */
#ifndef CORE_PLUGIN_SERVICES_H
#define CORE_PLUGIN_SERVICES_H

#include "core/plugin/assembly.h"

/* Writes the handles into the instances. Missing, ambiguous and badly chosen providers are reported. */
void services_resolve(struct assembly *assembly);
/* Sorts assembly->hosts: providers first, else as configured. Circles are reported. BP_NOMEM or 0. */
int services_sort(struct assembly *assembly);

#endif
