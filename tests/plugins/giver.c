/* SPDX-License-Identifier: MIT */
/* Provides the service "thing", in a vtable that is shorter than its users know it. */
#include "thing.h"
#include "trace.h"

struct giver {
    uint32_t answer;
};

static const struct bp_field options[] = {BP_U32(struct giver, answer, .def = "42"), BP_END};

static int answer(void *self)
{
    const struct giver *giver = self;
    return (int)giver->answer;
}

static const struct {
    uint32_t size;
    uint32_t spare;
    int (*answer)(void *self);
} vtable = {.size = sizeof(vtable), .answer = answer};

static const struct bp_provide provides[] = {BP_PROVIDE("thing", 1, &vtable), BP_PROVIDE_END};

static int start(struct bp_host *host, void *self)
{
    (void)self;
    TRACE(host, "start");
    return 0;
}

BP_PLUGIN(.name = "giver", .version = "1.0.0", .self_size = sizeof(struct giver), .options = options,
          .provides = provides, .start = start);
