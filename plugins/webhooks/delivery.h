/* SPDX-License-Identifier: MIT */
/* The table of deliveries: an event for an endpoint, and what came of it. All functions suspend; tx may be NULL. */
#ifndef PLUGINS_WEBHOOKS_DELIVERY_H
#define PLUGINS_WEBHOOKS_DELIVERY_H

#include "webhooks.h"

enum { DELIVERY_E_MISSING = 1 };

enum delivery_state { DELIVERY_PENDING, DELIVERY_DELIVERED, DELIVERY_FAILED };

/* As clients see it, by delivery_fields. */
struct delivery {
    uint64_t set, null;
    bp_uuid id;
    bp_uuid webhook_id;
    int64_t event_id;
    bp_str type;
    uint32_t state; /* enum delivery_state */
    int64_t attempts;
    bp_date created_at, next_attempt_at, last_attempt_at;
    int64_t duration_ms;
    uint32_t response_status;
    bp_str error;
    bp_str body, response_body;
};

/* One whose time has come, with what its endpoint says. */
struct due {
    uint64_t set, null;
    bp_str type, body;
    uint32_t state;
    bp_uuid webhook_id, user_id;
    bp_str url;
    bool enabled;
    bp_str secret, previous_secret;
    bp_date previous_until;
    int64_t failures;
    bp_date paused_until;
    int64_t asked, tries; /* which attempt this is: what is noted of another one changes nothing */
};

/* What an attempt came to. */
struct attempt {
    enum outcome outcome;
    bp_date at, next; /* next: of OUTCOME_RETRIED */
    bp_date asked;    /* not before then, says the receiver; 0: nothing */
    bp_span duration;
    unsigned status; /* 0: there was no response */
    bp_str body;     /* the beginning of the response's */
    bp_str error;
};

/* Adds one, pending, whose job is enqueued in the same transaction. event_id 0: none. */
int delivery_create(const struct webhooks *self, struct bp_tx *tx, const bp_uuid *id, const bp_uuid *webhook_id,
                    int64_t event_id, bp_str type, bp_str body, bp_date now);
/* DELIVERY_E_MISSING: it, or its endpoint, is gone. */
int delivery_due(const struct webhooks *self, const bp_uuid *id, struct bp_arena *arena, struct due *ret_due);
/* *ret_current: that what it comes to is what becomes of the delivery: false when its owner has asked for another one since, or another one was noted. */
int delivery_note(const struct webhooks *self, struct bp_tx *tx, const bp_uuid *id, const struct due *due,
                  const struct attempt *attempt, bool *ret_current);
/* Without an attempt: not before then; not at all. */
int delivery_postpone(const struct webhooks *self, struct bp_tx *tx, const bp_uuid *id, const struct due *due,
                      bp_date until, bool *ret_current);
int delivery_give_up(const struct webhooks *self, const bp_uuid *id, const struct due *due, bp_str why);
/* For an endpoint that is the caller's. DELIVERY_E_MISSING. */
int delivery_find(const struct webhooks *self, const bp_uuid *webhook_id, const bp_uuid *id, struct bp_arena *arena,
                  struct delivery *ret_delivery);
/* Newest first: those older than before, of state (any: -1), at most limit; without bodies. */
int delivery_list(const struct webhooks *self, const bp_uuid *webhook_id, const bp_uuid *before, int state,
                  int64_t limit, struct bp_arena *arena, struct bp_array *ret_deliveries);
/* Pending again. DELIVERY_E_MISSING. */
int delivery_again(const struct webhooks *self, struct bp_tx *tx, const bp_uuid *webhook_id, const bp_uuid *id);

#endif
