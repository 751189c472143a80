/* SPDX-License-Identifier: MIT */
/* Who wants to know that log files were rotated (bp_on_reopen). */
#ifndef CORE_WORKER_REOPEN_H
#define CORE_WORKER_REOPEN_H

/* Calls them all, on the loop. */
void reopen_logs(void);
/* Forgets them all, at the end of the process. */
void reopen_free(void);

#endif
