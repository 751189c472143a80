/* SPDX-License-Identifier: MIT */
/*
 * API keys: "bpk_<prefix>_<secret>", 8 hexadecimal digits and 32 random bytes. The prefix finds the key and may be shown; of the
 * secret only a hash is kept, which needs no salt nor slowness: nobody guesses 256 random bits. Functions that take a database suspend;
 * statuses are those of the database.
 */
#ifndef AUTH_API_KEY_H
#define AUTH_API_KEY_H

#include "backplane/iface/database.h"

#define API_KEY_PREFIX 8u
#define API_KEY_SECRET 43u /* base64url */
#define API_KEY_LEN (4 + API_KEY_PREFIX + 1 + API_KEY_SECRET)
#define API_KEY_HASH 64u /* hexadecimal digits */

struct api_key {
    bp_uuid id, user_id;
    bp_str name, prefix, secret_hash;
    bp_str scopes;                                /* names with a space between them */
    bp_date created_at, expires_at, last_used_at; /* 0: none */
    bp_str role;                                  /* of its account; api_key_find() only */
};

struct api_key_text {
    char text[API_KEY_LEN + 1];
    char hash[API_KEY_HASH + 1]; /* of the secret */
};

/* Whether it looks like one ("bpk_…"), well-formed or not. Pure. */
bool api_key_is(bp_str text);
/* A fresh one. */
struct api_key_text api_key_make(void);
/* Its prefix, and the hash of its secret. False when it is malformed. Pure. */
bool api_key_parse(bp_str text, bp_str *ret_prefix, char ret_hash[API_KEY_HASH + 1]);

enum api_key_condition {
    API_KEY_E_MISSING = 1,
    API_KEY_E_FULL /* the account has as many as it may have */
};

/* The key of this prefix that has not expired, of an account that may be used. fresh: of the primary. */
int api_key_find(struct bp_service db, bp_str prefix, bp_date now, bool fresh, struct bp_arena *arena,
                 struct api_key *ret_key);
int api_key_list(struct bp_service db, const bp_uuid *user_id, struct bp_arena *arena, struct bp_array *ret_keys);
int api_key_create(struct bp_service db, const struct api_key *key, int64_t most);
int api_key_delete(struct bp_service db, const bp_uuid *user_id, const bp_uuid *id);
/* Unless that was noted less than API_KEY_NOTE_EVERY ago. */
#define API_KEY_NOTE_EVERY BP_MINUTE
int api_key_note_use(struct bp_service db, const bp_uuid *id, bp_date now);

#endif
