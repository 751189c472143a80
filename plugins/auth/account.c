/* SPDX-License-Identifier: MIT */
#include "account.h"

#include "backplane/status.h"

static const struct bp_field account_columns[] = {
    BP_UUID(struct account, id),
    BP_TEXT(struct account, email),
    BP_TEXT(struct account, password_hash),
    BP_TEXT(struct account, role),
    BP_BOOL(struct account, disabled),
    BP_DATE(struct account, created_at),
    BP_END,
};

static const struct bp_field id_columns[] = {BP_UUID(struct account, id), BP_END};
static const struct bp_field role_columns[] = {BP_TEXT(struct account, role), BP_END};

/* Never from a replica: people log in as soon as they have signed up. */
static const struct bp_statement find_by_email =
    BP_STATEMENT(.name = "auth.find_by_email", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "SELECT id, email, password_hash, role, disabled, created_at FROM users WHERE email = $1",
                 .rows = account_columns, .row_size = sizeof(struct account));

/* Nor this: what is changed is bound to what was read. */
static const struct bp_statement find_by_id =
    BP_STATEMENT(.name = "auth.find_by_id", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "SELECT id, email, password_hash, role, disabled, created_at FROM users WHERE id = $1",
                 .rows = account_columns, .row_size = sizeof(struct account));

/* First where reads go, which may be a replica that has not heard of a login or a sign-up yet; what is not found there is asked
 * for again where writes go. */
#define CHECK(name_, sql_)                                                                              \
    {                                                                                                   \
        BP_STATEMENT(.name = (name_), .flags = BP_SQL_READ, .sql = (sql_), .rows = role_columns,        \
                     .row_size = sizeof(struct account)),                                               \
            BP_STATEMENT(.name = (name_), .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT, .sql = (sql_), \
                         .rows = role_columns, .row_size = sizeof(struct account)),                     \
    }

static const struct bp_statement check_session[2] =
    CHECK("auth.check_session", "SELECT role FROM users WHERE id = $1 AND NOT disabled "
                                "AND EXISTS (SELECT 1 FROM sessions WHERE sessions.id = $2 AND user_id = $1)");

static const struct bp_statement check_without_session[2] =
    CHECK("auth.check_account", "SELECT role FROM users WHERE id = $1 AND NOT disabled AND tokens_after <= $2");

static const struct bp_statement create =
    BP_STATEMENT(.name = "auth.create", .flags = BP_SQL_BATCHABLE,
                 .sql = "INSERT INTO users (id, email, password_hash, role, created_at, updated_at) "
                        "VALUES ($1, $2, $3, 'user', $4, $4) ON CONFLICT (email) DO NOTHING");

static const struct bp_statement renew_hash =
    BP_STATEMENT(.name = "auth.renew_hash", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "UPDATE users SET password_hash = $3, updated_at = $4 WHERE id = $1 AND password_hash = $2");

static const struct bp_statement set_email =
    BP_STATEMENT(.name = "auth.set_email", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "UPDATE users SET email = $3, email_verified_at = NULL, updated_at = $4 "
                        "WHERE id = $1 AND password_hash = $2");

static const struct bp_statement set_password =
    BP_STATEMENT(.name = "auth.set_password", .flags = BP_SQL_BATCHABLE,
                 .sql = "UPDATE users SET password_hash = $3, updated_at = $4, tokens_after = $4 "
                        "WHERE id = $1 AND password_hash = $2");

static const struct bp_statement delete_account =
    BP_STATEMENT(.name = "auth.delete", .sql = "DELETE FROM users WHERE id = $1 AND password_hash = $2");

static const struct bp_statement set_role =
    BP_STATEMENT(.name = "auth.set_role", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "UPDATE users SET role = $2, updated_at = $3 WHERE email = $1 RETURNING id", .rows = id_columns,
                 .row_size = sizeof(struct account));

static const struct bp_statement end_tokens =
    BP_STATEMENT(.name = "auth.end_tokens", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "UPDATE users SET tokens_after = $2 WHERE id = $1");

int account_find_by_email(struct bp_service db, bp_str email, struct bp_arena *arena, struct account *ret_account)
{
    struct bp_result result;
    int status = bp_db_query(db, NULL, &find_by_email, BP_VALUES(bp_db_text(email)), arena, &result);
    if (status != 0)
        return status;
    if (result.len == 0)
        return ACCOUNT_E_MISSING;
    *ret_account = *(const struct account *)result.rows;
    return 0;
}

int account_find(struct bp_service db, const bp_uuid *id, struct bp_arena *arena, struct account *ret_account)
{
    struct bp_result result;
    int status = bp_db_query(db, NULL, &find_by_id, BP_VALUES(bp_db_uuid(id)), arena, &result);
    if (status != 0)
        return status;
    if (result.len == 0)
        return ACCOUNT_E_MISSING;
    *ret_account = *(const struct account *)result.rows;
    return 0;
}

int account_check(struct bp_service db, const bp_uuid *id, const bp_uuid *session_id, bp_date issued, bool fresh,
                  struct bp_arena *arena, bp_str *ret_role)
{
    struct bp_result result = {0};
    for (size_t i = fresh ? 1 : 0; i < 2 && result.len == 0; i++) {
        int status = session_id ? bp_db_query(db, NULL, &check_session[i],
                                              BP_VALUES(bp_db_uuid(id), bp_db_uuid(session_id)), arena, &result)
                                : bp_db_query(db, NULL, &check_without_session[i],
                                              BP_VALUES(bp_db_uuid(id), bp_db_date(issued)), arena, &result);
        if (status != 0)
            return status;
    }
    if (result.len == 0)
        return ACCOUNT_E_MISSING;
    *ret_role = ((const struct account *)result.rows)->role;
    return 0;
}

int account_create(struct bp_service db, const struct account *account)
{
    struct bp_result result;
    int status = bp_db_query(db, NULL, &create,
                             BP_VALUES(bp_db_uuid(&account->id), bp_db_text(account->email),
                                       bp_db_text(account->password_hash), bp_db_date(account->created_at)),
                             NULL, &result);
    if (status == BP_DB_UNIQUE)
        return ACCOUNT_E_TAKEN;
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    return result.changes == 0 ? ACCOUNT_E_TAKEN : 0;
}

int account_renew_hash(struct bp_service db, const bp_uuid *id, bp_str old_hash, bp_str new_hash, bp_date now)
{
    return bp_db_query(db, NULL, &renew_hash,
                       BP_VALUES(bp_db_uuid(id), bp_db_text(old_hash), bp_db_text(new_hash), bp_db_date(now)), NULL,
                       NULL);
}

/* Of an update or deletion that is bound to the old hash. */
static int changed(int status, const struct bp_result *result)
{
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    return result->changes == 0 ? ACCOUNT_E_MISSING : 0;
}

int account_set_email(struct bp_service db, const bp_uuid *id, bp_str old_hash, bp_str email, bp_date now)
{
    struct bp_result result;
    int status =
        bp_db_query(db, NULL, &set_email,
                    BP_VALUES(bp_db_uuid(id), bp_db_text(old_hash), bp_db_text(email), bp_db_date(now)), NULL, &result);
    return status == BP_DB_UNIQUE ? ACCOUNT_E_TAKEN : changed(status, &result);
}

int account_set_password(struct bp_service db, struct bp_tx *tx, const bp_uuid *id, bp_str old_hash, bp_str new_hash,
                         bp_date now)
{
    struct bp_result result;
    int status = bp_db_query(db, tx, &set_password,
                             BP_VALUES(bp_db_uuid(id), bp_db_text(old_hash), bp_db_text(new_hash), bp_db_date(now)),
                             NULL, &result);
    return changed(status, &result);
}

int account_delete(struct bp_service db, struct bp_tx *tx, const bp_uuid *id, bp_str old_hash)
{
    struct bp_result result;
    int status = bp_db_query(db, tx, &delete_account, BP_VALUES(bp_db_uuid(id), bp_db_text(old_hash)), NULL, &result);
    return changed(status, &result);
}

int account_end_tokens(struct bp_service db, struct bp_tx *tx, const bp_uuid *id, bp_date now)
{
    struct bp_result result;
    return changed(bp_db_query(db, tx, &end_tokens, BP_VALUES(bp_db_uuid(id), bp_db_date(now)), NULL, &result),
                   &result);
}

int account_set_role(struct bp_service db, bp_str email, bp_str role, bp_date now, struct bp_arena *arena,
                     bp_uuid *ret_id)
{
    struct bp_result result;
    int status = bp_db_query(db, NULL, &set_role, BP_VALUES(bp_db_text(email), bp_db_text(role), bp_db_date(now)),
                             arena, &result);
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    if (result.len == 0)
        return ACCOUNT_E_MISSING;
    *ret_id = ((const struct account *)result.rows)->id;
    return 0;
}
