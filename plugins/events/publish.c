/* SPDX-License-Identifier: MIT */
#include "publish.h"

#include "outbox.h"

#define TYPE_MAX 64u

/* Of a user who is gone there are no events: Postgres keeps one who is there until the transaction has ended. */
static const struct bp_statement insert =
    BP_STATEMENT(.name = "events.publish", .flags = BP_SQL_BATCHABLE,
                 .sql = "INSERT INTO events (user_id, subject_id, type, data, at) SELECT id, $2, $3, $4, $5 FROM users"
                        " WHERE id = $1",
                 .sql_postgres = "INSERT INTO events (user_id, subject_id, type, data, at) SELECT id, $2, $3, $4, $5"
                                 " FROM users WHERE id = $1 FOR KEY SHARE");

/* "<noun>.<verb>", so that nothing else ever stands in a line of a stream, and clients can ask for it in ?types=. */
static bool is_type(bp_str type)
{
    if (type.len == 0 || type.len > TYPE_MAX)
        return false;
    for (size_t i = 0; i < type.len; i++) {
        char c = type.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* These mean something to clients, or to this plugin. */
static bool is_reserved(bp_str type)
{
    return bp_str_is(type, "resync") || bp_str_is(type, OUTBOX_ACCOUNT);
}

static int check_object(bp_str data)
{
    static const struct bp_field none[] = {BP_END};
    static const struct bp_field object = {.name = "data", .type = BP_TYPE_OBJECT, .sub = none};
    char nothing = 0;
    return bp_field_decode_json(&object, data, bp_fiber_arena(), &nothing);
}

int publish(void *self, struct bp_tx *tx, const struct bp_events_item *item)
{
    struct events *events = self;
    bp_str data = bp_str_trim(item->data);
    int status = BP_ERROR;
    if (is_reserved(item->type)) {
        bp_log(events->host, BP_LOG_ERROR, "events.misuse", "What was published has a type that is reserved",
               bp_log_str("type", item->type));
        return BP_MISUSE;
    }
    if (is_type(item->type) && data.len > 0 && data.ptr[0] == '{' && bp_fiber_arena())
        status = check_object(data);
    if (status == BP_NOMEM)
        return status;
    if (status != 0) {
        bp_log(events->host, BP_LOG_ERROR, "events.misuse",
               "What was published has no type of a-z, 0-9, dots, _ and -, or is no JSON object",
               bp_log_str("type", item->type));
        return BP_MISUSE;
    }
    return bp_trace(bp_db_query(events->db, tx, &insert,
                                BP_VALUES(bp_db_uuid(&item->user_id), bp_db_uuid(&item->subject_id),
                                          bp_db_text(item->type), bp_db_text(data), bp_db_date(bp_date_now())),
                                NULL, NULL));
}
