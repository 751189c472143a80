/* SPDX-License-Identifier: MIT */
/* How many CPUs this process may use. */
#ifndef CORE_SUPERVISOR_CPUS_H
#define CORE_SUPERVISOR_CPUS_H

#include "backplane/str.h"

/* At least 1: the affinity mask, and the tightest cgroup quota (v2 and v1) rounded up. */
unsigned cpus_available(void);
/* What a cgroup's cpu.max ("150000 100000", "max 100000") allows, rounded up; 0: no limit, or not understood. */
unsigned cpus_of_quota(bp_str text);

#endif
