/* SPDX-License-Identifier: MIT */
/* What `backplane top` shows: two samples of a server's metrics, and the frame that their difference makes. */
#ifndef CORE_CLI_TOP_H
#define CORE_CLI_TOP_H

#include <jansson.h>

#include "backplane/clock.h"
#include "core/base/buffer.h"

#define TOP_BUCKETS 64u

/* What is summed up under one name: a route, a plugin, a kind of statement. */
struct top_row {
    char key[96]; /* printable ASCII */
    double count, failures, sum;
    unsigned bucket_count;
    double bounds[TOP_BUCKETS], cumulated[TOP_BUCKETS]; /* in the order met: ascending */
};
struct top_rows {
    struct top_row *items; /* sorted by nothing */
    size_t count, cap;
};

struct top_sample {
    bp_time at;
    struct top_row all; /* every route's requests */
    struct top_rows routes, plugins, calls /* to databases and Redis */, gauges;
    double active; /* requests in flight */
    json_t *status, *errors;
};

/* Reads the Prometheus text format, and takes the two answers over (may be NULL). False: out of memory. */
bool top_sample_read(struct top_sample *sample, const char *metrics, json_t *status, json_t *errors);
void top_sample_deinit(struct top_sample *sample);
/* The row of this key; NULL: none. */
const struct top_row *top_find(const struct top_rows *rows, const char *key);
/* The quantile of what came between two rows, in seconds, linear within a bucket; negative: nothing came. before may be NULL. */
double top_quantile(const struct top_row *before, const struct top_row *now, double quantile);

/* Appends the frame, lines of at most width characters, at most height of them (0: as many as there are). before NULL: only one sample is there yet. */
void top_frame(const struct top_sample *before, const struct top_sample *now, unsigned width, unsigned height,
               struct buffer *out);

#endif
