/* SPDX-License-Identifier: MIT */
/* Calls what this server does not have. */
#include "backplane/backplane.h"

int bp_of_the_future(void);

static int init(struct bp_host *host, void *self)
{
    (void)host;
    (void)self;
    return bp_of_the_future();
}

BP_PLUGIN(.name = "undefined_symbol", .version = "1.0.0", .init = init);
