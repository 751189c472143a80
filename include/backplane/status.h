/* SPDX-License-Identifier: MIT */
/*
 * Functions return an int status. 0: fine. Negative: fatal to the request; forward it unchanged
 * (through bp_trace()). Positive: a named condition of the function's own module, handled by the
 * direct caller and never forwarded.
 *
 * A negative status that a handler or stage returns becomes a reply: see each code.
 */
#ifndef BACKPLANE_STATUS_H
#define BACKPLANE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* Those that every module may return. */
enum bp_status {
    BP_OK = 0,
    BP_ERROR = -1,    /* something failed and was described in the log; 500 */
    BP_NOMEM = -2,    /* out of memory; 500 */
    BP_TIMEOUT = -3,  /* a deadline passed; 504 */
    BP_CANCELED = -4, /* the client is gone or the worker stops; no reply */
    BP_BUSY = -5,     /* a bounded resource is full, or a service is away for now; 503 with Retry-After */
    BP_REFUSED = -6,  /* the callee has recorded the reply (a validation error, say); it is sent as it is */
    BP_INVALID = -7,  /* a bad configuration, reported through bp_config_error(); only from init */
    BP_MISUSE = -8,   /* the API was called where it must not be; described in the log; 500 */
    BP_UNKNOWN = -9 /* a write was sent and its answer was lost: it may have taken place, or not; 503 outcome_unknown */
};

/* The name of a negative status ("BP_TIMEOUT"), for logs. Never NULL. */
const char *bp_status_name(int status);

/* `return bp_trace(status);` forwards a negative status; with BP_DEBUG defined it logs file:line once per hop at level debug. Thread-safe. */
int bp_trace_at(int status, const char *file, int line);
#ifdef BP_DEBUG
#define bp_trace(status) bp_trace_at((status), __FILE__, __LINE__)
#else
#define bp_trace(status) (status)
#endif

#ifdef __cplusplus
}
#endif
#endif
