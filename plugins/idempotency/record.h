/* SPDX-License-Identifier: MIT */
/* The table of keys and the replies that were given. */
#ifndef PLUGINS_IDEMPOTENCY_RECORD_H
#define PLUGINS_IDEMPOTENCY_RECORD_H

#include "ask.h"
#include "idempotency.h"

struct record {
    bool alone;          /* no other transaction has the key */
    bp_uuid fingerprint; /* the rest: only where status is not 0 */
    uint32_t status;
    bp_str content_type, headers;
    bp_str body; /* ptr NULL: the reply was not kept */
};

enum { RECORD_E_TAKEN = 1 };

/* Locks the key for this transaction, without waiting, and looks for its reply: status 0 when there is none. Suspends. */
int record_find(const struct idempotency *self, struct bp_tx *tx, const struct ask *ask, struct bp_arena *arena,
                struct record *ret_record);
/* In the same transaction: keeps the reply that is recorded now. RECORD_E_TAKEN: another came first after all. Suspends. */
int record_store(const struct idempotency *self, struct bp_tx *tx, const struct ask *ask, bp_span ttl,
                 struct bp_request *rq);
/* Deletes what has expired, a bounded number at a time. On a fiber of its own. */
int record_clean(struct idempotency *self);

#endif
