/* SPDX-License-Identifier: MIT */
#include "login_address.h"

#include <sodium.h>

#define DIGEST 32u /* hexadecimal digits */
#define LIFETIME_MS (LOGIN_ADDRESS_LIFETIME / BP_MILLISECOND)

struct seen {
    bp_date used_at;
};

static const struct bp_field seen_columns[] = {BP_DATE(struct seen, used_at), BP_END};

static const struct bp_statement find =
    BP_STATEMENT(.name = "auth.find_login_address", .flags = BP_SQL_READ,
                 .sql = "SELECT used_at FROM login_addresses WHERE user_id = $1 AND address_hash = $2 AND used_at > $3",
                 .rows = seen_columns, .row_size = sizeof(struct seen));

static const struct bp_statement note =
    BP_STATEMENT(.name = "auth.note_login_address", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "INSERT INTO login_addresses (user_id, address_hash, used_at) VALUES ($1, $2, $3) "
                        "ON CONFLICT (user_id, address_hash) DO UPDATE SET used_at = excluded.used_at");

static const struct bp_statement forget =
    BP_STATEMENT(.name = "auth.forget_login_addresses", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "DELETE FROM login_addresses WHERE user_id = $1 AND used_at <= $2");

static bp_str digest(const bp_uuid *user_id, const struct throttle_address *address, char ret_text[DIGEST + 1])
{
    crypto_generichash_state state;
    unsigned char hash[DIGEST / 2];
    (void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    (void)crypto_generichash_update(&state, user_id->bytes, sizeof(user_id->bytes));
    (void)crypto_generichash_update(&state, (const unsigned char *)address->bytes, address->len);
    (void)crypto_generichash_final(&state, hash, sizeof(hash));
    sodium_bin2hex(ret_text, DIGEST + 1, hash, sizeof(hash));
    return bp_str_n(ret_text, DIGEST);
}

int login_address_is_familiar(struct bp_service db, const bp_uuid *user_id, const struct throttle_address *address,
                              bp_date now, bool *ret_familiar)
{
    static const bp_uuid nobody;
    const bp_uuid *id = user_id ? user_id : &nobody;
    char text[DIGEST + 1];
    struct bp_result result;
    int status =
        bp_db_query(db, NULL, &find,
                    BP_VALUES(bp_db_uuid(id), bp_db_text(digest(id, address, text)), bp_db_date(now - LIFETIME_MS)),
                    bp_fiber_arena(), &result);
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    *ret_familiar = user_id && result.len > 0;
    return 0;
}

int login_address_note(struct bp_service db, const bp_uuid *user_id, const struct throttle_address *address,
                       bp_date now)
{
    char text[DIGEST + 1];
    int status = bp_db_query(
        db, NULL, &note, BP_VALUES(bp_db_uuid(user_id), bp_db_text(digest(user_id, address, text)), bp_db_date(now)),
        NULL, NULL);
    if (status != 0)
        return status;
    return bp_db_query(db, NULL, &forget, BP_VALUES(bp_db_uuid(user_id), bp_db_date(now - LIFETIME_MS)), NULL, NULL);
}
