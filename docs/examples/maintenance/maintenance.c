/* SPDX-License-Identifier: MIT */
/* maintenance: 503 for everybody, for as long as the flag "maintenance" is on. */
#include <backplane/backplane.h>

#include "flags.h"

struct maintenance {
    struct bp_service flags;
};

static int maintenance_check(struct bp_request *rq, void *self, const void *stage)
{
    const struct maintenance *maintenance = self;
    (void)stage;
    if (!flags_is_on(maintenance->flags, BP_STR("maintenance")))
        return bp_next(rq);
    int status = bp_header_set(rq, BP_STR("Retry-After"), BP_STR("60"));
    return status ? status : bp_fail(rq, 503, "maintenance.on", "Closed for maintenance");
}

static const struct bp_need needs[] = {BP_NEED(FLAGS, FLAGS_VERSION, struct maintenance, flags), BP_NEED_END};

/* For the OpenAPI document: what it may answer on each route that it guards. */
static const struct bp_field retry_after[] = {BP_HEADER_FIELD("Retry-After", BP_TYPE_U32, .doc = "Seconds to wait."),
                                              BP_END};
static const struct bp_answer answers[] = {
    BP_ANSWER(.status = 503, .code = "maintenance.on", .message = "Closed for maintenance", .headers = retry_after),
    BP_ANSWER_END};

BP_PLUGIN(.name = "maintenance", .version = "1.0.0", .doc = "Closes the API while a flag is on.",
          .self_size = sizeof(struct maintenance), .needs = needs, .phase = BP_PHASE_PROTECT, .answers = answers,
          .middleware = maintenance_check);
