/* SPDX-License-Identifier: MIT */
#include "todo.h"

static const struct bp_field tag_rows[] = {{.name = "", .type = BP_TYPE_TEXT}, BP_END};

const struct bp_field todo_rows[] = {
    BP_PRESENCE(struct todo, set, null),
    BP_UUID(struct todo, id),
    BP_TEXT(struct todo, title),
    BP_BOOL(struct todo, completed),
    BP_UUID(struct todo, user_id),
    BP_DATE(struct todo, created_at),
    BP_DATE(struct todo, updated_at),
    BP_TEXT(struct todo, description, .flags = BP_NULLABLE),
    BP_U32(struct todo, priority),
    BP_DATE(struct todo, due_at, .flags = BP_NULLABLE),
    BP_DATE(struct todo, completed_at, .flags = BP_NULLABLE),
    BP_I64(struct todo, version),
    BP_UUID(struct todo, list_id, .flags = BP_NULLABLE),
    BP_ARRAY(struct todo, tags, bp_str, tag_rows),
    BP_F64(struct todo, position),
    BP_DATE(struct todo, remind_at, .flags = BP_NULLABLE),
    BP_TEXT(struct todo, recurrence, .flags = BP_NULLABLE),
    BP_END,
};

bool todo_has(const struct todo *todo, const char *member)
{
    return bp_is_set(todo_rows, todo, member) && !bp_is_null(todo_rows, todo, member);
}

bool todo_reminds(const struct todo *todo, bool due, bp_date *ret_at)
{
    if (todo->completed)
        return false;
    if (todo_has(todo, "remind_at"))
        *ret_at = todo->remind_at;
    else if (due && todo_has(todo, "due_at"))
        *ret_at = todo->due_at;
    else
        return false;
    return true;
}
