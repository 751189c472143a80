/* SPDX-License-Identifier: MIT */
#include "disable.h"

#include "endpoint.h"

static const char subject[] = "A webhook was switched off";

static bp_str text_of(const struct due *due, bool gone, struct bp_arena *arena)
{
    return bp_arena_printf(arena,
                           "Your webhook was switched off:\n\n%" BP_STR_FMT "\n\n%s\n\nEvents are not kept for it from "
                           "now on. Deliveries that have failed can be sent again once it is enabled.\n",
                           BP_STR_ARG(due->url),
                           gone ? "It has answered \"410 Gone\", which says that it wants no more."
                                : "Too many deliveries to it have failed in a row.");
}

/* That it could not be told is nothing to undo: the reason is at the endpoint, too. */
static int tell_owner(const struct webhooks *self, const struct due *due, bool gone)
{
    struct bp_arena *arena = bp_fiber_arena();
    bp_str address;
    if (!self->mailer.vtable)
        return 0;
    int status = endpoint_address(self, &due->user_id, arena, &address);
    if (status != 0 || !address.ptr)
        return status;
    bp_str text = text_of(due, gone, arena);
    if (!text.ptr)
        return BP_NOMEM;
    status = bp_mail_send(self->mailer, address, bp_str_of(subject), text);
    if (status < 0)
        bp_log(self->host, BP_LOG_WARN, "webhooks.owner_not_told",
               "The owner of a webhook could not be told that it was switched off",
               bp_log_cstr("status", bp_status_name(status)));
    return 0;
}

int webhooks_disable(const struct webhooks *self, const struct due *due, const char *reason)
{
    bool done = false;
    int status = endpoint_disable(self, &due->webhook_id, &due->user_id, reason, &done);
    if (status != 0 || !done)
        return status;
    webhooks_audit(self, "webhooks.disabled", "A webhook was switched off by the server", &due->user_id,
                   &due->webhook_id);
    return tell_owner(self, due, strcmp(reason, "gone") == 0);
}
