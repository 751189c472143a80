/* SPDX-License-Identifier: MIT */
/* Last words: a handler on its own signal stack for SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT that writes one log line
 * (event "worker.crashed") naming signal, plugin, hook, route and request id, says "stack overflow" when the fault lies in the
 * guard of the current fiber's stack, adds a backtrace, and dies of the same signal. Async-signal-safe. Sanitizer builds: not installed. */
#ifndef CORE_WORKER_CRASH_H
#define CORE_WORKER_CRASH_H

/* After log_setup(), on the loop's thread. Also installs crash_handler_dump() for SIGUSR2, in every build. */
void crash_handler_install(void);

#endif
