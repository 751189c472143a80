/* SPDX-License-Identifier: MIT */
#include "record.h"

#define CLEAN_ROWS 500

static const struct bp_field rows[] = {BP_BOOL(struct record, alone),
                                       BP_UUID(struct record, fingerprint),
                                       BP_U32(struct record, status),
                                       BP_TEXT(struct record, content_type),
                                       BP_TEXT(struct record, headers),
                                       BP_TEXT(struct record, body),
                                       BP_END};

/*
 * Postgres: an INSERT of a key that another transaction has inserted and not yet committed would wait for it; an advisory lock, which is
 * held until the end of the transaction, answers at once. SQLite has one writer: where the transaction has begun, it is alone.
 */
static const struct bp_statement find = BP_STATEMENT(
        .name = "idempotency.find",
        .sql = "SELECT $3 IS NOT NULL, k.fingerprint, k.status, k.content_type, k.headers, k.body FROM (SELECT 1) "
               "LEFT JOIN idempotency_keys k ON k.id = $1 AND k.expires_at > $2",
        .sql_postgres = "SELECT l.alone, k.fingerprint, k.status, k.content_type, k.headers, k.body "
                        "FROM (SELECT pg_try_advisory_xact_lock($3::bigint) AS alone) l "
                        "LEFT JOIN idempotency_keys k ON k.id = $1 AND k.expires_at > $2",
        .rows = rows, .row_size = sizeof(struct record));

/* Changes no row that still counts. */
static const struct bp_statement store = BP_STATEMENT(
        .name = "idempotency.store",
        .sql = "INSERT INTO idempotency_keys (id, fingerprint, status, content_type, headers, body, created_at, "
               "expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO UPDATE SET "
               "fingerprint = excluded.fingerprint, status = excluded.status, content_type = excluded.content_type, "
               "headers = excluded.headers, body = excluded.body, created_at = excluded.created_at, "
               "expires_at = excluded.expires_at WHERE idempotency_keys.expires_at <= excluded.created_at");

static const struct bp_statement clean =
    BP_STATEMENT(.name = "idempotency.clean", .flags = BP_SQL_IDEMPOTENT,
                 .sql =
                     "DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys WHERE expires_at <= $1 "
                     "ORDER BY expires_at LIMIT $2)");

int record_find(const struct idempotency *self, struct bp_tx *tx, const struct ask *ask, struct bp_arena *arena,
                struct record *ret_record)
{
    struct bp_result result;
    int status = bp_db_query(self->db, tx, &find,
                             BP_VALUES(bp_db_uuid(&ask->id), bp_db_date(bp_date_now()), bp_db_i64((int64_t)ask->lock)),
                             arena, &result);
    if (status != 0)
        return status > 0 ? BP_ERROR : bp_trace(status);
    if (result.len != 1)
        return BP_ERROR;
    *ret_record = *(const struct record *)result.rows;
    return 0;
}

/* Of the lines of a block, those that a later client may see: what sets a cookie was for the first one. */
static bool is_kept(bp_str name)
{
    return !bp_str_eq_nocase(name, BP_STR("set-cookie"));
}

static char *put(char *at, bp_str text)
{
    if (text.len > 0)
        memcpy(at, text.ptr, text.len);
    return at + text.len;
}

static char *put_block(char *at, bp_str block)
{
    while (block.len > 0) {
        const char *end = memchr(block.ptr, '\n', block.len);
        bp_str line = bp_str_n(block.ptr, end ? (size_t)(end - block.ptr) + 1 : block.len);
        const char *colon = memchr(line.ptr, ':', line.len);
        if (is_kept(bp_str_n(line.ptr, colon ? (size_t)(colon - line.ptr) : line.len)))
            at = put(at, line);
        block = bp_str_n(block.ptr + line.len, block.len - line.len);
    }
    return at;
}

/* The header fields that were set behind this stage, as lines. ptr is NULL when out of memory. */
static bp_str header_lines(struct bp_request *rq)
{
    size_t len = 1, at = 0;
    bp_str name, value;
    while (bp_reply_header_next(rq, &at, &name, &value))
        len += name.len + value.len + 4;
    char *lines = bp_arena_alloc(bp_arena(rq), len), *end = lines;
    if (!lines)
        return bp_str_n(NULL, 0);
    for (at = 0; bp_reply_header_next(rq, &at, &name, &value);) {
        if (!name.ptr)
            end = put_block(end, value);
        else if (is_kept(name))
            end = put(put(put(put(end, name), BP_STR(": ")), value), BP_STR("\r\n"));
    }
    return bp_str_n(lines, (size_t)(end - lines));
}

int record_store(const struct idempotency *self, struct bp_tx *tx, const struct ask *ask, bp_span ttl,
                 struct bp_request *rq)
{
    bp_str body = bp_reply_content(rq), type = bp_reply_content_type(rq), headers = header_lines(rq);
    bp_date now = bp_date_now();
    struct bp_result result;
    if (!headers.ptr)
        return BP_NOMEM;
    bool kept = !bp_reply_streams(rq) && body.len + headers.len <= self->max_reply && ask_is_text(body) &&
                ask_is_text(headers) && ask_is_text(type);
    body = body.ptr ? body : BP_STR("");
    type = type.ptr ? type : BP_STR("");
    int status = bp_db_query(self->db, tx, &store,
                             BP_VALUES(bp_db_uuid(&ask->id), bp_db_uuid(&ask->fingerprint),
                                       bp_db_i64(bp_reply_status(rq)), bp_db_text(kept ? type : BP_STR("")),
                                       bp_db_text(kept ? headers : BP_STR("")), kept ? bp_db_text(body) : bp_db_null(),
                                       bp_db_date(now), bp_db_date(now + ttl / BP_MILLISECOND)),
                             bp_arena(rq), &result);
    if (status != 0)
        return status > 0 ? BP_ERROR : bp_trace(status);
    return result.changes == 0 ? RECORD_E_TAKEN : 0;
}

int record_clean(struct idempotency *self)
{
    struct bp_result result = {.changes = CLEAN_ROWS};
    int status = 0;
    while (status == 0 && result.changes == CLEAN_ROWS)
        status = bp_db_query(self->db, NULL, &clean, BP_VALUES(bp_db_date(bp_date_now()), bp_db_i64(CLEAN_ROWS)), NULL,
                             &result);
    return status > 0 ? BP_ERROR : status;
}
