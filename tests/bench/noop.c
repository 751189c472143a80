/* SPDX-License-Identifier: MIT */
/* What tests/bench/run measures the core with: a stage that does nothing, and a small JSON reply. */
#include "backplane/backplane.h"

static int pass(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    return bp_next(rq);
}

/* 169 bytes, as in the comparison that the targets come from. */
static int small(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    return bp_reply_body(
        rq, 200, BP_STR("application/json; charset=utf-8"),
        BP_STR("{\"success\":true,\"message\":\"Todo retrieved successfully\",\"data\":{\"id\":"
               "\"01900000-0000-7000-8000-000000000000\",\"title\":\"Water the plants on the balcony\","
               "\"completed\":false}}"));
}

/* As long as a list of ten todos: what a whole chain costs around a reply that is at hand. */
static int at_hand(struct bp_request *rq, void *self, const void *stage)
{
    enum { LENGTH = 2400 };
    (void)self;
    (void)stage;
    char *body = bp_arena_alloc(bp_arena(rq), LENGTH);
    if (!body)
        return BP_NOMEM;
    memset(body, ' ', LENGTH);
    body[0] = '[';
    body[LENGTH - 1] = ']';
    return bp_reply_body(rq, 200, BP_STR("application/json; charset=utf-8"), bp_str_n(body, LENGTH));
}

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_GET, .path = "/bench/small", .handler = small, .name = "bench.small"),
    BP_ROUTE(.method = BP_GET, .path = "/api/v1/bench", .handler = at_hand, .name = "bench.at_hand"),
    BP_ROUTE(.method = BP_GET, .path = "/bench/stages-0", .handler = small, .name = "bench.stages_0"),
    BP_ROUTE(.method = BP_GET, .path = "/bench/stages-1", .handler = small, .name = "bench.stages_1"),
    BP_ROUTE(.method = BP_GET, .path = "/bench/stages-10", .handler = small, .name = "bench.stages_10"),
    BP_ROUTE(.method = BP_GET, .path = "/bench/stages-25", .handler = small, .name = "bench.stages_25"),
    BP_ROUTE_END};

BP_PLUGIN(.name = "noop", .version = "1.0.0", .doc = "Does nothing, many times.", .routes = routes, .middleware = pass);
