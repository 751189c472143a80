/* SPDX-License-Identifier: MIT */
#include "backplane/backplane.h"
#include "cross_origin.h"
#include "origins.h"

static const struct bp_field options[] = {
    BP_TEXT(
        struct cors, origin, .def = "*", .min = 1, .max = 4000,
        .doc =
            "Who may read replies: \"*\" (anyone, without credentials) or a comma-separated list of origins, which get "
            "credentials."),
    BP_SPAN(struct cors, max_age, .def = "0", .min = 0, .max = BP_DAY,
            .doc = "How long a browser may remember a preflight; 0: its own default."),
    BP_END};

static int init(struct bp_host *host, void *self)
{
    struct cors *cors = self;
    bp_str entry;
    const char *wrong = cors_check(cors->origin, &entry);
    if (wrong)
        return bp_config_error(host, "origin", "\"%" BP_STR_FMT "\" %s", BP_STR_ARG(entry), wrong);
    cors->any = cors_any(cors->origin);
    return 0;
}

BP_PLUGIN(.name = "cors", .version = "1.0.0", .doc = "Lets browsers on other origins use the API.",
          .self_size = sizeof(struct cors), .options = options, .phase = BP_PHASE_PROTECT, .init = init,
          .middleware = cors_stage);
