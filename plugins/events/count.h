/* SPDX-License-Identifier: MIT */
/* backplane_events_total: each event once, whoever looks. */
#ifndef PLUGINS_EVENTS_COUNT_H
#define PLUGINS_EVENTS_COUNT_H

#include "events.h"

/* So many events of this type were numbered by this process. Does not suspend. */
void count_add(const struct events *events, bp_str type, int64_t amount);
/* SQLite, where nobody numbers them: counts what is committed up to this position and that no worker of this server has counted. Suspends. */
int count_upto(struct events *events, int64_t last);

#endif
