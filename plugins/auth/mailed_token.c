/* SPDX-License-Identifier: MIT */
#include "mailed_token.h"

#include <sodium.h>

#define SECRET 43u
#define TAG 16u
#define HASH 64u

static const char *const purposes[] = {[MAILED_RESET] = "reset", [MAILED_VERIFY] = "verify"};

static const struct bp_field owner_columns[] = {BP_UUID(struct mailed_owner, user_id),
                                                BP_TEXT(struct mailed_owner, email), BP_END};

static const struct bp_statement remove_old =
    BP_STATEMENT(.name = "auth.void_mailed", .sql = "DELETE FROM mailed_tokens WHERE user_id = $1 AND purpose = $2 AND "
                                                    "created_at <= $3");
static const struct bp_statement create =
    BP_STATEMENT(.name = "auth.create_mailed",
                 .sql = "INSERT INTO mailed_tokens (token_hash, user_id, purpose, created_at, expires_at) "
                        "SELECT $1, $2, $3, $4, $5 "
                        "WHERE NOT EXISTS (SELECT 1 FROM mailed_tokens WHERE user_id = $2 AND purpose = $3)",
                 .sql_postgres =
                     "INSERT INTO mailed_tokens (token_hash, user_id, purpose, created_at, expires_at) "
                     "SELECT $1::text, $2::uuid, $3::text, $4::timestamptz, $5::timestamptz WHERE NOT EXISTS "
                     "(SELECT 1 FROM mailed_tokens WHERE user_id = $2::uuid AND purpose = $3::text)");
static const struct bp_statement find =
    BP_STATEMENT(.name = "auth.find_mailed", .flags = BP_SQL_READ,
                 .sql = "SELECT user_id, email FROM mailed_tokens JOIN users ON users.id = user_id "
                        "WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3 AND NOT disabled",
                 .rows = owner_columns, .row_size = sizeof(struct mailed_owner));
static const struct bp_statement use =
    BP_STATEMENT(.name = "auth.use_mailed",
                 .sql = "DELETE FROM mailed_tokens WHERE token_hash = $1 AND purpose = $2 AND expires_at > $3");
static const struct bp_statement verified =
    BP_STATEMENT(.name = "auth.verified", .flags = BP_SQL_IDEMPOTENT,
                 .sql = "UPDATE users SET email_verified_at = $3, updated_at = $3 WHERE id = $1 AND email = $2");
static const struct bp_statement set_password =
    BP_STATEMENT(.name = "auth.reset_password",
                 .sql =
                     "UPDATE users SET password_hash = $3, email_verified_at = $4, tokens_after = $4, updated_at = $4 "
                     "WHERE id = $1 AND email = $2 AND NOT disabled");

static void digest(bp_str text, char *ret_hex, size_t digits)
{
    unsigned char hash[HASH / 2];
    char hex[HASH + 1];
    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)text.ptr, text.len, NULL, 0);
    sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
    memcpy(ret_hex, hex, digits);
}

int mailed_token_create(struct bp_service db, enum mailed_purpose purpose, const bp_uuid *user_id, bp_str email,
                        bp_date now, bp_span lifetime, char ret_token[MAILED_TOKEN_LEN + 1])
{
    unsigned char secret[32];
    char hash[HASH];
    struct bp_result result;
    struct bp_tx *tx;
    bp_random(secret, sizeof(secret));
    sodium_bin2base64(ret_token, SECRET + 1, secret, sizeof(secret), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    ret_token[SECRET] = '.';
    digest(email, ret_token + SECRET + 1, TAG);
    ret_token[MAILED_TOKEN_LEN] = '\0';
    digest(bp_str_n(ret_token, MAILED_TOKEN_LEN), hash, HASH);

    const struct bp_db_value kind = bp_db_text(bp_str_of(purposes[purpose]));
    int status = bp_db_begin(db, &tx);
    if (status != 0)
        return status;
    status = bp_db_query(db, tx, &remove_old,
                         BP_VALUES(bp_db_uuid(user_id), kind, bp_db_date(now - MAILED_TOKEN_EVERY / BP_MILLISECOND)),
                         NULL, NULL);
    if (status == 0)
        status = bp_db_query(db, tx, &create,
                             BP_VALUES(bp_db_text(bp_str_n(hash, HASH)), bp_db_uuid(user_id), kind, bp_db_date(now),
                                       bp_db_date(now + lifetime / BP_MILLISECOND)),
                             NULL, &result);
    if (status == 0) {
        status = bp_db_commit(db, tx);
        return status == 0 && result.changes == 0 ? MAILED_E_EARLY : status;
    }
    bp_db_rollback(db, tx);
    return status < 0 ? status : BP_ERROR;
}

int mailed_token_find(struct bp_service db, enum mailed_purpose purpose, bp_str token, bp_date now,
                      struct bp_arena *arena, struct mailed_owner *ret_owner)
{
    char hash[HASH], tag[TAG];
    struct bp_result result;
    if (token.len != MAILED_TOKEN_LEN)
        return MAILED_E_INVALID;
    digest(token, hash, HASH);
    int status = bp_db_query(
        db, NULL, &find,
        BP_VALUES(bp_db_text(bp_str_n(hash, HASH)), bp_db_text(bp_str_of(purposes[purpose])), bp_db_date(now)), arena,
        &result);
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    if (result.len == 0)
        return MAILED_E_INVALID;
    const struct mailed_owner *owner = result.rows;
    digest(owner->email, tag, TAG);
    if (memcmp(tag, token.ptr + SECRET + 1, TAG) != 0)
        return MAILED_E_INVALID;
    *ret_owner = *owner;
    return 0;
}

static int changed_one(int status, const struct bp_result *result)
{
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    return result->changes > 0 ? 0 : MAILED_E_INVALID;
}

int mailed_token_use(struct bp_service db, struct bp_tx *tx, enum mailed_purpose purpose, bp_str token, bp_date now)
{
    char hash[HASH];
    struct bp_result result;
    digest(token, hash, HASH);
    return changed_one(bp_db_query(db, tx, &use,
                                   BP_VALUES(bp_db_text(bp_str_n(hash, HASH)), bp_db_text(bp_str_of(purposes[purpose])),
                                             bp_db_date(now)),
                                   NULL, &result),
                       &result);
}

int mailed_token_verified(struct bp_service db, struct bp_tx *tx, const struct mailed_owner *owner, bp_date now)
{
    struct bp_result result;
    return changed_one(bp_db_query(db, tx, &verified,
                                   BP_VALUES(bp_db_uuid(&owner->user_id), bp_db_text(owner->email), bp_db_date(now)),
                                   NULL, &result),
                       &result);
}

int mailed_token_set_password(struct bp_service db, struct bp_tx *tx, const struct mailed_owner *owner,
                              const char *hash, bp_date now)
{
    struct bp_result result;
    return changed_one(bp_db_query(db, tx, &set_password,
                                   BP_VALUES(bp_db_uuid(&owner->user_id), bp_db_text(owner->email),
                                             bp_db_text(bp_str_of(hash)), bp_db_date(now)),
                                   NULL, &result),
                       &result);
}
