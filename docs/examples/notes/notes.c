/* SPDX-License-Identifier: MIT */
/* notes: short texts that belong to an account. */
#include <backplane/backplane.h>
#include <backplane/iface/database.h>
#include <backplane/iface/identity.h>

struct notes {
    struct bp_service db, identity; /* written by the core before init */
};

struct note {
    bp_uuid id;
    bp_str text;
    bp_date created_at;
};

/* The columns of a row, and the members of a reply: id, text, createdAt. */
static const struct bp_field note_fields[] = {BP_UUID(struct note, id), BP_TEXT(struct note, text),
                                              BP_DATE(struct note, created_at), BP_END};

/* ---- what the database keeps ---- */

static const struct bp_migration migrations[] = {
    BP_MIGRATION(.version = 1, .name = "create_notes",
                 .up = "CREATE TABLE notes (id BLOB PRIMARY KEY, user_id BLOB NOT NULL REFERENCES users (id) "
                       "ON DELETE CASCADE, text TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;"),
    BP_MIGRATION_END};

static const struct bp_statement create =
    BP_STATEMENT(.name = "notes.create", .flags = BP_SQL_BATCHABLE,
                 .sql = "INSERT INTO notes (id, user_id, text, created_at) VALUES ($1, $2, $3, $4)");

static const struct bp_statement find =
    BP_STATEMENT(.name = "notes.find", .flags = BP_SQL_READ,
                 .sql = "SELECT id, text, created_at FROM notes WHERE id = $1 AND user_id = $2", .rows = note_fields,
                 .row_size = sizeof(struct note));

/* ---- POST /api/v1/notes ---- */

struct create_body {
    bp_str text;
};

static const struct bp_field create_body[] = {
    BP_TEXT(struct create_body, text, .flags = BP_REQUIRED | BP_TRIM, .min = 1, .max = 2000, .doc = "What it says."),
    BP_END};

static int notes_create(struct bp_request *rq, void *self, const void *stage)
{
    const struct notes *notes = self;
    const struct bp_identity *identity = bp_identity(rq);
    struct create_body body;
    (void)stage;
    if (!identity)
        return BP_MISUSE; /* this route's pipeline identifies nobody */
    int status = bp_body_object(rq, create_body, &body);
    if (status < 0)
        return status; /* BP_REFUSED: the 400 is recorded */

    struct note note = {.id = bp_uuid_new(), .text = body.text, .created_at = bp_date_now()};
    status = bp_db_query(notes->db, NULL, &create,
                         BP_VALUES(bp_db_uuid(&note.id), bp_db_uuid(&identity->user_id), bp_db_text(note.text),
                                   bp_db_date(note.created_at)),
                         NULL, NULL); /* suspends until the note is on the disk */
    if (status == BP_DB_FOREIGN)
        return bp_identity_gone(notes->identity, rq);
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    return bp_reply_object(rq, 201, "Note created", note_fields, &note);
}

/* ---- GET /api/v1/notes/{id} ---- */

struct note_params {
    bp_uuid id;
};

static const struct bp_field params[] = {
    BP_UUID(struct note_params, id, .flags = BP_REQUIRED, .invalid = "Invalid note ID format"), BP_END};

static int notes_find(struct bp_request *rq, void *self, const void *stage)
{
    const struct notes *notes = self;
    const struct bp_identity *identity = bp_identity(rq);
    struct bp_result result;
    (void)stage;
    if (!identity)
        return BP_MISUSE;
    int status = bp_db_query(notes->db, NULL, &find,
                             BP_VALUES(bp_db_uuid(bp_param_uuid(rq, "id")), bp_db_uuid(&identity->user_id)),
                             bp_arena(rq), &result);
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    if (result.len == 0)
        return bp_fail(rq, 404, "notes.not_found", "Note not found");
    return bp_reply_object(rq, 200, "Note retrieved", note_fields, result.rows);
}

/* ---- DELETE /api/v1/notes/{id}, for administrators ---- */

static const struct bp_statement remove_note =
    BP_STATEMENT(.name = "notes.remove", .flags = BP_SQL_BATCHABLE, .sql = "DELETE FROM notes WHERE id = $1",
                 .tag = "notes:$1");

static int notes_remove(struct bp_request *rq, void *self, const void *stage)
{
    const struct notes *notes = self;
    struct bp_result result;
    (void)stage;
    int status = bp_db_query(notes->db, NULL, &remove_note, BP_VALUES(bp_db_uuid(bp_param_uuid(rq, "id"))),
                             bp_arena(rq), &result);
    if (status != 0)
        return status < 0 ? status : BP_ERROR;
    if (result.changes == 0)
        return bp_fail(rq, 404, "notes.not_found", "Note not found");
    return bp_reply_message(rq, 200, "Note deleted");
}

/* ---- the plugin ---- */

static const struct bp_need needs[] = {BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct notes, db),
                                       BP_NEED(BP_IDENTITY, BP_IDENTITY_VERSION, struct notes, identity), BP_NEED_END};

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/notes", .handler = notes_create, .name = "notes.create",
             .doc = "Adds a note.", .body = create_body, .reply = note_fields, .reply_status = 201,
             .scope = "notes:write"),
    BP_ROUTE(.method = BP_GET, .path = "/api/v1/notes/{id}", .handler = notes_find, .name = "notes.find",
             .doc = "One note.", .params = params, .params_size = sizeof(struct note_params), .reply = note_fields,
             .scope = "notes:read", .cache_tag = "notes:{id}"),
    BP_ROUTE(.method = BP_DELETE, .path = "/api/v1/notes/{id}", .handler = notes_remove, .name = "notes.remove",
             .doc = "Removes anybody's note.", .params = params, .params_size = sizeof(struct note_params),
             .role = "admin", .scope = "notes:write"),
    BP_ROUTE_END};

BP_PLUGIN(.name = "notes", .version = "1.0.0", .doc = "Short texts that belong to an account.",
          .self_size = sizeof(struct notes), .needs = needs, .routes = routes, .migrations = migrations);
