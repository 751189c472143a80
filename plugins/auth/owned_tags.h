/* SPDX-License-Identifier: MIT */
/* The cache tags of what belongs to an account: none of it may be served from a cache when the account was deleted with all its data. */
#ifndef AUTH_OWNED_TAGS_H
#define AUTH_OWNED_TAGS_H

#include "backplane/iface/database.h"

/* One statement for each tag of the routes that names the user ("todos:user:{user}"). They change nothing; what runs them in a
 * transaction makes the tags of the account $1 stale with it. */
struct owned_tags {
    struct bp_statement *statements;
    size_t count;
};

/* In start. BP_NOMEM or 0. */
int owned_tags_init(struct owned_tags *tags, const struct bp_host *host);
/* Accepts zeroes. */
void owned_tags_deinit(struct owned_tags *tags);
/* Suspends. */
int owned_tags_touch(const struct owned_tags *tags, struct bp_service db, struct bp_tx *tx, const bp_uuid *user_id);

#endif
