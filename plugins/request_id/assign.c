/* SPDX-License-Identifier: MIT */
/* The stage: every request gets an identifier, for its log lines and its reply. */
#include "assign.h"

#include "backplane/backplane.h"
#include "well_formed.h"

int request_id_assign(struct bp_request *rq, void *self, const void *stage)
{
    const struct request_id *options = self;
    bp_str id = options->accept_incoming ? bp_request_header(rq, BP_STR("x-request-id")) : bp_str_n(NULL, 0);
    char fresh[BP_UUID_LEN];
    (void)stage;
    if (!request_id_well_formed(id)) {
        bp_uuid uuid = bp_uuid_new();
        bp_uuid_format(&uuid, fresh);
        id = bp_str_n(fresh, sizeof(fresh));
    }
    int status = bp_set_request_id(rq, id);
    if (status == 0)
        status = bp_header_set(rq, BP_STR("X-Request-ID"), id);
    return status < 0 ? status : bp_next(rq);
}
