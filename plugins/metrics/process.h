/* SPDX-License-Identifier: MIT */
/* What the kernel knows about this process. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdint.h>

/* User and system time used so far, in microseconds. */
int64_t process_cpu_microseconds(void);
/* 0 where the kernel does not say. */
int64_t process_resident_bytes(void);
int64_t process_open_fds(void);
int64_t process_max_fds(void);

#endif
