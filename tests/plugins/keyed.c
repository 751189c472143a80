/* SPDX-License-Identifier: MIT */
/* Options without which it cannot be. */
#include "backplane/backplane.h"

struct keyed {
    bp_str secret;
};

struct keyed_stage {
    bp_str key;
};

static const struct bp_field options[] = {
    BP_TEXT(struct keyed, secret, .flags = BP_REQUIRED | BP_SECRET, .min = 4, .doc = "Signs."),
    BP_TEXT(struct keyed_stage, key, .flags = BP_REQUIRED | BP_STAGE), BP_END};

static int middleware(struct bp_request *rq, void *self, const void *stage)
{
    (void)self;
    (void)stage;
    return bp_next(rq);
}

static int init(struct bp_host *host, void *self)
{
    const struct keyed *keyed = self;
    return keyed->secret.len == 0 ? bp_config_error(host, "secret", "is empty") : 0;
}

BP_PLUGIN(.name = "keyed", .version = "1.0.0", .self_size = sizeof(struct keyed),
          .stage_size = sizeof(struct keyed_stage), .options = options, .init = init, .middleware = middleware);
