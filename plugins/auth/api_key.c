/* SPDX-License-Identifier: MIT */
#include "api_key.h"

#include <sodium.h>

#define BEGINNING "bpk_"

static const struct bp_field columns[] = {
    BP_UUID(struct api_key, id),
    BP_UUID(struct api_key, user_id),
    BP_TEXT(struct api_key, name),
    BP_TEXT(struct api_key, prefix),
    BP_TEXT(struct api_key, secret_hash),
    BP_TEXT(struct api_key, scopes),
    BP_DATE(struct api_key, created_at),
    BP_DATE(struct api_key, expires_at),
    BP_DATE(struct api_key, last_used_at),
    BP_TEXT(struct api_key, role),
    BP_END,
};

#define COLUMNS                                                                                                \
    "api_keys.id, user_id, name, prefix, secret_hash, scopes, api_keys.created_at, expires_at, last_used_at, " \
    "users.role FROM api_keys JOIN users ON users.id = user_id "

/* Where reads go, which may be a replica; and where writes go. */
#define FIND(flags_)                                                                                               \
    BP_STATEMENT(.name = "auth.find_key", .flags = (flags_),                                                       \
                 .sql = "SELECT " COLUMNS "WHERE prefix = $1 AND (expires_at IS NULL OR expires_at > $2) AND NOT " \
                        "users.disabled",                                                                          \
                 .rows = columns, .row_size = sizeof(struct api_key))
static const struct bp_statement find[2] = {FIND(BP_SQL_READ), FIND(BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT)};

static const struct bp_statement list =
    BP_STATEMENT(.name = "auth.list_keys", .flags = BP_SQL_READ,
                 .sql = "SELECT " COLUMNS "WHERE user_id = $1 ORDER BY api_keys.id DESC", .rows = columns,
                 .row_size = sizeof(struct api_key));

static const struct bp_statement create =
    BP_STATEMENT(.name = "auth.create_key", .flags = BP_SQL_BATCHABLE,
                 .sql = "INSERT INTO api_keys (id, user_id, name, prefix, secret_hash, scopes, created_at, expires_at) "
                        "SELECT $1, $2, $3, $4, $5, $6, $7, $8 "
                        "WHERE (SELECT count(*) FROM api_keys WHERE user_id = $2) < $9",
                 .sql_postgres =
                     "INSERT INTO api_keys (id, user_id, name, prefix, secret_hash, scopes, created_at, expires_at) "
                     "SELECT $1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::text, $7::timestamptz, "
                     "$8::timestamptz WHERE (SELECT count(*) FROM api_keys WHERE user_id = $2::uuid) < $9::bigint");

static const struct bp_statement delete_key =
    BP_STATEMENT(.name = "auth.delete_key", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "DELETE FROM api_keys WHERE id = $1 AND user_id = $2");

static const struct bp_statement note_use =
    BP_STATEMENT(.name = "auth.note_key_use", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "UPDATE api_keys SET last_used_at = $2 "
                        "WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)");

bool api_key_is(bp_str text)
{
    return bp_str_starts(text, BP_STR(BEGINNING));
}

static void hash_of(bp_str secret, char ret_hash[API_KEY_HASH + 1])
{
    unsigned char hash[API_KEY_HASH / 2];
    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)secret.ptr, secret.len, NULL, 0);
    sodium_bin2hex(ret_hash, API_KEY_HASH + 1, hash, sizeof(hash));
}

struct api_key_text api_key_make(void)
{
    struct api_key_text key;
    unsigned char prefix[API_KEY_PREFIX / 2], secret[32];
    char *at = key.text + sizeof(BEGINNING) - 1;
    bp_random(prefix, sizeof(prefix));
    bp_random(secret, sizeof(secret));
    memcpy(key.text, BEGINNING, sizeof(BEGINNING) - 1);
    sodium_bin2hex(at, API_KEY_PREFIX + 1, prefix, sizeof(prefix));
    at += API_KEY_PREFIX;
    *at++ = '_';
    sodium_bin2base64(at, API_KEY_SECRET + 1, secret, sizeof(secret), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    hash_of(bp_str_n(at, API_KEY_SECRET), key.hash);
    sodium_memzero(secret, sizeof(secret));
    return key;
}

bool api_key_parse(bp_str text, bp_str *ret_prefix, char ret_hash[API_KEY_HASH + 1])
{
    if (text.len != API_KEY_LEN || !api_key_is(text))
        return false;
    bp_str prefix = bp_str_n(text.ptr + sizeof(BEGINNING) - 1, API_KEY_PREFIX);
    for (size_t i = 0; i < prefix.len; i++)
        if (!(prefix.ptr[i] >= '0' && prefix.ptr[i] <= '9') && !(prefix.ptr[i] >= 'a' && prefix.ptr[i] <= 'f'))
            return false;
    if (prefix.ptr[prefix.len] != '_')
        return false;
    *ret_prefix = prefix;
    hash_of(bp_str_n(prefix.ptr + prefix.len + 1, API_KEY_SECRET), ret_hash);
    return true;
}

int api_key_find(struct bp_service db, bp_str prefix, bp_date now, bool fresh, struct bp_arena *arena,
                 struct api_key *ret_key)
{
    struct bp_result result;
    int status =
        bp_db_query(db, NULL, &find[fresh ? 1 : 0], BP_VALUES(bp_db_text(prefix), bp_db_date(now)), arena, &result);
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    if (result.len == 0)
        return API_KEY_E_MISSING;
    *ret_key = *(const struct api_key *)result.rows;
    return 0;
}

int api_key_list(struct bp_service db, const bp_uuid *user_id, struct bp_arena *arena, struct bp_array *ret_keys)
{
    struct bp_result result;
    int status = bp_db_query(db, NULL, &list, BP_VALUES(bp_db_uuid(user_id)), arena, &result);
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    *ret_keys = (struct bp_array){result.rows, result.len};
    return 0;
}

int api_key_create(struct bp_service db, const struct api_key *key, int64_t most)
{
    struct bp_result result;
    int status = bp_db_query(
        db, NULL, &create,
        BP_VALUES(bp_db_uuid(&key->id), bp_db_uuid(&key->user_id), bp_db_text(key->name), bp_db_text(key->prefix),
                  bp_db_text(key->secret_hash), bp_db_text(key->scopes), bp_db_date(key->created_at),
                  key->expires_at > 0 ? bp_db_date(key->expires_at) : bp_db_null(), bp_db_i64(most)),
        NULL, &result);
    if (status != 0)
        return status == BP_DB_FOREIGN ? API_KEY_E_MISSING : status < 0 ? status : BP_BUSY; /* a prefix twice: again */
    return result.changes > 0 ? 0 : API_KEY_E_FULL;
}

int api_key_delete(struct bp_service db, const bp_uuid *user_id, const bp_uuid *id)
{
    struct bp_result result;
    int status = bp_db_query(db, NULL, &delete_key, BP_VALUES(bp_db_uuid(id), bp_db_uuid(user_id)), NULL, &result);
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    return result.changes > 0 ? 0 : API_KEY_E_MISSING;
}

int api_key_note_use(struct bp_service db, const bp_uuid *id, bp_date now)
{
    return bp_db_query(
        db, NULL, &note_use,
        BP_VALUES(bp_db_uuid(id), bp_db_date(now), bp_db_date(now - API_KEY_NOTE_EVERY / BP_MILLISECOND)), NULL, NULL);
}
