/* SPDX-License-Identifier: MIT */
/* How much of the machine this process may use. Reads /proc and /sys: not in init. */
#ifndef AUTH_CAPACITY_H
#define AUTH_CAPACITY_H

#include <stdint.h>

/* The processors that this process may run on; at least 1. */
unsigned capacity_processors(void);
/* Bytes: the least of the machine's memory and the limits of the control group (version 2, or 1) and of those above it. */
uint64_t capacity_memory(void);

#endif
