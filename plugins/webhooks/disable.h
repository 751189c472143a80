/* SPDX-License-Identifier: MIT */
/* An endpoint that the server switches off. */
#ifndef PLUGINS_WEBHOOKS_DISABLE_H
#define PLUGINS_WEBHOOKS_DISABLE_H

#include "delivery.h"

/* "gone": it has answered 410; "failing": too many attempts in a row have failed. Tells its owner by mail, where there is a mailer. Suspends. */
int webhooks_disable(const struct webhooks *self, const struct due *due, const char *reason);

#endif
