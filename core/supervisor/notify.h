/* SPDX-License-Identifier: MIT */
/* The service manager's notification socket (sd_notify(3)). */
#ifndef CORE_SUPERVISOR_NOTIFY_H
#define CORE_SUPERVISOR_NOTIFY_H

/* "READY=1", "STOPPING=1". Nothing happens without NOTIFY_SOCKET. */
void notify_manager(const char *state);

#endif
