/* SPDX-License-Identifier: MIT */
/* Takes the place of malloc, calloc and realloc for the whole process, plugins and libraries too, and makes one of them fail. */
#ifndef FAULTS_FAILING_H
#define FAULTS_FAILING_H

#include <stdbool.h>

/* The n-th allocation from now on fails, and those behind it, as many as burst says; on whichever thread they are. */
void failing_arm(long n, long burst);
/* From now on none fails. True when one has failed since failing_arm(). */
bool failing_disarm(void);
/* Allocations since failing_arm(). */
long failing_count(void);

#endif
