/* SPDX-License-Identifier: MIT */
#include "blame.h"

#include "endpoint.h"

/* Of failures in a row: from then on the endpoint is asked once in a while, to see whether it works again. */
#define PAUSE_FIRST (5 * BP_SECOND)
#define PAUSE_MOST (10 * BP_MINUTE)

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

/* In the transaction, too, where messages are jobs. An address that cannot be written to is nothing to undo: the reason is at the endpoint, too. */
static int tell_owner(const struct webhooks *self, struct bp_tx *tx, const struct due *due, bool gone)
{
    struct bp_arena *arena = bp_fiber_arena();
    bp_str address;
    if (!self->mailer.vtable)
        return 0;
    int status = endpoint_address(self, tx, &due->user_id, arena, &address);
    if (status != 0 || !address.ptr)
        return status;
    bp_str text = text_of(due, gone, arena);
    if (!text.ptr)
        return BP_NOMEM;
    struct bp_tx *before = bp_db_enlist(tx);
    status = bp_mail_send(self->mailer, address, bp_str_of(subject), text);
    (void)bp_db_enlist(before);
    if (status != BP_MISUSE && status != BP_BUSY)
        return status > 0 ? BP_ERROR : status;
    bp_log(self->host, BP_LOG_WARN, "webhooks.owner_not_told",
           "The owner of a webhook could not be told that it was switched off",
           bp_log_cstr("status", bp_status_name(status)));
    return 0;
}

static int switch_off(const struct webhooks *self, struct bp_tx *tx, const struct due *due, const char *reason,
                      bool *ret_disabled)
{
    int status = endpoint_disable(self, tx, due, reason, ret_disabled);
    return status == 0 && *ret_disabled ? tell_owner(self, tx, due, strcmp(reason, "gone") == 0) : status;
}

/* Until when nothing is sent to it, of so many failures in a row; 0: no matter. */
static bp_date pause_of(const struct attempt *attempt, bp_date now, int64_t failures)
{
    bp_date until = 0;
    if (failures >= WEBHOOKS_FAILING) {
        int64_t number = failures + 1 - WEBHOOKS_FAILING;
        until = now + webhooks_wait(number < UINT32_MAX ? (uint32_t)number : UINT32_MAX, PAUSE_FIRST, PAUSE_MOST) /
                          BP_MILLISECOND;
    }
    bool asked = attempt->status == 429 || attempt->status == 503; /* not for this message only */
    return asked && attempt->asked > until ? attempt->asked : until;
}

int blame(const struct webhooks *self, struct bp_tx *tx, const struct due *due, const struct attempt *attempt,
          bool *ret_disabled)
{
    const bp_date now = attempt->at + attempt->duration / BP_MILLISECOND;
    int64_t failures;
    bp_date since;
    *ret_disabled = false;
    if (attempt->outcome == OUTCOME_DELIVERED)
        return due->failures > 0 ? endpoint_succeeded(self, tx, due) : 0;
    if (attempt->outcome == OUTCOME_GONE)
        return switch_off(self, tx, due, "gone", ret_disabled);
    int status = endpoint_failed(self, tx, due, now, bp_fiber_arena(), &failures, &since);
    if (status != 0 || failures == 0)
        return status;
    bp_date until = pause_of(attempt, now, failures);
    if (until > 0)
        status = endpoint_pause(self, tx, &due->webhook_id, until);
    bool broken =
        self->failures > 0 && failures >= (int64_t)self->failures && now - since >= self->failing_for / BP_MILLISECOND;
    return status == 0 && broken ? switch_off(self, tx, due, "failing", ret_disabled) : status;
}
