/* SPDX-License-Identifier: MIT */
#include "outbox.h"

#include "count.h"

#define NUMBER_AT_ONCE 1000
_Static_assert(OUTBOX_LIMIT_MAX == 1001 && OUTBOX_BYTES == 1048576, "as in END_POSTGRES");

/* --- where it stands --- */

struct head_row {
    bool pending;
    int64_t last, forgotten;
};
static const struct bp_field head_rows[] = {BP_BOOL(struct head_row, pending), BP_I64(struct head_row, last),
                                            BP_I64(struct head_row, forgotten), BP_END};

/* SQLite: ids are positions. */
static const struct bp_statement look =
    BP_STATEMENT(.name = "events.head", .flags = BP_SQL_READ,
                 .sql = "SELECT 0, (SELECT coalesce(max(id), 0) FROM events), forgotten FROM event_head",
                 .sql_postgres =
                     "SELECT (SELECT id FROM events WHERE position IS NULL ORDER BY id LIMIT 1) IS NOT NULL,"
                     " position, forgotten FROM event_head",
                 .rows = head_rows, .row_size = sizeof(struct head_row));

struct number_row {
    bp_str kind;
    int64_t amount, last, forgotten;
};
static const struct bp_field number_rows[] = {BP_TEXT(struct number_row, kind), BP_I64(struct number_row, amount),
                                              BP_I64(struct number_row, last), BP_I64(struct number_row, forgotten),
                                              BP_END};

/* Postgres. See the function. */
static const struct bp_statement number =
    BP_STATEMENT(.name = "events.number", .sql = "SELECT '', 0, 0, 0 WHERE $1 IS NULL",
                 .sql_postgres = "SELECT kind, amount, head, gone FROM events_number($1)", .rows = number_rows,
                 .row_size = sizeof(struct number_row));

static bool has_sequencer(const struct events *events)
{
    return strcmp(((const struct bp_database_vtable *)events->db.vtable)->system, "postgresql") == 0;
}

static int ask_head(struct events *events, struct head_row *ret_row)
{
    struct bp_result result;
    int status = bp_db_query(events->db, NULL, &look, BP_NO_VALUES, bp_fiber_arena(), &result);
    if (status != 0 || result.len != 1)
        return status < 0 ? bp_trace(status) : BP_ERROR;
    *ret_row = *(const struct head_row *)result.rows;
    return 0;
}

static int number_all(struct events *events, struct outbox_head *ret_head)
{
    for (bool more = true; more;) {
        struct bp_result result;
        int status =
            bp_db_query(events->db, NULL, &number, BP_VALUES(bp_db_i64(NUMBER_AT_ONCE)), bp_fiber_arena(), &result);
        if (status != 0 || result.len == 0)
            return status < 0 ? bp_trace(status) : BP_ERROR;
        const struct number_row *row = result.rows, *last = row + result.len - 1;
        for (; row < last; row++)
            count_add(events, row->kind, row->amount);
        *ret_head = (struct outbox_head){.last = last->last, .forgotten = last->forgotten};
        more = last->amount > 0;
    }
    return 0;
}

int outbox_advance(struct events *events, struct outbox_head *ret_head)
{
    struct head_row row;
    if (has_sequencer(events))
        return number_all(events, ret_head);
    int status = ask_head(events, &row);
    if (status == 0)
        status = count_upto(events, row.last);
    if (status == 0)
        *ret_head = (struct outbox_head){.last = row.last, .forgotten = row.forgotten};
    return status;
}

int outbox_poll(struct events *events, struct outbox_head *ret_head)
{
    struct head_row row;
    if (!has_sequencer(events))
        return outbox_advance(events, ret_head);
    int status = ask_head(events, &row);
    if (status == 0 && row.pending)
        return number_all(events, ret_head);
    if (status == 0)
        *ret_head = (struct outbox_head){.last = row.last, .forgotten = row.forgotten};
    return status;
}

/* --- what is in it --- */

/* The first two columns are where the outbox stood for this very statement; the others are NULL when there is no event. */
struct event_row {
    int64_t last, forgotten, position;
    bp_uuid user_id, subject_id;
    bp_str type, data;
    bp_date at;
};
static const struct bp_field event_rows[] = {
    BP_I64(struct event_row, last),     BP_I64(struct event_row, forgotten),   BP_I64(struct event_row, position),
    BP_UUID(struct event_row, user_id), BP_UUID(struct event_row, subject_id), BP_TEXT(struct event_row, type),
    BP_TEXT(struct event_row, data),    BP_DATE(struct event_row, at),         BP_END};

/* Between both: a condition. As many of the first as have less than OUTBOX_BYTES before them. */
#define SELECT_SQLITE                                                                                            \
    "SELECT h.last, h.forgotten, e.id, e.user_id, e.subject_id, e.type, e.data, e.at FROM"                       \
    " (SELECT forgotten, (SELECT coalesce(max(id), 0) FROM events) AS last FROM event_head) h LEFT JOIN"         \
    " (SELECT * FROM (SELECT *, sum(length(CAST(data AS BLOB))) OVER (ORDER BY id) - length(CAST(data AS BLOB))" \
    " AS before FROM (SELECT id, user_id, subject_id, type, data, at FROM events WHERE "
#define END_SQLITE " ORDER BY id LIMIT $2)) WHERE before < 1048576) e ON true ORDER BY e.id"
/* The inner limit is OUTBOX_LIMIT_MAX. Of a parameter the planner thinks that it might be a tenth of the table, and plans for that. */
#define SELECT_POSTGRES                                                                                             \
    "SELECT h.position, h.forgotten, e.position, e.user_id, e.subject_id, e.type, e.data, e.at FROM event_head h"   \
    " LEFT JOIN (SELECT * FROM (SELECT *, sum(octet_length(data)) OVER (ORDER BY position) - octet_length(data) AS" \
    " before FROM (SELECT position, user_id, subject_id, type, data, at FROM events WHERE "
#define END_POSTGRES                                                                                         \
    " ORDER BY position LIMIT 1001) near) sums WHERE before < 1048576 ORDER BY position LIMIT $2) e ON true" \
    " ORDER BY e.position"

static const struct bp_statement read_all =
    BP_STATEMENT(.name = "events.read", .flags = BP_SQL_READ, .sql = SELECT_SQLITE "id > $1" END_SQLITE,
                 .sql_postgres = SELECT_POSTGRES "position > $1" END_POSTGRES, .rows = event_rows,
                 .row_size = sizeof(struct event_row));
static const struct bp_statement read_user =
    BP_STATEMENT(.name = "events.read_user", .flags = BP_SQL_READ,
                 .sql = SELECT_SQLITE "user_id = $3 AND id > $1" END_SQLITE,
                 .sql_postgres = SELECT_POSTGRES "user_id = $3 AND position > $1" END_POSTGRES, .rows = event_rows,
                 .row_size = sizeof(struct event_row));

#define TODO_TYPES "type IN ('todo.created', 'todo.updated', 'todo.completed', 'todo.deleted')"
static const struct bp_statement read_changes = BP_STATEMENT(
        .name = "events.changes", .flags = BP_SQL_READ,
        .sql = SELECT_SQLITE "id IN (SELECT max(id) FROM events WHERE user_id = $3 AND id > $1 AND " TODO_TYPES
                             " GROUP BY subject_id ORDER BY 1 LIMIT $2)" END_SQLITE,
        .sql_postgres = SELECT_POSTGRES
        "position = ANY (ARRAY(SELECT max(position) FROM events WHERE user_id = $3 AND position > $1 AND " TODO_TYPES
        " GROUP BY subject_id ORDER BY 1 LIMIT $2))" END_POSTGRES,
        .rows = event_rows, .row_size = sizeof(struct event_row));

/* What the triggers of SQLite left out: see the migration. ptr NULL: out of memory. */
static bp_str whole(const struct event_row *row, struct bp_arena *arena)
{
    char id[BP_UUID_LEN], user[BP_UUID_LEN];
    if (row->data.len == 0 || row->data.ptr[0] == '{')
        return row->data;
    bp_uuid_format(&row->subject_id, id);
    bp_uuid_format(&row->user_id, user);
    if (row->data.ptr[0] == '}')
        return bp_arena_printf(arena, "{\"id\":\"%.*s\"}", BP_UUID_LEN, id);
    return bp_arena_printf(arena, "{\"id\":\"%.*s\",\"userId\":\"%.*s\"%" BP_STR_FMT, BP_UUID_LEN, id, BP_UUID_LEN,
                           user, BP_STR_ARG(row->data));
}

/* What is read, but given to nobody: a place that is kept, see outbox_reset(); and what is this plugin's own. */
static bool is_hidden(bp_str type, bool internal)
{
    return type.len == 0 || (!internal && bp_str_is(type, OUTBOX_ACCOUNT));
}

static int page_of(const struct bp_result *result, int64_t after, uint32_t limit, bool internal, struct bp_arena *arena,
                   struct outbox_page *ret_page)
{
    const struct event_row *row = result->rows, *end = row + result->len;
    struct outbox_page page = {.forgotten = row->forgotten, .upto = row->last > after ? row->last : after};
    size_t seen = 0, bytes = 0;
    page.items = bp_arena_array(arena, result->len, sizeof(*page.items));
    if (!page.items)
        return BP_NOMEM;
    for (; row < end && row->position > 0; row++, seen++) {
        bp_str data = whole(row, arena);
        if (row->data.ptr && !data.ptr)
            return BP_NOMEM;
        if (!is_hidden(row->type, internal))
            page.items[page.len++] = (struct bp_events_item){.position = row->position,
                                                             .user_id = row->user_id,
                                                             .subject_id = row->subject_id,
                                                             .type = row->type,
                                                             .data = data,
                                                             .at = row->at};
        bytes += row->data.len;
        page.cut = bytes >= OUTBOX_BYTES;
        if (seen + 1 >= limit || page.cut)
            page.upto = row->position;
    }
    *ret_page = page;
    return 0;
}

static int read_page(struct events *events, struct bp_tx *tx, const struct bp_statement *statement,
                     const struct bp_db_value *values, size_t count, bool internal, struct bp_arena *arena,
                     struct outbox_page *ret_page)
{
    struct bp_result result;
    int status = bp_db_query(events->db, tx, statement, values, count, arena, &result);
    if (status != 0 || result.len == 0)
        return status < 0 ? bp_trace(status) : BP_ERROR;
    return page_of(&result, values[0].as.integer, (uint32_t)values[1].as.integer, internal, arena, ret_page);
}

int outbox_read(struct events *events, struct bp_tx *tx, int64_t after, uint32_t limit, bool internal,
                struct bp_arena *arena, struct outbox_page *ret_page)
{
    return read_page(events, tx, &read_all, BP_VALUES(bp_db_i64(after), bp_db_i64(limit)), internal, arena, ret_page);
}

int outbox_read_user(struct events *events, const bp_uuid *user_id, int64_t after, uint32_t limit,
                     struct bp_arena *arena, struct outbox_page *ret_page)
{
    return read_page(events, NULL, &read_user, BP_VALUES(bp_db_i64(after), bp_db_i64(limit), bp_db_uuid(user_id)),
                     false, arena, ret_page);
}

int outbox_read_changes(struct events *events, const bp_uuid *user_id, int64_t after, uint32_t limit,
                        struct bp_arena *arena, struct outbox_page *ret_page)
{
    return read_page(events, NULL, &read_changes, BP_VALUES(bp_db_i64(after), bp_db_i64(limit), bp_db_uuid(user_id)),
                     false, arena, ret_page);
}
