/* SPDX-License-Identifier: MIT */
/* Schema migrations, in a one-shot process: start is not called, the providers open their database themselves. */
#ifndef CORE_PLUGIN_MIGRATE_H
#define CORE_PLUGIN_MIGRATE_H

#include "core/plugin/assembly.h"

/* Applies what is missing of every plugin's migrations, in start order, through the database that its instance uses. Two instances of
 * one plugin on one database are one owner. Stops at the first failure, which is logged. ret_applied: steps, over all. */
int migrations_run(struct assembly *assembly, unsigned *ret_applied);

#endif
