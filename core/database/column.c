/* SPDX-License-Identifier: MIT */
/* What is the same for the columns of every database. */
#include "backplane/iface/database.h"

const struct bp_field *bp_db_first_column(const struct bp_field *rows)
{
    return rows->type == BP_TYPE_PRESENCE ? rows + 1 : rows;
}

unsigned bp_db_column_count(const struct bp_field *rows)
{
    unsigned count = 0;
    for (const struct bp_field *row = bp_db_first_column(rows); row->type != BP_TYPE_END; row++)
        count++;
    return count;
}

bool bp_db_store_integer(const struct bp_field *row, int64_t integer, void *member)
{
    switch (row->type) {
    case BP_TYPE_BOOL:
        *(bool *)member = integer != 0;
        return integer == 0 || integer == 1;
    case BP_TYPE_U32:
    case BP_TYPE_CHOICE:
        *(uint32_t *)member = (uint32_t)integer;
        return integer >= 0 && integer <= UINT32_MAX;
    case BP_TYPE_SIZE:
        *(uint64_t *)member = (uint64_t)integer;
        return integer >= 0;
    case BP_TYPE_F64:
        *(double *)member = (double)integer;
        return true;
    case BP_TYPE_I64:
    case BP_TYPE_DATE:
    case BP_TYPE_SPAN:
        *(int64_t *)member = integer;
        return true;
    default:
        return false;
    }
}

static bool store_choice(const struct bp_field *row, bp_str name, uint32_t *member)
{
    for (uint32_t i = 0; row->choices && row->choices[i]; i++) {
        if (bp_str_is(name, row->choices[i])) {
            *member = i;
            return true;
        }
    }
    return false;
}

int bp_db_store_text(const struct bp_field *row, bp_str text, struct bp_arena *arena, void *object)
{
    void *member = (char *)object + row->offset;
    switch (row->type) {
    case BP_TYPE_ARRAY:
    case BP_TYPE_OBJECT:
        return bp_field_decode_json(row, text, arena, object);
    case BP_TYPE_CHOICE:
        return store_choice(row, text, member) ? 0 : BP_ERROR;
    case BP_TYPE_TEXT:
        text = bp_arena_copy(arena, text);
        if (!text.ptr)
            return BP_NOMEM;
        *(bp_str *)member = text;
        return 0;
    default:
        return BP_ERROR;
    }
}
