/* SPDX-License-Identifier: MIT */
#include "foreign_account.h"

#include <sodium.h>

#include "backplane/wait.h"
#include "credentials.h"

struct owner {
    bp_uuid user_id;
};

static const struct bp_field owner_columns[] = {BP_UUID(struct owner, user_id), BP_END};

static const struct bp_statement find =
    BP_STATEMENT(.name = "auth.find_external", .flags = BP_SQL_READ,
                 .sql = "SELECT user_id FROM external_identities WHERE issuer = $1 AND subject = $2",
                 .rows = owner_columns, .row_size = sizeof(struct owner));

static const struct bp_statement create_user =
    BP_STATEMENT(.name = "auth.create_external_user",
                 .sql = "INSERT INTO users (id, email, password_hash, role, created_at, updated_at, email_verified_at) "
                        "VALUES ($1, $2, $3, 'user', $4, $4, $5) ON CONFLICT (email) DO NOTHING");

static const struct bp_statement create_identity =
    BP_STATEMENT(.name = "auth.create_external", .sql = "INSERT INTO external_identities (issuer, subject, user_id, "
                                                        "created_at) VALUES ($1, $2, $3, $4) "
                                                        "ON CONFLICT (issuer, subject) DO NOTHING");

int foreign_account_find(struct bp_service db, bp_str issuer, bp_str subject, bp_uuid *ret_user_id)
{
    struct bp_result result;
    int status =
        bp_db_query(db, NULL, &find, BP_VALUES(bp_db_text(issuer), bp_db_text(subject)), bp_fiber_arena(), &result);
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    if (result.len == 0)
        return FOREIGN_ACCOUNT_E_MISSING;
    *ret_user_id = ((const struct owner *)result.rows)->user_id;
    return 0;
}

#define PLACEHOLDER_DOMAIN "@external.invalid"
#define PLACEHOLDER_SIZE (33 + sizeof(PLACEHOLDER_DOMAIN))

static bp_str placeholder(bp_str issuer, bp_str subject, char ret_text[PLACEHOLDER_SIZE])
{
    crypto_generichash_state state;
    unsigned char hash[16];
    (void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    (void)crypto_generichash_update(&state, (const unsigned char *)issuer.ptr, issuer.len);
    (void)crypto_generichash_update(&state, (const unsigned char *)"\n", 1);
    (void)crypto_generichash_update(&state, (const unsigned char *)subject.ptr, subject.len);
    (void)crypto_generichash_final(&state, hash, sizeof(hash));
    sodium_bin2hex(ret_text, 33, hash, sizeof(hash));
    memcpy(ret_text + 32, PLACEHOLDER_DOMAIN, sizeof(PLACEHOLDER_DOMAIN));
    return bp_str_of(ret_text);
}

static bp_str lower(bp_str email, char ret_text[EMAIL_MAX])
{
    if (email.len > EMAIL_MAX)
        return bp_str_n(NULL, 0);
    for (size_t i = 0; i < email.len; i++)
        ret_text[i] = (char)(email.ptr[i] >= 'A' && email.ptr[i] <= 'Z' ? email.ptr[i] + 32 : email.ptr[i]);
    bp_str text = bp_str_n(ret_text, email.len);
    return email_valid(text) ? text : bp_str_n(NULL, 0);
}

struct newcomer {
    bp_str issuer, subject, email, placeholder;
    const char *hash;
    bp_date now;
    bp_uuid id;
};

static int add_user(struct bp_service db, struct bp_tx *tx, const struct newcomer *who, bool own_address,
                    int64_t *ret_changes)
{
    struct bp_result result;
    int status = bp_db_query(db, tx, &create_user,
                             BP_VALUES(bp_db_uuid(&who->id), bp_db_text(own_address ? who->email : who->placeholder),
                                       bp_db_text(bp_str_of(who->hash)), bp_db_date(who->now),
                                       own_address ? bp_db_date(who->now) : bp_db_null()),
                             NULL, &result);
    if (status == 0)
        *ret_changes = result.changes;
    return status;
}

/* *ret_made false: somebody else has made it meanwhile. */
static int add_all(struct bp_service db, struct bp_tx *tx, const struct newcomer *who, bool *ret_made)
{
    struct bp_result result;
    int64_t changes = 0;
    int status = who->email.ptr ? add_user(db, tx, who, true, &changes) : 0;
    if (status == 0 && changes == 0)
        status = add_user(db, tx, who, false, &changes);
    if (status != 0)
        return status;
    *ret_made = false;
    if (changes == 0)
        return 0;
    status = bp_db_query(
        db, tx, &create_identity,
        BP_VALUES(bp_db_text(who->issuer), bp_db_text(who->subject), bp_db_uuid(&who->id), bp_db_date(who->now)), NULL,
        &result);
    if (status == 0)
        *ret_made = result.changes > 0;
    return status;
}

int foreign_account_create(struct bp_service db, bp_str issuer, bp_str subject, bp_str email, const char *hash,
                           bp_date now, bp_uuid *ret_user_id, bool *ret_made)
{
    char text[PLACEHOLDER_SIZE], address[EMAIL_MAX];
    struct bp_tx *tx;
    bool made = false;
    const struct newcomer who = {.issuer = issuer,
                                 .subject = subject,
                                 .email = email.ptr ? lower(email, address) : email,
                                 .placeholder = placeholder(issuer, subject, text),
                                 .hash = hash,
                                 .now = now,
                                 .id = bp_uuid_new()};
    int status = bp_db_begin(db, &tx);
    if (status != 0)
        return status;
    status = add_all(db, tx, &who, &made);
    if (status == 0 && made) {
        status = bp_db_commit(db, tx);
        if (status == 0) {
            *ret_user_id = who.id;
            *ret_made = true;
        }
        return status;
    }
    bp_db_rollback(db, tx);
    if (status < 0)
        return status;
    return foreign_account_find(db, issuer, subject, ret_user_id);
}
