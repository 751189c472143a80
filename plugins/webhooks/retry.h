/* SPDX-License-Identifier: MIT */
/* When a delivery is tried again. */
#ifndef PLUGINS_WEBHOOKS_RETRY_H
#define PLUGINS_WEBHOOKS_RETRY_H

#include "backplane/clock.h"

#define RETRY_AFTER_MAX BP_DAY /* a receiver that asks for more gets this */

/* Retry-After (RFC 9110 10.2.3): seconds, or a date in one of its three forms. False: it is none of them. */
bool retry_after_parse(bp_str value, bp_date now, bp_date *ret_date);
/* The wait behind the attempt-th one, 1, 2, 3 …: first doubled, up to most; and of that between half and all, as random (of its whole range) says. */
bp_span retry_wait(uint32_t attempt, bp_span first, bp_span most, uint32_t random);

#endif
