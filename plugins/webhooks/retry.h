/* SPDX-License-Identifier: MIT */
/* When a delivery is tried again. */
#ifndef PLUGINS_WEBHOOKS_RETRY_H
#define PLUGINS_WEBHOOKS_RETRY_H

#include "backplane/clock.h"

#define RETRY_AFTER_MAX BP_DAY /* a receiver that asks for more gets this */

/* Retry-After (RFC 9110 10.2.3): seconds, or a date in one of its three forms. False: it is none of them. */
bool retry_after_parse(bp_str value, bp_date now, bp_date *ret_date);

#endif
