/* SPDX-License-Identifier: MIT */
/* Sessions, as the database keeps them. Every function suspends; statuses are those of the database. */
#ifndef AUTH_SESSION_H
#define AUTH_SESSION_H

#include "backplane/iface/database.h"
#include "refresh_token.h"

struct session {
    bp_uuid id;
    bp_uuid user_id;
    bp_date created_at, last_used_at, expires_at;
    bp_str user_agent, address;
    bool current; /* of the token of a request; no column */
};

enum session_condition {
    SESSION_E_MISSING = 1, /* no such session; or, of session_create(), no account that may have one */
    SESSION_E_REUSED       /* a refresh token that was replaced before: the session was ended */
};

/* From what its client is known by. */
struct session_client {
    bp_str user_agent, address;
};

/* Begins one, unless the account is gone or disabled. tx: may be NULL. */
int session_create(struct bp_service db, struct bp_tx *tx, const struct session *session,
                   const struct refresh_token *token);
/* Removes what has expired of the account, and of the others all but the `keep` that were used last. */
int session_trim(struct bp_service db, const bp_uuid *user_id, bp_date now, uint32_t keep);

/* Replaces the refresh token by the next one. Of several at the same time with one token, one replaces it and the others, like all that come
 * within `grace`, are told the same next one. ret_session: its id and user_id. */
int session_rotate(struct bp_service db, const struct refresh_token *token, const struct session_client *client,
                   bp_date now, bp_date expires, bp_span grace, struct bp_arena *arena, struct refresh_token *ret_next,
                   struct session *ret_session);

/* Of an account, the last used first; `max` at most. */
int session_list(struct bp_service db, const bp_uuid *user_id, bp_date now, uint32_t max, struct bp_arena *arena,
                 struct bp_array *ret_sessions);
/* SESSION_E_MISSING, too, when it is another account's. */
int session_end(struct bp_service db, const bp_uuid *user_id, const bp_uuid *id);
/* Ends all of an account. tx: may be NULL. */
int session_end_all(struct bp_service db, struct bp_tx *tx, const bp_uuid *user_id);

#endif
