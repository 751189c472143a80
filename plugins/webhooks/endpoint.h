/* SPDX-License-Identifier: MIT */
/* The table of endpoints: what of it is not the resource's. All functions suspend; tx may be NULL. */
#ifndef PLUGINS_WEBHOOKS_ENDPOINT_H
#define PLUGINS_WEBHOOKS_ENDPOINT_H

#include "delivery.h"

enum { ENDPOINT_E_MISSING = 1, ENDPOINT_E_FULL, ENDPOINT_E_NO_USER };

struct endpoint {
    uint64_t set, null;
    bp_uuid id;
    bp_uuid user_id;
    bp_str url;
    struct bp_array types; /* of bp_str */
    bool enabled;
    bp_str description;
    bp_str disabled_reason;
    bp_date disabled_at;
    bp_date created_at, updated_at;
    int64_t version;
    bp_str secret; /* from here on not a member of the resource */
};

/* The secrets of one that is the user's. */
struct endpoint_secrets {
    uint64_t set, null;
    bp_str secret, previous;
    bp_date previous_until;
};

/* One that wants events. */
struct endpoint_wish {
    bp_uuid id, user_id;
    struct bp_array types;
};

/* ENDPOINT_E_FULL: the user has so many already. */
int endpoint_create(const struct webhooks *self, const struct endpoint *endpoint, struct bp_arena *arena);
/* ENDPOINT_E_MISSING: no such one is the user's. */
int endpoint_secrets_find(const struct webhooks *self, const bp_uuid *user_id, const bp_uuid *id,
                          struct bp_arena *arena, struct endpoint_secrets *ret_secrets);
/* The secret becomes the previous one. ENDPOINT_E_MISSING. */
int endpoint_rotate(const struct webhooks *self, const bp_uuid *user_id, const bp_uuid *id, bp_str secret,
                    struct bp_arena *arena, struct endpoint_secrets *ret_secrets);
/* Those of these users (a JSON array of their ids) that are enabled; none of them is deleted before the transaction has ended. */
int endpoint_wishes(const struct webhooks *self, struct bp_tx *tx, bp_str user_ids, struct bp_arena *arena,
                    struct bp_array *ret_wishes);
/* The URL of one that is the user's; ptr NULL: no such one is. */
int endpoint_url(const struct webhooks *self, const bp_uuid *user_id, const bp_uuid *id, struct bp_arena *arena,
                 bp_str *ret_url);
/* What follows is about an attempt, and says nothing of an endpoint that has another URL since then. */
/* Counts one that failed, now. How many those were in a row, and since when. 0 failures: it is gone, or another. */
int endpoint_failed(const struct webhooks *self, struct bp_tx *tx, const struct due *due, bp_date now,
                    struct bp_arena *arena, int64_t *ret_failures, bp_date *ret_since);
int endpoint_succeeded(const struct webhooks *self, struct bp_tx *tx, const struct due *due);
/* By the server. *ret_done: false when it was disabled already, or is gone, or another. */
int endpoint_disable(const struct webhooks *self, struct bp_tx *tx, const struct due *due, const char *reason,
                     bool *ret_done);
/* Nothing is sent to it before then, unless its owner asks for it. */
int endpoint_pause(const struct webhooks *self, struct bp_tx *tx, const bp_uuid *id, bp_date until);
/* Where its owner is written to; ptr NULL: the account is gone. */
int endpoint_address(const struct webhooks *self, struct bp_tx *tx, const bp_uuid *user_id, struct bp_arena *arena,
                     bp_str *ret_address);

#endif
