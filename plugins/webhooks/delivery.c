/* SPDX-License-Identifier: MIT */
#include "delivery.h"

#define PRUNE_ROWS 1000

static const char *const delivery_states[] = {
    [DELIVERY_PENDING] = "pending", [DELIVERY_DELIVERED] = "delivered", [DELIVERY_FAILED] = "failed", NULL};

const struct bp_field delivery_fields[] = {
    BP_PRESENCE(struct delivery, set, null),
    BP_UUID(struct delivery, id, .doc = "Behind \"msg_\" the webhook-id of every attempt."),
    BP_UUID(struct delivery, webhook_id),
    BP_I64(struct delivery, event_id, .flags = BP_NULLABLE, .doc = "Of the event; null: of a test event."),
    BP_TEXT(struct delivery, type, .example = "todo.created"),
    BP_CHOICE(struct delivery, state, .choices = delivery_states,
              .doc = "pending: it will be tried, or tried again; failed: not any more."),
    BP_I64(struct delivery, attempts, .doc = "How often it was tried."),
    BP_DATE(struct delivery, created_at),
    BP_DATE(struct delivery, next_attempt_at, .flags = BP_NULLABLE, .doc = "Not before then; null: it is not pending."),
    BP_DATE(struct delivery, last_attempt_at, .flags = BP_NULLABLE),
    BP_I64(struct delivery, duration_ms, .flags = BP_NULLABLE, .doc = "Of the last attempt, in milliseconds."),
    BP_U32(struct delivery, response_status, .flags = BP_NULLABLE,
           .doc = "Of the last attempt; null: there was no response."),
    BP_TEXT(struct delivery, error, .flags = BP_NULLABLE, .doc = "Why it failed, or its last attempt."),
    BP_TEXT(struct delivery, body, .doc = "What is sent. Not in lists."),
    BP_TEXT(struct delivery, response_body, .flags = BP_NULLABLE,
            .doc = "The beginning of what the last attempt was answered. Not in lists."),
    BP_END,
};
#define COLUMNS                                                                                                    \
    "id, webhook_id, event_id, type, state, attempts, created_at, next_attempt_at, last_attempt_at, duration_ms, " \
    "response_status, error, "
enum { BODY_BITS = 12 }; /* the row of body, and response_body behind it */

static const struct bp_statement create =
    BP_STATEMENT(.name = "webhooks.deliver",
                 .sql = "INSERT INTO webhook_deliveries (id, webhook_id, event_id, type, body, state, created_at, "
                        "next_attempt_at) VALUES ($1, $2, $3, $4, $5, 'pending', $6, $6)");

static const struct bp_field due_rows[] = {
    BP_PRESENCE(struct due, set, null),
    BP_TEXT(struct due, type),
    BP_TEXT(struct due, body),
    BP_CHOICE(struct due, state, .choices = delivery_states),
    BP_UUID(struct due, webhook_id),
    BP_UUID(struct due, user_id),
    BP_TEXT(struct due, url),
    BP_BOOL(struct due, enabled),
    BP_TEXT(struct due, secret),
    BP_TEXT(struct due, previous_secret),
    BP_DATE(struct due, previous_until),
    BP_I64(struct due, failures),
    BP_DATE(struct due, paused_until),
    BP_I64(struct due, asked),
    BP_I64(struct due, tries),
    BP_END,
};
static const struct bp_statement find_due = BP_STATEMENT(
        .name = "webhooks.due", .flags = BP_SQL_READ,
        .sql =
            "SELECT d.type, d.body, d.state, w.id, w.user_id, w.url, w.enabled, w.secret, w.previous_secret, "
            "w.previous_until, w.failures, w.paused_until, d.asked, d.tries FROM webhook_deliveries d JOIN webhooks w "
            "ON w.id = d.webhook_id "
            "WHERE d.id = $1",
        .rows = due_rows, .row_size = sizeof(struct due));

#define OUTCOME                                                                                                   \
    "attempts = attempts + 1, last_attempt_at = $2, duration_ms = $3, response_status = $4, response_body = $5, " \
    "error = $6"
static const struct bp_statement note =
    BP_STATEMENT(.name = "webhooks.note", .flags = BP_SQL_BATCHABLE,
                 .sql = "UPDATE webhook_deliveries SET " OUTCOME ", state = $7, tries = tries + 1, "
                        "next_attempt_at = $8 WHERE id = $1 AND asked = $9 AND tries = $10");
/* Of an attempt that is not the one that counts. */
static const struct bp_statement note_late =
    BP_STATEMENT(.name = "webhooks.note_late", .flags = BP_SQL_BATCHABLE,
                 .sql = "UPDATE webhook_deliveries SET " OUTCOME " WHERE id = $1 AND state = 'pending'");

static const struct bp_statement postpone =
    BP_STATEMENT(.name = "webhooks.postpone",
                 .sql = "UPDATE webhook_deliveries SET next_attempt_at = $2 WHERE id = $1 AND asked = $3 AND "
                        "tries = $4");

static const struct bp_statement give_up =
    BP_STATEMENT(.name = "webhooks.give_up", .flags = BP_SQL_BATCHABLE | BP_SQL_IDEMPOTENT,
                 .sql = "UPDATE webhook_deliveries SET state = 'failed', next_attempt_at = NULL, error = $2 "
                        "WHERE id = $1 AND asked = $3 AND tries = $4");

static const struct bp_statement find =
    BP_STATEMENT(.name = "webhooks.delivery", .flags = BP_SQL_READ,
                 .sql =
                     "SELECT " COLUMNS "body, response_body FROM webhook_deliveries WHERE webhook_id = $1 AND id = $2",
                 .rows = delivery_fields, .row_size = sizeof(struct delivery));

static const struct bp_statement list =
    BP_STATEMENT(.name = "webhooks.deliveries", .flags = BP_SQL_READ,
                 .sql = "SELECT " COLUMNS "NULL, NULL FROM webhook_deliveries WHERE webhook_id = $1 AND id < $2 AND "
                        "($3 IS NULL OR state = $3) ORDER BY id DESC LIMIT $4",
                 .sql_postgres =
                     "SELECT " COLUMNS "NULL::text, NULL::text FROM webhook_deliveries WHERE webhook_id = $1 AND "
                     "id < $2 AND ($3::text IS NULL OR state = $3::text) ORDER BY id DESC LIMIT $4",
                 .rows = delivery_fields, .row_size = sizeof(struct delivery));

static const struct bp_statement again =
    BP_STATEMENT(.name = "webhooks.redeliver", .sql = "UPDATE webhook_deliveries SET state = 'pending', tries = 0, "
                                                      "asked = asked + 1, next_attempt_at = $3 WHERE webhook_id = $1 "
                                                      "AND id = $2");

static const struct bp_statement prune =
    BP_STATEMENT(.name = "webhooks.prune", .flags = BP_SQL_IDEMPOTENT,
                 .sql = "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE "
                        "created_at < $1 ORDER BY created_at LIMIT $2)");

static int plain(int status)
{
    return status > 0 ? BP_ERROR : bp_trace(status);
}

int delivery_create(const struct webhooks *self, struct bp_tx *tx, const bp_uuid *id, const bp_uuid *webhook_id,
                    int64_t event_id, bp_str type, bp_str body, bp_date now)
{
    return plain(
        bp_db_query(self->db, tx, &create,
                    BP_VALUES(bp_db_uuid(id), bp_db_uuid(webhook_id), event_id > 0 ? bp_db_i64(event_id) : bp_db_null(),
                              bp_db_text(type), bp_db_text(body), bp_db_date(now)),
                    NULL, NULL));
}

int delivery_due(const struct webhooks *self, const bp_uuid *id, struct bp_arena *arena, struct due *ret_due)
{
    struct bp_result result;
    int status = bp_db_query(self->db, NULL, &find_due, BP_VALUES(bp_db_uuid(id)), arena, &result);
    if (status != 0)
        return plain(status);
    if (result.len == 0)
        return DELIVERY_E_MISSING;
    *ret_due = *(const struct due *)result.rows;
    return 0;
}

static bp_str state_after(enum outcome outcome)
{
    enum delivery_state state = outcome == OUTCOME_DELIVERED ? DELIVERY_DELIVERED
                                : outcome == OUTCOME_RETRIED ? DELIVERY_PENDING
                                                             : DELIVERY_FAILED;
    return bp_str_of(delivery_states[state]);
}

int delivery_note(const struct webhooks *self, struct bp_tx *tx, const bp_uuid *id, const struct due *due,
                  const struct attempt *attempt, bool *ret_current)
{
    bool answered = attempt->status > 0;
    struct bp_result result;
    const struct bp_db_value values[] = {bp_db_uuid(id),
                                         bp_db_date(attempt->at),
                                         bp_db_i64(attempt->duration / BP_MILLISECOND),
                                         answered ? bp_db_i64(attempt->status) : bp_db_null(),
                                         answered ? bp_db_text(attempt->body) : bp_db_null(),
                                         attempt->outcome == OUTCOME_DELIVERED ? bp_db_null()
                                                                               : bp_db_text(attempt->error),
                                         bp_db_text(state_after(attempt->outcome)),
                                         attempt->outcome == OUTCOME_RETRIED ? bp_db_date(attempt->next) : bp_db_null(),
                                         bp_db_i64(due->asked),
                                         bp_db_i64(due->tries)};
    int status = bp_db_query(self->db, tx, &note, values, sizeof(values) / sizeof(values[0]), NULL, &result);
    *ret_current = status == 0 && result.changes > 0;
    if (status == 0 && !*ret_current)
        status = bp_db_query(self->db, tx, &note_late, values, 6, NULL, NULL);
    return plain(status);
}

int delivery_postpone(const struct webhooks *self, struct bp_tx *tx, const bp_uuid *id, const struct due *due,
                      bp_date until, bool *ret_current)
{
    struct bp_result result;
    int status = bp_db_query(self->db, tx, &postpone,
                             BP_VALUES(bp_db_uuid(id), bp_db_date(until), bp_db_i64(due->asked), bp_db_i64(due->tries)),
                             NULL, &result);
    *ret_current = status == 0 && result.changes > 0;
    return plain(status);
}

int delivery_give_up(const struct webhooks *self, const bp_uuid *id, const struct due *due, bp_str why)
{
    return plain(bp_db_query(self->db, NULL, &give_up,
                             BP_VALUES(bp_db_uuid(id), bp_db_text(why), bp_db_i64(due->asked), bp_db_i64(due->tries)),
                             NULL, NULL));
}

int delivery_find(const struct webhooks *self, const bp_uuid *webhook_id, const bp_uuid *id, struct bp_arena *arena,
                  struct delivery *ret_delivery)
{
    struct bp_result result;
    int status = bp_db_query(self->db, NULL, &find, BP_VALUES(bp_db_uuid(webhook_id), bp_db_uuid(id)), arena, &result);
    if (status != 0)
        return plain(status);
    if (result.len == 0)
        return DELIVERY_E_MISSING;
    *ret_delivery = *(const struct delivery *)result.rows;
    return 0;
}

int delivery_list(const struct webhooks *self, const bp_uuid *webhook_id, const bp_uuid *before, int state,
                  int64_t limit, struct bp_arena *arena, struct bp_array *ret_deliveries)
{
    struct bp_result result;
    int status = bp_db_query(self->db, NULL, &list,
                             BP_VALUES(bp_db_uuid(webhook_id), bp_db_uuid(before),
                                       state < 0 ? bp_db_null() : bp_db_text(bp_str_of(delivery_states[state])),
                                       bp_db_i64(limit)),
                             arena, &result);
    if (status != 0)
        return plain(status);
    struct delivery *rows = result.rows;
    for (size_t i = 0; i < result.len; i++)
        rows[i].set &= ~(UINT64_C(3) << BODY_BITS);
    *ret_deliveries = (struct bp_array){rows, result.len};
    return 0;
}

int delivery_again(const struct webhooks *self, struct bp_tx *tx, const bp_uuid *webhook_id, const bp_uuid *id)
{
    struct bp_result result;
    int status =
        bp_db_query(self->db, tx, &again, BP_VALUES(bp_db_uuid(webhook_id), bp_db_uuid(id), bp_db_date(bp_date_now())),
                    NULL, &result);
    if (status != 0)
        return plain(status);
    return result.changes > 0 ? 0 : DELIVERY_E_MISSING;
}

int webhooks_prune(struct bp_job *job, void *argument)
{
    const struct webhooks *self = argument;
    const bp_date until = bp_date_now() - self->retention / BP_MILLISECOND;
    struct bp_result result = {.changes = PRUNE_ROWS};
    int status = 0;
    (void)job;
    while (status == 0 && result.changes == PRUNE_ROWS)
        status =
            bp_db_query(self->db, NULL, &prune, BP_VALUES(bp_db_date(until), bp_db_i64(PRUNE_ROWS)), NULL, &result);
    return plain(status);
}
