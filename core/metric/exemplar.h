/* SPDX-License-Identifier: MIT */
/*
 * An example of what fell into a bucket: one observation and the trace that it was part of. One place for each bucket of a series, for all
 * workers: each writes over what the others wrote. There is no lock: a reading of what two wrote at once does not match its check word.
 */
#ifndef CORE_METRIC_EXEMPLAR_H
#define CORE_METRIC_EXEMPLAR_H

#include <stdatomic.h>

#include "backplane/clock.h"
#include "backplane/trace.h"

enum {
    EXEMPLAR_TRACE,
    EXEMPLAR_SPAN = EXEMPLAR_TRACE + 2,
    EXEMPLAR_VALUE,
    EXEMPLAR_DATE,
    EXEMPLAR_CHECK,
    EXEMPLAR_WORDS
};

/* In shared memory; zeroed: empty. */
struct metric_exemplar {
    _Atomic uint64_t words[EXEMPLAR_WORDS];
};

struct exemplar {
    uint8_t trace_id[16], span_id[8];
    double value;
    bp_date date;
};

/* Keeps it, unless there is one that is younger than a second: the bucket of the quick requests is written to on every one. */
void exemplar_store(struct metric_exemplar *place, const struct exemplar *exemplar);
/* False: there is none, or it is being written. */
bool exemplar_load(const struct metric_exemplar *place, struct exemplar *ret_exemplar);

#endif
