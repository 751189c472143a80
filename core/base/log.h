/* SPDX-License-Identifier: MIT */
/* The core's side of the log: where lines go and how they look. Lines are written with one write() each. */
#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H

#include "backplane/log.h"
#include "backplane/trace.h"

enum log_format { LOG_AUTO /* text on a terminal, else JSON */, LOG_JSON, LOG_TEXT };

/* Before the first line; defaults: info, auto, standard error. process: "supervisor", "worker 3", "check". Copied. */
void log_setup(enum bp_level level, enum log_format format, const char *process);
/* Gives the request id of the request running now, for the lines; set by the worker. NULL: none. */
extern bp_str (*log_request_id)(void);
/* Gives the context of its current span, likewise; false: none. */
extern bool (*log_trace)(struct bp_trace_context *ret_context);

/* Gives the address of its client, likewise. */
extern bp_str (*log_client)(void);

/* Is shown each line that was written, on the thread that writes it; set while somebody listens. NULL: nobody. */
typedef void log_observer_function(const struct bp_log_line *line);
extern log_observer_function *_Atomic log_observer;

/* Where the lines of bp_audit() go: "" or "stderr": with the others; "stdout"; a file, relative to folder, made with mode 0640. False: errno, and they go to the standard error. */
bool log_audit_open(bp_str output, bp_str folder);
/* Opens the file again, after a rotation. False: errno, and the old one is still written to. */
bool log_audit_reopen(void);

/* For last words: whether lines are JSON, and the name of the process. */
bool log_is_json(void);
const char *log_process(void);

#endif
