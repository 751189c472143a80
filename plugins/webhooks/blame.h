/* SPDX-License-Identifier: MIT */
/* What an attempt says of its endpoint: it works, it fails, it is asked too much, it wants no more. */
#ifndef PLUGINS_WEBHOOKS_BLAME_H
#define PLUGINS_WEBHOOKS_BLAME_H

#include "delivery.h"

/* In tx. An endpoint that fails, or asks for it, is paused; one that does not work any more is switched off, and its owner is told by mail, where there is
 * a mailer. *ret_disabled: that it was switched off just now. Suspends. */
int blame(const struct webhooks *self, struct bp_tx *tx, const struct due *due, const struct attempt *attempt,
          bool *ret_disabled);

#endif
