/* SPDX-License-Identifier: MIT */
/* As if built when the rows of routes had fewer members. */
#include "backplane/backplane.h"

struct old_route {
    uint32_t size;
    uint32_t method;
    const char *path;
    bp_handler *handler;
    const char *name;
};

static int answer(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    return bp_reply_message(rq, 200, "Here");
}

static const struct old_route routes[] = {
    {sizeof(struct old_route), BP_GET, "/old/one", answer, "old.one"},
    {sizeof(struct old_route), BP_GET, "/old/two", answer, "old.two"},
    {0, 0, NULL, NULL, NULL},
};

BP_PLUGIN(.name = "old_rows", .version = "1.0.0", .routes = (const struct bp_route *)(const void *)routes);
