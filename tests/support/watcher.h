/* SPDX-License-Identifier: MIT */
/* The process that cleans up after one that has started services (service.c) and has ended: by a crash, a kill -9, a time-out. */
#ifndef SUPPORT_WATCHER_H
#define SUPPORT_WATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Starts the watcher of this process unless it has one; a fork of it gets its own. */
void watcher_begin(void);
/* A process or folder to end or remove afterwards, or (there is false) no longer. */
void watcher_process(pid_t pid, bool there);
void watcher_folder(const char *folder, bool there);
/* The process itself first, then all below it; the number of them. */
size_t watcher_tree(pid_t pid, pid_t *ret_pids, size_t max);
/* False when there is none of that pid, or only its zombie. */
bool watcher_exists(pid_t pid);

#endif
