/* SPDX-License-Identifier: MIT */
/* A route that nobody answers. */
#include "backplane/backplane.h"

static const struct bp_route routes[] = {BP_ROUTE(.method = BP_GET, .path = "/x", .name = "x.get"), BP_ROUTE_END};

BP_PLUGIN(.name = "route_without_handler", .version = "1.0.0", .routes = routes);
