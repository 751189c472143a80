/* SPDX-License-Identifier: MIT */
/*
 * Tracing: spans of the work that is done for a request or a job (OpenTelemetry). A span belongs to the fiber that began it, and is a part of
 * the one that was current there; what the fiber begins until it ends is a part of it. The core makes those of requests, stages that wait,
 * database statements and offloaded work. Nothing is recorded unless a tracer (plugin "tracing") wants it: then bp_trace_begin() returns NULL,
 * which every function here accepts, and each costs a load and a branch. On the worker's thread; none suspends, none fails.
 *
 *     struct bp_trace_span *span = bp_trace_begin("smtp send", BP_TRACE_CLIENT);
 *     bp_trace_text(span, "server.address", host);
 *     int status = send_it(…);
 *     if (status < 0)
 *         bp_trace_error(span, bp_status_name(status));
 *     bp_trace_end(span);
 *
 * (bp_span is a length of time, and bp_trace() of status.h forwards a status: neither has to do with these.)
 */
#ifndef BACKPLANE_TRACE_H
#define BACKPLANE_TRACE_H

#include "backplane/str.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bp_request;
struct bp_trace_span;

#define BP_TRACE_SAMPLED 1u

/* A span as others know it (W3C Trace Context, Baggage). */
struct bp_trace_context {
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint8_t flags; /* BP_TRACE_SAMPLED */
    uint8_t spare[7];
    bp_str state;   /* tracestate; may be empty */
    bp_str baggage; /* may be empty */
};

/* Which side of a call it is (SpanKind of OpenTelemetry): work within, an answer, a request, a message sent, a message handled. */
enum bp_trace_kind { BP_TRACE_INTERNAL = 1, BP_TRACE_SERVER, BP_TRACE_CLIENT, BP_TRACE_PRODUCER, BP_TRACE_CONSUMER };

/* Begins a part of the fiber's current span, and makes it the current one. name is copied. NULL when nothing records. */
struct bp_trace_span *bp_trace_begin(const char *name, enum bp_trace_kind kind);
/* Ends it, on the same fiber; the span around it is current again. It may not be used after that. */
void bp_trace_end(struct bp_trace_span *span);
/* The fiber's current span, for more attributes; NULL when nothing records. Not to be ended by who did not begin it. */
struct bp_trace_span *bp_trace_active(void);
/* Gives it another name; copied. */
void bp_trace_rename(struct bp_trace_span *span, bp_str name);

/* Attributes. key lives as long as the process ("db.system.name": OpenTelemetry's semantic conventions, where they have one). Values are
 * copied, cut at the tracer's limit; what is beyond the limit of attributes is counted and left out. Never a secret, never personal data that
 * the log would not hold. */
void bp_trace_text(struct bp_trace_span *span, const char *key, bp_str value);
/* The same of a text that lives as long as the process. */
void bp_trace_text_borrow(struct bp_trace_span *span, const char *key, bp_str value);
void bp_trace_integer(struct bp_trace_span *span, const char *key, int64_t value);
void bp_trace_boolean(struct bp_trace_span *span, const char *key, bool value);
/* It failed: the span's status is an error, and error.type is that, a short constant (copied). */
void bp_trace_error(struct bp_trace_span *span, const char *type);
/* Another span that led to this one, without being the one around it: of a job, the request that enqueued it. */
void bp_trace_link(struct bp_trace_span *span, const struct bp_trace_context *context);

/* The first span of a fiber that has no request: begins a trace, or goes on with that of parent (may be NULL). The tracer decides whether it is
 * recorded; NULL when not. End it as any other, before the fiber ends. */
struct bp_trace_span *bp_trace_root(const char *name, enum bp_trace_kind kind, const struct bp_trace_context *parent);

/* The context of the fiber's current span, recorded or not. Its texts live as long as the request (or the root). False without one. */
bool bp_trace_current(struct bp_trace_context *ret_context);
/* The context of the request's own span, also when no fiber runs any more (bp_on_done). NULL: no stage has made one. */
const struct bp_trace_context *bp_request_trace(const struct bp_request *rq);
/* Hands out what goes with a message to somebody else, so that the trace goes on there: the fields "traceparent", and "tracestate" and
 * "baggage" where there are any, for the fiber's current span. The value lives until set returns. Nothing without a span. */
void bp_trace_inject(void (*set)(void *argument, const char *name, bp_str value), void *argument);

#define BP_TRACE_ID_LEN 32
#define BP_TRACE_SPAN_ID_LEN 16
#define BP_TRACE_PARENT_LEN 55
/* In lower-case hex digits, no NUL. */
void bp_trace_id_format(const struct bp_trace_context *context, char ret_text[BP_TRACE_ID_LEN]);
void bp_trace_span_id_format(const struct bp_trace_context *context, char ret_text[BP_TRACE_SPAN_ID_LEN]);
/* The traceparent field of version 00, no NUL. */
void bp_trace_parent_format(const struct bp_trace_context *context, char ret_text[BP_TRACE_PARENT_LEN]);
/* A traceparent field, strictly (W3C Trace Context 3.2, 4.3): version 00 exactly, of later versions what 00 has. Fills ids and flags and empties the
 * texts; false, and nothing changed, when it is malformed. Pure. */
bool bp_trace_parent_parse(bp_str field, struct bp_trace_context *ret_context);
/* How much of a tracestate field is to be passed on: all of it, whole members up to 512 bytes, or nothing when it is malformed (3.3). Pure. */
bp_str bp_trace_state_checked(bp_str field);
/* The same of a baggage field: 64 members, 8192 bytes (W3C Baggage 3.3.2). Pure. */
bp_str bp_trace_baggage_checked(bp_str field);

#ifdef __cplusplus
}
#endif
#endif
