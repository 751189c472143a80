/* SPDX-License-Identifier: MIT */
/*
 * Daemons in tests: folders, ports, processes. None outlives the process that started it, however that ends: a watcher process of its own
 * then stops the daemons and removes the folders. What cannot be done aborts the caller with the reason on standard error, so
 * these need no Criterion.
 */
#ifndef SUPPORT_SERVICE_H
#define SUPPORT_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { SERVICE_FOLDER_SIZE = 64, SERVICE_READY_MILLISECONDS = 20000 };

__attribute__((noreturn, format(printf, 1, 2))) void service_fail(const char *format, ...);

/* A new folder in /tmp that belongs to the daemons' account: "postgres" when we are root (Postgres and pgbouncer refuse to run as root), else ours. */
void service_folder(char ret_folder[SERVICE_FOLDER_SIZE]);
void service_folder_remove(const char *folder);
/* Gives a file or folder to the daemons' account. */
void service_own(const char *path);
/* The account's name. */
const char *service_account(void);

/* A port of 127.0.0.1 that nobody listens on now. */
int service_free_port(void);
/* False when nobody answers there. */
bool service_reachable(int port);
/* Waits a moment between two looks at a condition. */
void service_breathe(void);
/* For loops that wait for a condition: breathes, and is true until so many milliseconds have passed since its first call with
 * this *begun, which is 0 then. */
bool service_patience(long long *begun, int milliseconds);
long long service_milliseconds(void); /* of a clock that never jumps */
/* Returns when the next millisecond of the wall clock has begun. */
void service_next_millisecond(void);

/* Starts a program (arguments[0] a path, NULL at the end) as the daemons' account, its output appended to the file log. */
pid_t service_spawn(const char *const *arguments, const char *log);
/* Runs one to its end; aborts with its output when that is not exit code 0. */
void service_run(const char *const *arguments, const char *log);
/* False when it has ended (by itself: reaped here). */
bool service_alive(pid_t pid);
/* Sends a signal and waits for the end; after 10 s it is SIGKILL. */
void service_stop(pid_t pid, int signal);
/* To the process and all below it: SIGSTOP and SIGCONT. */
void service_signal_all(pid_t pid, int signal);
/* kill -9 to the process and all below it, until none is left. */
void service_kill_all(pid_t pid);
/* Aborts with the last lines of the log. */
__attribute__((noreturn)) void service_fail_with_log(const char *what, const char *log);

#endif
