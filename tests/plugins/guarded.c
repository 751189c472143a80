/* SPDX-License-Identifier: MIT */
/* Routes that are not for everybody; as a stage it says who asks. */
#include "backplane/backplane.h"

static int answer(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    return bp_reply_message(rq, 200, "Here");
}

static int middleware(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    return bp_next(rq);
}

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_GET, .path = "/open", .handler = answer, .name = "guarded.open"),
    BP_ROUTE(.method = BP_GET, .path = "/mine", .handler = answer, .name = "guarded.mine", .role = "user",
             .scope = "mine:read"),
    BP_ROUTE(.method = BP_PUT, .path = "/all", .handler = answer, .name = "guarded.all", .role = "admin"),
    BP_ROUTE_END};

BP_PLUGIN(.name = "guarded", .version = "1.0.0", .phase = BP_PHASE_IDENTIFY, .routes = routes,
          .middleware = middleware);
