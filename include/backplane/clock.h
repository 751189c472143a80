/* SPDX-License-Identifier: MIT */
/* Time. All of it passes through here, so that a test can set it. Every function is thread-safe. */
#ifndef BACKPLANE_CLOCK_H
#define BACKPLANE_CLOCK_H

#include "backplane/str.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int64_t bp_time; /* monotonic, nanoseconds; meaningful on this machine until it boots again */
typedef int64_t bp_span; /* a duration, nanoseconds */
typedef int64_t bp_date; /* UTC, milliseconds since the Unix epoch */

/* Spans to multiply: 30 * BP_SECOND. */
#define BP_MICROSECOND ((bp_span)1000)
#define BP_MILLISECOND ((bp_span)1000000)
#define BP_SECOND ((bp_span)1000000000)
#define BP_MINUTE (60 * BP_SECOND)
#define BP_HOUR (60 * BP_MINUTE)
#define BP_DAY (24 * BP_HOUR)
/* No deadline: for waits that only the request's own deadline bounds. */
#define BP_FOREVER INT64_MAX

/* The same clock in every process of this machine (CLOCK_MONOTONIC). */
bp_time bp_clock(void);
/* The wall clock, UTC. May jump. */
bp_date bp_date_now(void);

/* RFC 3339 with milliseconds and Z: "2026-11-22T19:55:02.123Z". */
#define BP_DATE_LEN 24
/* The last one that this form can say: 9999-12-31T23:59:59.999Z. */
#define BP_DATE_LAST INT64_C(253402300799999)
/* Writes BP_DATE_LEN bytes in that form, no NUL. Years 0000 to 9999. */
void bp_date_format(bp_date date, char ret_text[BP_DATE_LEN]);
/* RFC 3339 date-time with any offset; leap second 60 is read as 59. False when it is not one. */
bool bp_date_parse(bp_str text, bp_date *ret_date);

/* How long to wait before what failed is tried again. attempt: how many there were, 1, 2, 3 …; first doubled for each further one, up to
 * most; and of that between half and all, as random says (any 32 bits: 0 is half, UINT32_MAX all), so that many that failed together do not come back
 * together. Pure. */
bp_span bp_backoff(uint32_t attempt, bp_span first, bp_span most, uint32_t random);

/* When a server that was asked wants to be asked again, not before: the value of its Retry-After (RFC 9110 10.2.3), seconds or a date in one of its
 * three forms; a day from now at most. False when it is neither. Pure. */
bool bp_retry_after_parse(bp_str value, bp_date now, bp_date *ret_date);

#ifdef __cplusplus
}
#endif
#endif
