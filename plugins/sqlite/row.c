/* SPDX-License-Identifier: MIT */
#include "row.h"

int row_bind(sqlite3_stmt *stmt, int parameter, const struct bp_db_value *value)
{
    switch (value->type) {
    case BP_TYPE_END:
        return sqlite3_bind_null(stmt, parameter);
    case BP_TYPE_BOOL:
        return sqlite3_bind_int(stmt, parameter, value->as.boolean);
    case BP_TYPE_I64:
    case BP_TYPE_DATE:
        return sqlite3_bind_int64(stmt, parameter, value->as.integer);
    case BP_TYPE_F64:
        return sqlite3_bind_double(stmt, parameter, value->as.number);
    case BP_TYPE_TEXT:
        /* A NULL pointer binds NULL. */
        return sqlite3_bind_text64(stmt, parameter, value->as.text.ptr, value->as.text.len, SQLITE_STATIC, SQLITE_UTF8);
    case BP_TYPE_UUID:
        return sqlite3_bind_blob(stmt, parameter, value->as.uuid.bytes, sizeof(value->as.uuid.bytes), SQLITE_STATIC);
    default:
        return SQLITE_MISUSE;
    }
}

static const char *type_name(int type)
{
    static const char *const names[] = {"?", "INTEGER", "REAL", "TEXT", "BLOB", "NULL"};
    return names[type >= SQLITE_INTEGER && type <= SQLITE_NULL ? type : 0];
}

/* 0, BP_NOMEM, or BP_ERROR when the column does not fit the row. */
static int decode_column(sqlite3_stmt *stmt, int column, int type, const struct bp_field *row, struct bp_arena *arena,
                         void *object)
{
    void *member = (char *)object + row->offset;
    bp_str text;
    if (type == SQLITE_INTEGER)
        return bp_db_store_integer(row, sqlite3_column_int64(stmt, column), member) ? 0 : BP_ERROR;
    if (type == SQLITE_FLOAT && row->type == BP_TYPE_F64) {
        *(double *)member = sqlite3_column_double(stmt, column);
        return 0;
    }
    if (type == SQLITE_BLOB && row->type == BP_TYPE_UUID) {
        if (sqlite3_column_bytes(stmt, column) != (int)sizeof(bp_uuid))
            return BP_ERROR;
        memcpy(member, sqlite3_column_blob(stmt, column), sizeof(bp_uuid));
        return 0;
    }
    if (type != SQLITE_TEXT)
        return BP_ERROR;
    text.ptr = (const char *)sqlite3_column_text(stmt, column);
    text.len = (size_t)sqlite3_column_bytes(stmt, column);
    return text.ptr ? bp_db_store_text(row, text, arena, object) : BP_NOMEM;
}

int row_decode(sqlite3_stmt *stmt, const struct bp_field *rows, struct bp_arena *arena, void *object,
               struct failure *failure)
{
    uint64_t set = 0, null = 0;
    int column = 0;
    for (const struct bp_field *row = bp_db_first_column(rows); row->type != BP_TYPE_END; row++, column++) {
        uint64_t bit = column < 64 ? UINT64_C(1) << column : 0;
        int type = sqlite3_column_type(stmt, column);
        int status;
        set |= bit;
        if (type == SQLITE_NULL) {
            null |= bit;
            continue;
        }
        status = decode_column(stmt, column, type, row, arena, object);
        if (status == BP_ERROR)
            failure_set(failure, 0, "column %d, %s: its %s does not fit the member \"%s\"", column + 1,
                        sqlite3_column_name(stmt, column), type_name(type), row->name);
        if (status != 0)
            return status;
    }
    if (rows->type == BP_TYPE_PRESENCE) {
        memcpy((char *)object + rows->offset, &set, sizeof(set));
        memcpy((char *)object + rows->item_size, &null, sizeof(null));
    }
    return 0;
}
