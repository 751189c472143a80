/* SPDX-License-Identifier: MIT */
/* What a request waited for, kept until it is known whether it was slow: its spans, with the texts of its statements. Where a tracer records, too, it
 * gets all of them as before. */
#ifndef ACCESS_LOG_SLOW_H
#define ACCESS_LOG_SLOW_H

#include "backplane/backplane.h"

#define SLOW_PARTS 48u  /* later ones are only counted */
#define SLOW_QUERY 512u /* bytes of a statement */

struct slow_part {
    struct slow_part *next;
    char name[64];
    bp_time began, ended; /* ended 0: not yet */
    bp_str query;         /* empty: it is no statement */
    unsigned depth;       /* 1: not within another one */
};

/* Parts come one by one: a stream that is open for hours keeps no room for more than it had. */
struct slow {
    bp_time began;
    unsigned count, lost;
    struct slow_part *parts, **end;
};

/* Runs the rest of the pipeline with it. *ret_slow is set first; NULL: no memory, then it runs without. */
int slow_next(struct bp_request *rq, struct slow **ret_slow);

#endif
