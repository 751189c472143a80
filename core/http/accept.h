/* SPDX-License-Identifier: MIT */
/* What a client takes, by its Accept (RFC 9110 12.5.1). Pure. */
#ifndef CORE_HTTP_ACCEPT_H
#define CORE_HTTP_ACCEPT_H

#include <stdbool.h>

#include "backplane/str.h"

/* server.not_acceptable: what is answered with 406. */
enum accept_refusal {
    ACCEPT_EXCLUDED, /* an Accept that gives JSON the weight 0, itself or by a range */
    ACCEPT_UNLISTED, /* also one that does not list it: "text/html" */
    ACCEPT_NEVER
};

enum { ACCEPT_NOT_LISTED = -1 };

/* The weight of a media type in thousandths, by the most specific range that covers it, or ACCEPT_NOT_LISTED. ranges: false: only where it is
 * named itself. */
int accept_weight(bp_str accept, bp_str media_type, bool ranges);
/* Whether a JSON reply (an error in either form) may be sent to who sent this Accept; an absent one takes all. */
bool accept_takes_json(bp_str accept, enum accept_refusal refusal);
/* Whether errors are wanted as RFC 9457: only who names that type. */
bool accept_prefers_problem(bp_str accept);

#endif
