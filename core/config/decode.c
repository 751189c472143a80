/* SPDX-License-Identifier: MIT */
/* Settings into structs, by rows. */
#include "core/config/loader.h"
#include "core/schema/schema.h"

struct decoding {
    const struct config_setting *setting;
    const char *path;
    struct bp_arena *arena;
    struct report *report;
};

#define complain(d, ...) \
    report_error((d)->report, (d)->setting->place.file, (d)->setting->place.line, (d)->path, __VA_ARGS__)

static bool wrong_kind(const struct decoding *d, const struct bp_field *row)
{
    struct buffer type = {0};
    if (row->type == BP_TYPE_ARRAY)
        buffer_add(&type, BP_STR("a list ( … )"));
    else
        schema_describe_type(row, &type);
    complain(d, "must be %" BP_STR_FMT ", not %s", BP_STR_ARG(buffer_str(&type)), config_kind_name(d->setting->kind));
    buffer_deinit(&type);
    return false;
}

/* "Max head must be …" without the name, which the path says already. */
static bp_str without_label(const struct bp_field *row, bp_str message)
{
    bp_str name = bp_str_of(row->label ? row->label : row->name);
    if (message.len <= name.len || message.ptr[name.len] != ' ')
        return message;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i] == '_' ? ' ' : name.ptr[i];
        if (!bp_str_eq_nocase(bp_str_n(&c, 1), bp_str_n(message.ptr + i, 1)))
            return message;
    }
    return bp_str_n(message.ptr + name.len + 1, message.len - name.len - 1);
}

static bool is_integer_type(const struct bp_field *row)
{
    return row->type == BP_TYPE_U32 || row->type == BP_TYPE_I64 || row->type == BP_TYPE_SPAN ||
           row->type == BP_TYPE_SIZE;
}

static bool decode_scalar(const struct decoding *d, const struct bp_field *row, void *object)
{
    const struct config_setting *setting = d->setting;
    struct bp_problems problems;
    int status;
    problems_init(&problems, d->arena);
    if (setting->kind == CONFIG_TEXT)
        status = schema_set_text(row, setting->text, d->arena, object, &problems);
    else if (setting->kind == CONFIG_INTEGER && is_integer_type(row))
        status = schema_set_integer(row, setting->integer, object, &problems);
    else if (setting->kind == CONFIG_INTEGER && row->type == BP_TYPE_F64)
        status = schema_set_number(row, (double)setting->integer, object, &problems);
    else if (setting->kind == CONFIG_NUMBER && row->type == BP_TYPE_F64)
        status = schema_set_number(row, setting->number, object, &problems);
    else if (setting->kind == CONFIG_BOOL && row->type == BP_TYPE_BOOL)
        status = schema_set_bool(row, setting->boolean, object, &problems);
    else
        return wrong_kind(d, row);
    for (size_t i = 0; i < problems.len; i++)
        complain(d, "%" BP_STR_FMT, BP_STR_ARG(without_label(row, problems.items[i].message)));
    if (status != 0 && problems.len == 0)
        complain(d, "out of memory");
    return status == 0;
}

static bool decode_placeholder(const struct decoding *d, const struct bp_field *row, void *object)
{
    if (row->def) {
        struct bp_problems problems;
        problems_init(&problems, d->arena);
        return schema_set_text(row, bp_str_of(row->def), d->arena, object, &problems) == 0;
    }
    if (row->type == BP_TYPE_TEXT)
        memcpy((char *)object + row->offset, &d->setting->text, sizeof(bp_str));
    return true;
}

static bool decode_array(const struct decoding *d, const struct bp_field *row, void *object)
{
    const struct config_setting *list = d->setting;
    if (list->kind != CONFIG_LIST)
        return wrong_kind(d, row);
    struct bp_array array = {.len = list->item_count};
    bool bounded = row->min != 0 || row->max != 0;
    if (bounded && (int64_t)array.len > row->max) {
        complain(d, "has %zu items; it may have at most %lld", array.len, (long long)row->max);
        return false;
    }
    if (bounded && (int64_t)array.len < row->min) {
        complain(d, "has %zu items; it needs at least %lld", array.len, (long long)row->min);
        return false;
    }
    if (array.len > 0 && !(array.ptr = bp_arena_array(d->arena, array.len, row->item_size))) {
        complain(d, "out of memory");
        return false;
    }
    bool fine = true, bare = row->sub[0].name && row->sub[0].name[0] == '\0' && row->sub[0].type != BP_TYPE_PRESENCE;
    for (size_t i = 0; i < array.len; i++) {
        char path[CONFIG_PATH_MAX];
        void *item = (char *)array.ptr + i * row->item_size;
        config_path(path, "%s[%zu]", d->path, i);
        if (bare)
            fine &= config_decode(&list->items[i], &row->sub[0], path, d->arena, item, d->report);
        else
            fine &= config_decode_group(&list->items[i], row->sub, path, d->arena, item, d->report);
    }
    memcpy((char *)object + row->offset, &array, sizeof(array));
    return fine;
}

bool config_decode(const struct config_setting *setting, const struct bp_field *row, const char *path,
                   struct bp_arena *arena, void *object, struct report *report)
{
    struct decoding d = {setting, path, arena, report};
    if (setting->missing_environment)
        return decode_placeholder(&d, row, object);
    if (row->type == BP_TYPE_OBJECT)
        return config_decode_group(setting, row->sub, path, arena, (char *)object + row->offset, report);
    if (row->type == BP_TYPE_ARRAY)
        return decode_array(&d, row, object);
    return decode_scalar(&d, row, object);
}

static bool report_missing(const struct decoding *d, const struct bp_field *rows)
{
    bool fine = true;
    for (const struct bp_field *row = rows; row->type != BP_TYPE_END; row++)
        if ((row->flags & BP_REQUIRED) && !config_get(d->setting, row->name)) {
            complain(d, "\"%s\" is missing", row->name);
            fine = false;
        }
    return fine;
}

bool config_decode_group(const struct config_setting *group, const struct bp_field *rows, const char *path,
                         struct bp_arena *arena, void *object, struct report *report)
{
    struct decoding d = {group, path, arena, report};
    if (group->kind != CONFIG_GROUP) {
        complain(&d, "must be a group { … }, not %s", config_kind_name(group->kind));
        return false;
    }
    if (schema_set_defaults(rows, false, arena, object) != 0) {
        complain(&d, "out of memory");
        return false;
    }
    bool fine = true;
    for (size_t i = 0; i < group->item_count; i++) {
        const struct config_setting *item = &group->items[i];
        const struct bp_field *row = schema_find(rows, bp_str_of(item->name));
        char item_path[CONFIG_PATH_MAX];
        config_path(item_path, "%s.%s", path, item->name);
        if (row) {
            fine &= config_decode(item, row, item_path, arena, object, report);
            continue;
        }
        report_error(report, item->place.file, item->place.line, item_path, "unknown setting%s",
                     config_suggestion(schema_nearest(rows, bp_str_of(item->name))).text);
        fine = false;
    }
    return report_missing(&d, rows) && fine;
}
