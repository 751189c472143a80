/* SPDX-License-Identifier: MIT */
#include "session.h"

#include "backplane/status.h"

static const struct bp_field session_columns[] = {
    BP_UUID(struct session, id),         BP_UUID(struct session, user_id),
    BP_DATE(struct session, created_at), BP_DATE(struct session, last_used_at),
    BP_DATE(struct session, expires_at), BP_TEXT(struct session, user_agent),
    BP_TEXT(struct session, address),    BP_END,
};

static const struct bp_field key_columns[] = {BP_UUID(struct session, id), BP_UUID(struct session, user_id), BP_END};

/* How far a family has come. */
struct family {
    bp_uuid id, user_id;
    bp_str token_hash, previous_hash, successor;
    bp_date rotated_at, expires_at;
};

static const struct bp_field family_columns[] = {
    BP_UUID(struct family, id),
    BP_UUID(struct family, user_id),
    BP_TEXT(struct family, token_hash),
    BP_TEXT(struct family, successor),
    BP_TEXT(struct family, previous_hash),
    BP_DATE(struct family, rotated_at),
    BP_DATE(struct family, expires_at),
    BP_END,
};

static const struct bp_statement create =
    BP_STATEMENT(.name = "auth.session_create", .flags = BP_SQL_BATCHABLE,
                 .sql = "INSERT INTO sessions (id, user_id, family, token_hash, created_at, last_used_at, expires_at, "
                        "user_agent, address) SELECT $1, $2, $3, $4, $5, $5, $6, $7, $8 "
                        "WHERE EXISTS (SELECT 1 FROM users WHERE id = $2 AND NOT disabled)",
                 .sql_postgres = "INSERT INTO sessions (id, user_id, family, token_hash, created_at, last_used_at, "
                                 "expires_at, user_agent, address) SELECT $1::uuid, $2::uuid, $3::text, $4::text, "
                                 "$5::timestamptz, $5::timestamptz, $6::timestamptz, $7::text, $8::text "
                                 "WHERE EXISTS (SELECT 1 FROM users WHERE id = $2::uuid AND NOT disabled)");

static const struct bp_statement trim =
    BP_STATEMENT(.name = "auth.session_trim", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql =
                     "DELETE FROM sessions WHERE user_id = $1 AND (expires_at <= $2 OR id IN (SELECT id FROM sessions "
                     "WHERE user_id = $1 ORDER BY last_used_at DESC, id DESC LIMIT -1 OFFSET $3))",
                 .sql_postgres =
                     "DELETE FROM sessions WHERE user_id = $1 AND (expires_at <= $2 OR id IN (SELECT id FROM "
                     "sessions WHERE user_id = $1 ORDER BY last_used_at DESC, id DESC OFFSET $3))");

/* Who still holds the old token when this has taken place gets no row. */
static const struct bp_statement rotate =
    BP_STATEMENT(.name = "auth.session_rotate", .flags = BP_SQL_BATCHABLE,
                 .sql = "UPDATE sessions SET previous_hash = token_hash, token_hash = $3, successor = $4, "
                        "rotated_at = $5, last_used_at = $5, expires_at = $6, user_agent = $7, address = $8 "
                        "WHERE family = $1 AND token_hash = $2 AND expires_at > $5 "
                        "AND EXISTS (SELECT 1 FROM users WHERE users.id = sessions.user_id AND NOT disabled) "
                        "RETURNING id, user_id",
                 .rows = key_columns, .row_size = sizeof(struct session));

/* Never from a replica: it must see what has just been replaced. */
static const struct bp_statement find_family =
    BP_STATEMENT(.name = "auth.session_family", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "SELECT id, user_id, token_hash, successor, previous_hash, rotated_at, expires_at "
                        "FROM sessions JOIN (SELECT id AS account FROM users WHERE NOT disabled) AS accounts "
                        "ON account = user_id WHERE family = $1",
                 .rows = family_columns, .row_size = sizeof(struct family));

static const struct bp_statement end_family =
    BP_STATEMENT(.name = "auth.session_end_family", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "DELETE FROM sessions WHERE family = $1");

static const struct bp_statement list =
    BP_STATEMENT(.name = "auth.session_list", .flags = BP_SQL_READ,
                 .sql = "SELECT id, user_id, created_at, last_used_at, expires_at, user_agent, address FROM sessions "
                        "WHERE user_id = $1 AND expires_at > $2 ORDER BY last_used_at DESC, id DESC LIMIT $3",
                 .rows = session_columns, .row_size = sizeof(struct session));

static const struct bp_statement end = BP_STATEMENT(.name = "auth.session_end", .flags = BP_SQL_BATCHABLE,
                                                    .sql = "DELETE FROM sessions WHERE id = $1 AND user_id = $2");

static const struct bp_statement end_all =
    BP_STATEMENT(.name = "auth.session_end_all", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "DELETE FROM sessions WHERE user_id = $1");

/* None of these can fail by a constraint but for what is handled. */
static int unexpected(int status)
{
    return status > 0 ? BP_ERROR : status;
}

int session_create(struct bp_service db, struct bp_tx *tx, const struct session *session,
                   const struct refresh_token *token)
{
    struct refresh_hashes hashes;
    struct bp_result result;
    refresh_token_hash(token, &hashes);
    int status = bp_db_query(db, tx, &create,
                             BP_VALUES(bp_db_uuid(&session->id), bp_db_uuid(&session->user_id),
                                       bp_db_text(bp_str_of(hashes.family)), bp_db_text(bp_str_of(hashes.own)),
                                       bp_db_date(session->created_at), bp_db_date(session->expires_at),
                                       bp_db_text(session->user_agent), bp_db_text(session->address)),
                             NULL, &result);
    if (status == BP_DB_FOREIGN) /* deleted at the same moment */
        return SESSION_E_MISSING;
    if (status != 0)
        return unexpected(status);
    return result.changes == 0 ? SESSION_E_MISSING : 0;
}

int session_trim(struct bp_service db, const bp_uuid *user_id, bp_date now, uint32_t keep)
{
    return unexpected(
        bp_db_query(db, NULL, &trim, BP_VALUES(bp_db_uuid(user_id), bp_db_date(now), bp_db_i64(keep)), NULL, NULL));
}

/* The token is not the one that is good now. */
static int explain(struct bp_service db, const struct refresh_token *token, const struct refresh_hashes *hashes,
                   bp_date now, bp_span grace, struct bp_arena *arena, struct refresh_token *ret_next,
                   struct session *ret_session)
{
    struct bp_result result;
    int status = bp_db_query(db, NULL, &find_family, BP_VALUES(bp_db_text(bp_str_of(hashes->family))), arena, &result);
    if (status != 0)
        return unexpected(status);
    const struct family *family = result.rows;
    if (result.len == 0 || family->expires_at <= now || bp_str_is(family->token_hash, hashes->own))
        return SESSION_E_MISSING;
    if (bp_str_is(family->previous_hash, hashes->own) && now - family->rotated_at <= grace / BP_MILLISECOND &&
        refresh_token_unseal(token, family->successor, ret_next)) {
        *ret_session = (struct session){.id = family->id, .user_id = family->user_id};
        return 0;
    }
    *ret_session = (struct session){.id = family->id, .user_id = family->user_id};
    status = bp_db_query(db, NULL, &end_family, BP_VALUES(bp_db_text(bp_str_of(hashes->family))), NULL, NULL);
    return status != 0 ? unexpected(status) : SESSION_E_REUSED;
}

int session_rotate(struct bp_service db, const struct refresh_token *token, const struct session_client *client,
                   bp_date now, bp_date expires, bp_span grace, struct bp_arena *arena, struct refresh_token *ret_next,
                   struct session *ret_session)
{
    struct refresh_hashes hashes, next_hashes;
    struct refresh_token next;
    struct bp_result result;
    char sealed[REFRESH_HASH_LEN + 1];
    refresh_token_next(token, &next);
    refresh_token_seal(token, &next, sealed);
    refresh_token_hash(token, &hashes);
    refresh_token_hash(&next, &next_hashes);
    int status =
        bp_db_query(db, NULL, &rotate,
                    BP_VALUES(bp_db_text(bp_str_of(hashes.family)), bp_db_text(bp_str_of(hashes.own)),
                              bp_db_text(bp_str_of(next_hashes.own)), bp_db_text(bp_str_of(sealed)), bp_db_date(now),
                              bp_db_date(expires), bp_db_text(client->user_agent), bp_db_text(client->address)),
                    arena, &result);
    if (status != 0)
        return unexpected(status);
    if (result.len == 0)
        return explain(db, token, &hashes, now, grace, arena, ret_next, ret_session);
    *ret_next = next;
    *ret_session = *(const struct session *)result.rows;
    return 0;
}

int session_list(struct bp_service db, const bp_uuid *user_id, bp_date now, uint32_t max, struct bp_arena *arena,
                 struct bp_array *ret_sessions)
{
    struct bp_result result;
    int status =
        bp_db_query(db, NULL, &list, BP_VALUES(bp_db_uuid(user_id), bp_db_date(now), bp_db_i64(max)), arena, &result);
    if (status != 0)
        return unexpected(status);
    *ret_sessions = (struct bp_array){result.rows, result.len};
    return 0;
}

int session_end(struct bp_service db, const bp_uuid *user_id, const bp_uuid *id)
{
    struct bp_result result;
    int status = bp_db_query(db, NULL, &end, BP_VALUES(bp_db_uuid(id), bp_db_uuid(user_id)), NULL, &result);
    if (status != 0)
        return unexpected(status);
    return result.changes == 0 ? SESSION_E_MISSING : 0;
}

int session_end_all(struct bp_service db, struct bp_tx *tx, const bp_uuid *user_id)
{
    return unexpected(bp_db_query(db, tx, &end_all, BP_VALUES(bp_db_uuid(user_id)), NULL, NULL));
}
