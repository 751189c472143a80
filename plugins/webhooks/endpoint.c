/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include "types.h"

#define TAG "webhooks:user:$2"

static const struct bp_statement create = BP_STATEMENT(
        .name = "webhooks.create", .flags = BP_SQL_BATCHABLE, .tag = TAG,
        .sql =
            "INSERT INTO webhooks (id, user_id, url, types, enabled, description, secret, created_at, updated_at) "
            "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $8 WHERE (SELECT count(*) FROM webhooks WHERE user_id = $2) < $9",
        .sql_postgres =
            "INSERT INTO webhooks (id, user_id, url, types, enabled, description, secret, created_at, updated_at) "
            "SELECT $1::uuid, $2::uuid, $3::text, $4::jsonb, $5::boolean, $6::text, $7::text, $8::timestamptz, "
            "$8::timestamptz WHERE (SELECT count(*) FROM webhooks WHERE user_id = $2::uuid) < $9::bigint");

static const struct bp_field secret_rows[] = {
    BP_PRESENCE(struct endpoint_secrets, set, null),
    BP_TEXT(struct endpoint_secrets, secret),
    BP_TEXT(struct endpoint_secrets, previous),
    BP_DATE(struct endpoint_secrets, previous_until),
    BP_END,
};

/* What has run out is gone. */
#define SECRETS                                                                                           \
    "secret, CASE WHEN previous_until > $3 THEN previous_secret END, CASE WHEN previous_until > $3 THEN " \
    "previous_until "                                                                                     \
    "END"

static const struct bp_statement find_secrets =
    BP_STATEMENT(.name = "webhooks.secrets", .flags = BP_SQL_READ,
                 .sql = "SELECT " SECRETS " FROM webhooks WHERE id = $1 AND user_id = $2", .rows = secret_rows,
                 .row_size = sizeof(struct endpoint_secrets));

static const struct bp_statement rotate =
    BP_STATEMENT(.name = "webhooks.rotate",
                 .sql =
                     "UPDATE webhooks SET secret = $4, previous_secret = secret, previous_until = $5 WHERE id = $1 AND "
                     "user_id = $2 RETURNING " SECRETS,
                 .rows = secret_rows, .row_size = sizeof(struct endpoint_secrets));

static const struct bp_field wish_rows[] = {
    BP_UUID(struct endpoint_wish, id),
    BP_UUID(struct endpoint_wish, user_id),
    BP_ARRAY(struct endpoint_wish, types, bp_str, type_rows, .max = TYPES_MAX),
    BP_END,
};

static const struct bp_statement wishes =
    BP_STATEMENT(.name = "webhooks.wishes",
                 .sql = "SELECT id, user_id, types FROM webhooks WHERE enabled AND lower(hex(user_id)) IN "
                        "(SELECT replace(value, '-', '') FROM json_each($1))",
                 .sql_postgres = "SELECT id, user_id, types FROM webhooks WHERE enabled AND user_id IN "
                                 "(SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb)) FOR KEY SHARE",
                 .rows = wish_rows, .row_size = sizeof(struct endpoint_wish));

struct failing {
    int64_t failures;
    bp_date since;
};
static const struct bp_field failing_rows[] = {BP_I64(struct failing, failures), BP_DATE(struct failing, since),
                                               BP_END};

static const struct bp_statement failed =
    BP_STATEMENT(.name = "webhooks.failed",
                 .sql = "UPDATE webhooks SET failures = failures + 1, failing_since = coalesce(failing_since, $3) "
                        "WHERE id = $1 AND url = $2 RETURNING failures, failing_since",
                 .rows = failing_rows, .row_size = sizeof(struct failing));

/* Of two waits the longer one counts. */
static const struct bp_statement pause_sending =
    BP_STATEMENT(.name = "webhooks.pause", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "UPDATE webhooks SET paused_until = $2 WHERE id = $1 AND (paused_until IS NULL OR "
                        "paused_until < $2)");

static const struct bp_statement succeeded =
    BP_STATEMENT(.name = "webhooks.succeeded", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "UPDATE webhooks SET failures = 0, failing_since = NULL, paused_until = NULL WHERE id = $1 AND "
                        "url = $2 AND failures > 0");

static const struct bp_statement disable = BP_STATEMENT(
        .name = "webhooks.disable", .tag = TAG,
        .sql = "UPDATE webhooks SET enabled = 0, disabled_reason = $3, disabled_at = $4, version = version + 1, "
               "updated_at = max(updated_at + 1, $4) WHERE id = $1 AND user_id = $2 AND url = $5 AND enabled",
        .sql_postgres =
            "UPDATE webhooks SET enabled = false, disabled_reason = $3, disabled_at = $4, version = version + 1, "
            "updated_at = greatest(updated_at + interval '1 millisecond', $4) WHERE id = $1 AND user_id = $2 AND "
            "url = $5 AND enabled");

struct found_url {
    bp_str url;
};
static const struct bp_statement find_url =
    BP_STATEMENT(.name = "webhooks.url", .flags = BP_SQL_READ,
                 .sql = "SELECT url FROM webhooks WHERE id = $1 AND user_id = $2",
                 .rows = (const struct bp_field[]){BP_TEXT(struct found_url, url), BP_END},
                 .row_size = sizeof(struct found_url));

struct address {
    bp_str email;
};
static const struct bp_statement find_address =
    BP_STATEMENT(.name = "webhooks.owner", .flags = BP_SQL_READ, .sql = "SELECT email FROM users WHERE id = $1",
                 .rows = (const struct bp_field[]){BP_TEXT(struct address, email), BP_END},
                 .row_size = sizeof(struct address));

static int plain(int status)
{
    return status > 0 ? BP_ERROR : bp_trace(status);
}

int endpoint_create(const struct webhooks *self, const struct endpoint *endpoint, struct bp_arena *arena)
{
    struct bp_result result;
    bp_str types = types_json(endpoint->types, arena);
    if (!types.ptr)
        return BP_NOMEM;
    int status = bp_db_query(self->db, NULL, &create,
                             BP_VALUES(bp_db_uuid(&endpoint->id), bp_db_uuid(&endpoint->user_id),
                                       bp_db_text(endpoint->url), bp_db_text(types), bp_db_bool(endpoint->enabled),
                                       bp_db_text(endpoint->description), bp_db_text(endpoint->secret),
                                       bp_db_date(endpoint->created_at), bp_db_i64(self->endpoints)),
                             NULL, &result);
    if (status != 0)
        return status == BP_DB_FOREIGN ? ENDPOINT_E_NO_USER : plain(status);
    return result.changes > 0 ? 0 : ENDPOINT_E_FULL;
}

static int take_secrets(int status, const struct bp_result *result, struct endpoint_secrets *ret_secrets)
{
    if (status != 0)
        return plain(status);
    if (result->len == 0)
        return ENDPOINT_E_MISSING;
    *ret_secrets = *(const struct endpoint_secrets *)result->rows;
    return 0;
}

int endpoint_secrets_find(const struct webhooks *self, const bp_uuid *user_id, const bp_uuid *id,
                          struct bp_arena *arena, struct endpoint_secrets *ret_secrets)
{
    struct bp_result result;
    int status = bp_db_query(self->db, NULL, &find_secrets,
                             BP_VALUES(bp_db_uuid(id), bp_db_uuid(user_id), bp_db_date(bp_date_now())), arena, &result);
    return take_secrets(status, &result, ret_secrets);
}

int endpoint_rotate(const struct webhooks *self, const bp_uuid *user_id, const bp_uuid *id, bp_str secret,
                    struct bp_arena *arena, struct endpoint_secrets *ret_secrets)
{
    struct bp_result result;
    bp_date now = bp_date_now();
    int status = bp_db_query(self->db, NULL, &rotate,
                             BP_VALUES(bp_db_uuid(id), bp_db_uuid(user_id), bp_db_date(now), bp_db_text(secret),
                                       bp_db_date(now + self->secret_overlap / BP_MILLISECOND)),
                             arena, &result);
    return take_secrets(status, &result, ret_secrets);
}

int endpoint_wishes(const struct webhooks *self, struct bp_tx *tx, bp_str user_ids, struct bp_arena *arena,
                    struct bp_array *ret_wishes)
{
    struct bp_result result;
    int status = bp_db_query(self->db, tx, &wishes, BP_VALUES(bp_db_text(user_ids)), arena, &result);
    if (status != 0)
        return plain(status);
    *ret_wishes = (struct bp_array){result.rows, result.len};
    return 0;
}

int endpoint_url(const struct webhooks *self, const bp_uuid *user_id, const bp_uuid *id, struct bp_arena *arena,
                 bp_str *ret_url)
{
    struct bp_result result;
    int status = bp_db_query(self->db, NULL, &find_url, BP_VALUES(bp_db_uuid(id), bp_db_uuid(user_id)), arena, &result);
    if (status != 0)
        return plain(status);
    *ret_url = result.len > 0 ? ((const struct found_url *)result.rows)->url : bp_str_n(NULL, 0);
    return 0;
}

int endpoint_failed(const struct webhooks *self, struct bp_tx *tx, const struct due *due, bp_date now,
                    struct bp_arena *arena, int64_t *ret_failures, bp_date *ret_since)
{
    struct bp_result result;
    int status =
        bp_db_query(self->db, tx, &failed,
                    BP_VALUES(bp_db_uuid(&due->webhook_id), bp_db_text(due->url), bp_db_date(now)), arena, &result);
    if (status != 0)
        return plain(status);
    const struct failing none = {.failures = 0}, *row = result.len > 0 ? result.rows : &none;
    *ret_failures = row->failures;
    *ret_since = row->since;
    return 0;
}

int endpoint_succeeded(const struct webhooks *self, struct bp_tx *tx, const struct due *due)
{
    return plain(bp_db_query(self->db, tx, &succeeded, BP_VALUES(bp_db_uuid(&due->webhook_id), bp_db_text(due->url)),
                             NULL, NULL));
}

int endpoint_disable(const struct webhooks *self, struct bp_tx *tx, const struct due *due, const char *reason,
                     bool *ret_done)
{
    struct bp_result result;
    int status = bp_db_query(self->db, tx, &disable,
                             BP_VALUES(bp_db_uuid(&due->webhook_id), bp_db_uuid(&due->user_id),
                                       bp_db_text(bp_str_of(reason)), bp_db_date(bp_date_now()), bp_db_text(due->url)),
                             NULL, &result);
    if (status != 0)
        return plain(status);
    *ret_done = result.changes > 0;
    return 0;
}

int endpoint_pause(const struct webhooks *self, struct bp_tx *tx, const bp_uuid *id, bp_date until)
{
    return plain(bp_db_query(self->db, tx, &pause_sending, BP_VALUES(bp_db_uuid(id), bp_db_date(until)), NULL, NULL));
}

int endpoint_address(const struct webhooks *self, struct bp_tx *tx, const bp_uuid *user_id, struct bp_arena *arena,
                     bp_str *ret_address)
{
    struct bp_result result;
    int status = bp_db_query(self->db, tx, &find_address, BP_VALUES(bp_db_uuid(user_id)), arena, &result);
    if (status != 0)
        return plain(status);
    *ret_address = result.len > 0 ? ((const struct address *)result.rows)->email : bp_str_n(NULL, 0);
    return 0;
}
