/* SPDX-License-Identifier: MIT */
/*
 * What went wrong, grouped by plugin, route and code: a table of fixed size in shared memory, which outlives the workers. They write under a robust mutex; the
 * supervisor, which must never wait for a worker, reads without it, and keeps what it saw itself (deaths) in a table of its own.
 */
#ifndef CORE_ERROR_ERRORS_H
#define CORE_ERROR_ERRORS_H

#include "backplane/clock.h"
#include "core/base/buffer.h"

#define ERRORS_REGION "core.errors"
#define ERRORS_VERSION 1u
#define ERRORS_GROUPS 256u

struct errors;
struct shared;

/* Texts are cut where the table has no more room, and what is not printable ASCII becomes '?'. All but code may be empty. */
struct error_sample {
    bp_str plugin, route, code;
    bp_str message, request_id, trace_id;
};

/* Bytes of a table; zeroed memory is an empty one. */
size_t errors_size(void);

/* In a worker: gives it the table of the shared memory; without one what follows does nothing. */
void errors_attach(struct shared *shared);
void errors_detach(void);
/* Counts one in the worker's table, and keeps it as the last of its group. When all groups are taken it is only counted. */
void errors_note_here(const struct error_sample *sample);
/* A dying worker's last words: where it was. Async-signal-safe. */
void errors_crashing(unsigned slot, bp_str plugin, bp_str route, bp_str request_id);

/* In the supervisor: the worker of this slot has ended unasked. end: how ("was killed by SIGSEGV"). What it left in shared goes into own. Returns the
 * instance in whose code it was, as far as it has said; empty. */
bp_str errors_reaped(struct errors *shared, struct errors *own, unsigned slot, bp_str end, bp_date now);
/* All groups of both tables as a JSON object, the latest first. */
void errors_write(const struct errors *shared, const struct errors *own, struct buffer *out);

#endif
