/* SPDX-License-Identifier: MIT */
/* "User" into users. */
#include <stdlib.h>

#include "batch.h"

enum { ID, EMAIL, PASSWORD, CREATED, UPDATED };

#define SELECT                                                                          \
    "SELECT id::text, email, password, " SOURCE_DATE("\"createdAt\"") ", " SOURCE_DATE( \
        "\"updatedAt\"") " "                                                            \
                         "FROM \"User\" "

/* Both conflicts, of id and of email, cost nothing; which one it was is asked afterwards. */
static const struct bp_statement insert =
    BP_STATEMENT(.name = "import.account",
                 .sql = "INSERT INTO users (id, email, password_hash, role, created_at, updated_at) "
                        "VALUES ($1, $2, $3, 'user', $4, $5) ON CONFLICT DO NOTHING");

struct holder {
    bp_uuid id;
};
static const struct bp_field holder_columns[] = {BP_UUID(struct holder, id), BP_END};

static const struct bp_statement find_holder =
    BP_STATEMENT(.name = "import.find_holder", .flags = BP_SQL_READ, .sql = "SELECT id FROM users WHERE email = $1",
                 .rows = holder_columns, .row_size = sizeof(struct holder));

static const struct bp_statement find =
    BP_STATEMENT(.name = "import.find_account", .flags = BP_SQL_READ, .sql = "SELECT count(*) FROM users WHERE id = $1",
                 .rows = number_columns, .row_size = sizeof(struct number));

static const struct bp_statement count =
    BP_STATEMENT(.name = "import.count_accounts", .flags = BP_SQL_READ, .sql = "SELECT count(*) FROM users",
                 .rows = number_columns, .row_size = sizeof(struct number));

/* As sign-up and login do it: ASCII only. */
static void lower(bp_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'Z')
            ((char *)(uintptr_t)text.ptr)[i] = (char)(text.ptr[i] | 0x20);
}

/* Nothing was inserted: is it there, or does another account have the address? */
static int explain(const struct import *import, struct bp_tx *tx, const bp_uuid *id, bp_str email,
                   struct bp_arena *arena, enum outcome *ret_outcome)
{
    struct bp_result result;
    int64_t found = 0;
    char text[BP_UUID_LEN + 1] = "", other[BP_UUID_LEN + 1] = "";
    int status = ask_number(import, tx, &find, BP_VALUES(bp_db_uuid(id)), arena, &found);
    *ret_outcome = found > 0 ? OUTCOME_PRESENT : OUTCOME_SKIPPED;
    if (status != 0 || found > 0)
        return status;
    status = bp_db_query(import->db, tx, &find_holder, BP_VALUES(bp_db_text(email)), arena, &result);
    if (status != 0)
        return status;
    bp_uuid_format(id, text);
    if (result.len > 0)
        bp_uuid_format(&((const struct holder *)result.rows)->id, other);
    bp_str reason = bp_arena_printf(arena, "account %s has this e-mail address in lower case", other);
    row_skipped(import, "account", text, email.ptr, reason.ptr ? reason.ptr : "its e-mail address is taken");
    return 0;
}

static int copy(const struct import *import, struct bp_tx *tx, const PGresult *rows, int row, struct bp_arena *arena,
                enum outcome *ret_outcome)
{
    struct bp_result result;
    bp_uuid id;
    *ret_outcome = OUTCOME_SKIPPED;
    if (!bp_uuid_parse(bp_str_of(PQgetvalue(rows, row, ID)), &id)) {
        row_skipped(import, "account", PQgetvalue(rows, row, ID), PQgetvalue(rows, row, EMAIL), "its id is no UUID");
        return 0;
    }
    bp_str email = bp_arena_copy(arena, bp_str_of(PQgetvalue(rows, row, EMAIL)));
    if (!email.ptr)
        return BP_NOMEM;
    lower(email);
    int status = bp_db_query(import->db, tx, &insert,
                             BP_VALUES(bp_db_uuid(&id), bp_db_text(email),
                                       bp_db_text(bp_str_of(PQgetvalue(rows, row, PASSWORD))),
                                       bp_db_date(strtoll(PQgetvalue(rows, row, CREATED), NULL, 10)),
                                       bp_db_date(strtoll(PQgetvalue(rows, row, UPDATED), NULL, 10))),
                             NULL, &result);
    if (status != 0)
        return status;
    if (result.changes == 0)
        return explain(import, tx, &id, email, arena, ret_outcome);
    *ret_outcome = OUTCOME_COPIED;
    return 0;
}

const struct table accounts_table = {.noun = "accounts",
                                     .first = SELECT "ORDER BY id LIMIT " BATCH_ROWS,
                                     .next = SELECT "WHERE id > $1 ORDER BY id LIMIT " BATCH_ROWS,
                                     .count_old = "SELECT count(*) FROM \"User\"",
                                     .count_new = &count,
                                     .copy = copy};
