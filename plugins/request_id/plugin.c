/* SPDX-License-Identifier: MIT */
#include "assign.h"
#include "backplane/backplane.h"

static const struct bp_field options[] = {
    BP_BOOL(struct request_id, accept_incoming, .def = "true",
            .doc = "Take over the client's X-Request-ID when it is well-formed (1 to 128 of A-Z a-z 0-9 . _ -)."),
    BP_END};

static const struct bp_field header[] = {
    BP_HEADER_FIELD("X-Request-ID", BP_TYPE_TEXT, .doc = "The identifier of the request, also in the server's log."),
    BP_END};

static const struct bp_answer answers[] = {BP_ANSWER(.headers = header), BP_ANSWER_END};

BP_PLUGIN(.name = "request_id", .version = "1.0.0", .doc = "Gives every request an identifier, echoed as X-Request-ID.",
          .self_size = sizeof(struct request_id), .options = options, .phase = BP_PHASE_OBSERVE,
          .middleware = request_id_assign, .answers = answers);
