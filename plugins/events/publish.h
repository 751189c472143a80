/* SPDX-License-Identifier: MIT */
#ifndef PLUGINS_EVENTS_PUBLISH_H
#define PLUGINS_EVENTS_PUBLISH_H

#include "backplane/iface/events.h"

/* See bp_events_publish(). */
int publish(void *self, struct bp_tx *tx, const struct bp_events_item *item);

#endif
