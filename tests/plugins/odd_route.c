/* SPDX-License-Identifier: MIT */
/* Routes that the router refuses. */
#include "backplane/backplane.h"

static int answer(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    return bp_reply_message(rq, 200, "Here");
}

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_GET, .path = "/odd/{}", .handler = answer, .name = "odd.unnamed"),
    BP_ROUTE(.method = BP_GET, .path = "/items/{key}", .handler = answer, .name = "odd.other_name"), BP_ROUTE_END};

BP_PLUGIN(.name = "odd_route", .version = "1.0.0", .routes = routes);
