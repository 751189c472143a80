/* SPDX-License-Identifier: MIT */
/* A stage that must stand behind "card". */
#include "backplane/backplane.h"

static int middleware(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    return bp_next(rq);
}

static const char *const after[] = {"card", NULL};

BP_PLUGIN(.name = "late", .version = "1.0.0", .after = after, .middleware = middleware);
