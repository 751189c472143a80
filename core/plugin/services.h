/* SPDX-License-Identifier: MIT */
/* Who uses whom: every need gets its provider, and the instances the order in which they start. */
#ifndef CORE_PLUGIN_SERVICES_H
#define CORE_PLUGIN_SERVICES_H

#include "core/plugin/assembly.h"

/* Writes the handles into the instances. Missing, ambiguous and badly chosen providers are reported. some_missing: a plugin could not be
 * loaded, so nobody knows what it would have provided, and a need without provider is not reported. */
void services_resolve(struct assembly *assembly, bool some_missing);
/* Sorts assembly->hosts: providers first, else as configured. Circles are reported. BP_NOMEM or 0. */
int services_sort(struct assembly *assembly);

#endif
