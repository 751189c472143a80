/* SPDX-License-Identifier: MIT */
#include "definition.h"

#include <stdio.h>
#include <stdlib.h>

#define MEMBER_SIZE 16u /* as large as the largest, and aligned for all */
#define TEXT_MAX 1000
#define ITEMS_MAX 100

_Static_assert(sizeof(bp_str) <= MEMBER_SIZE && sizeof(bp_uuid) <= MEMBER_SIZE &&
                   sizeof(struct bp_array) <= MEMBER_SIZE,
               "a member's place must hold every type");

static const uint16_t types[] = {
    [FIELD_BOOL] = BP_TYPE_BOOL, [FIELD_INTEGER] = BP_TYPE_I64,   [FIELD_NUMBER] = BP_TYPE_F64,
    [FIELD_TEXT] = BP_TYPE_TEXT, [FIELD_CHOICE] = BP_TYPE_CHOICE, [FIELD_UUID] = BP_TYPE_UUID,
    [FIELD_DATE] = BP_TYPE_DATE, [FIELD_TEXTS] = BP_TYPE_ARRAY,
};

/* Copies live on, as the definition does. */
static bool keep(bp_str text, const char **ret_text)
{
    *ret_text = text.ptr ? strndup(text.ptr, text.len) : NULL;
    return !text.ptr || *ret_text;
}

/* Both 0 in a row is no bound, and max 0 no upper one. */
static void set_bounds(const struct field_option *field, struct bp_field *row)
{
    bool has_min = field->min != BOUND_NONE, has_max = field->max != BOUND_NONE;
    switch (field->type) {
    case FIELD_TEXT:
        row->min = has_min ? field->min : field->required;
        row->max = has_max ? field->max : TEXT_MAX > row->min ? TEXT_MAX : row->min;
        break;
    case FIELD_TEXTS:
        row->min = has_min ? field->min : 0;
        row->max = has_max ? field->max : ITEMS_MAX > row->min ? ITEMS_MAX : row->min;
        break;
    default:
        if (!has_min && !has_max)
            break;
        row->min = has_min ? field->min : INT64_MIN;
        row->max = has_max ? field->max : INT64_MAX;
    }
}

static uint16_t flags_of(const struct field_option *field)
{
    bool text = field->type == FIELD_TEXT;
    return (uint16_t)((field->required  ? BP_REQUIRED
                       : field->def.ptr ? 0
                                        : BP_NULLABLE) |
                      (field->filter ? BP_FILTER : 0) | (field->sort ? BP_SORT : 0) |
                      (text && field->trim ? BP_TRIM : 0) | (text && field->lower ? BP_LOWER : 0));
}

bool definition_row(const struct field_option *field, struct definition *definition, size_t index,
                    struct bp_field *ret_row)
{
    struct bp_field row = {.type = types[field->type], .flags = flags_of(field)};
    const bp_str *choices = field->choices.ptr;
    set_bounds(field, &row);
    if (!keep(field->name, &row.name) || !keep(field->label, &row.label) || !keep(field->doc, &row.doc) ||
        !keep(field->example, &row.example) || !keep(field->def, &row.def))
        return false;
    for (size_t i = 0; i < field->choices.len; i++)
        if (!keep(choices[i], &definition->choices[index][i]))
            return false;
    if (field->type == FIELD_CHOICE)
        row.choices = definition->choices[index];
    if (field->type == FIELD_TEXTS) {
        definition->items[index][0] =
            (struct bp_field){.name = "", .type = BP_TYPE_TEXT, .min = 1, .max = field->item_max};
        row.sub = definition->items[index];
        row.item_size = sizeof(bp_str);
    }
    *ret_row = row;
    return true;
}

/* The next row, in the place behind the one before. */
static struct bp_field *add(struct definition *definition, struct bp_field row)
{
    size_t count = 0;
    while (definition->rows[count].type != BP_TYPE_END)
        count++;
    row.offset = (uint32_t)count * MEMBER_SIZE;
    definition->rows[count] = row;
    return &definition->rows[count];
}

static bool add_rows(const struct resource_plugin *self, struct definition *definition)
{
    const struct field_option *fields = self->fields.ptr;
    definition->rows[0] = (struct bp_field){.name = "", .type = BP_TYPE_PRESENCE, .item_size = sizeof(uint64_t)};
    add(definition, (struct bp_field){.name = "id", .type = BP_TYPE_UUID, .flags = BP_READ_ONLY});
    for (size_t i = 0; i < self->fields.len; i++) {
        struct bp_field row;
        if (!definition_row(&fields[i], definition, i, &row))
            return false;
        add(definition, row);
    }
    if (self->owner == OWNER_USER)
        add(definition,
            (struct bp_field){.name = "user_id", .type = BP_TYPE_UUID, .flags = BP_READ_ONLY, .doc = "Whose it is."});
    const uint16_t date_flags = BP_READ_ONLY | BP_FILTER | BP_SORT;
    add(definition, (struct bp_field){.name = "created_at", .type = BP_TYPE_DATE, .flags = date_flags});
    add(definition, (struct bp_field){.name = "updated_at", .type = BP_TYPE_DATE, .flags = date_flags});
    const struct bp_field *last =
        add(definition,
            (struct bp_field){
                .name = "version", .type = BP_TYPE_I64, .flags = BP_READ_ONLY, .doc = "Counts changes; the ETag."});
    definition->resource.object_size = last->offset + MEMBER_SIZE;
    return true;
}

/* ?q=: a text that one of the fields holds, whatever the case. */
static bool add_search(const struct resource_plugin *self, struct definition *definition)
{
    const struct field_option *fields = self->fields.ptr;
    char *sqlite = NULL, *postgres = NULL;
    size_t size;
    bool any = false;
    for (size_t i = 0; i < self->fields.len; i++)
        any = any || fields[i].search;
    if (!any)
        return true;
    FILE *sqlite_out = open_memstream(&sqlite, &size), *postgres_out = open_memstream(&postgres, &size);
    if (!sqlite_out || !postgres_out)
        return false;
    any = false;
    for (size_t i = 0; i < self->fields.len; i++) {
        if (!fields[i].search)
            continue;
        const char *name = fields[i].name.ptr, * or = any ? " OR " : "";
        fprintf(sqlite_out, "%sinstr(lower(coalesce(\"%s\", '')), lower({value})) > 0", or, name);
        fprintf(postgres_out, "%sstrpos(lower(coalesce(\"%s\", '')), lower({value}::text)) > 0", or, name);
        any = true;
    }
    bool fine = fclose(sqlite_out) == 0;
    fine = fclose(postgres_out) == 0 && fine;
    definition->filters[0] =
        (struct bp_resource_filter)BP_RESOURCE_FILTER(.name = "q", .type = BP_TYPE_TEXT, .sql = sqlite,
                                                      .sql_postgres = postgres, .doc = "A text that must occur.");
    definition->resource.filters = definition->filters;
    return fine;
}

static const char *role_name(uint32_t role)
{
    return role == ROLE_ADMIN ? "admin" : role == ROLE_USER ? "user" : NULL;
}

static bool add_routes(const struct resource_plugin *self, struct definition *definition)
{
    const struct {
        uint32_t method;
        const char *behind;
        bp_handler *handler;
    } all[ROUTES] = {
        {BP_GET, "", bp_resource_list},           {BP_POST, "", bp_resource_create},
        {BP_POST, "/bulk", bp_resource_bulk},     {BP_GET, "/{id}", bp_resource_get},
        {BP_PATCH, "/{id}", bp_resource_update},  {BP_PUT, "/{id}", bp_resource_replace},
        {BP_DELETE, "/{id}", bp_resource_delete},
    };
    for (size_t i = 0; i < ROUTES; i++) {
        char *path;
        if (asprintf(&path, "%.*s%s", (int)self->path.len, self->path.ptr, all[i].behind) < 0)
            return false;
        definition->routes[i] =
            (struct bp_route)BP_ROUTE(.method = all[i].method, .path = path, .handler = all[i].handler,
                                      .resource = &definition->resource,
                                      .role = role_name(all[i].method == BP_GET ? self->read_role : self->write_role));
    }
    return true;
}

/* What the core says of a row by itself: a default out of bounds. The first row that has no name is where its message begins. */
static const char *row_problem(const struct bp_field *row)
{
    struct bp_field *rows = calloc(2, sizeof(*rows));
    if (!rows)
        return "out of memory";
    rows[0] = *row;
    const char *wrong = bp_rows_check(rows);
    const char *behind = wrong ? strstr(wrong, "\" ") : NULL; /* 'row "x" has a default …' */
    return behind ? behind + 2 : wrong;
}

static int check_row(struct bp_host *host, size_t index, const struct bp_field *row, const char *option)
{
    char path[40];
    const char *wrong = row_problem(row);
    if (!wrong)
        return 0;
    bool is_default = strncmp(wrong, "has a default that is ", 22) == 0;
    snprintf(path, sizeof(path), "fields[%zu].%s", index, option);
    return bp_config_error(host, path, "%s%s", is_default ? "is " : "", is_default ? wrong + 22 : wrong);
}

static int check_defaults(struct bp_host *host, const struct resource_plugin *self, struct definition *definition)
{
    const struct field_option *fields = self->fields.ptr;
    int status = 0;
    for (size_t i = 0; i < self->fields.len; i++) {
        struct bp_field row = definition->rows[i + 2];
        if (row.def && check_row(host, i, &row, "default"))
            status = BP_INVALID;
        if (!fields[i].initial.ptr)
            continue;
        row.flags = 0;
        if (!keep(fields[i].initial, &row.def))
            return BP_NOMEM;
        if (check_row(host, i, &row, "initial"))
            status = BP_INVALID;
    }
    return status;
}

/* The names in `sort`. */
static int check_sort(struct bp_host *host, const struct resource_plugin *self, const struct definition *definition)
{
    bp_str rest = self->sort, name;
    if (rest.len == 0)
        rest.ptr = NULL;
    while (bp_str_next(&rest, ',', &name)) {
        name = bp_str_trim(name);
        if (name.len > 0 && name.ptr[0] == '-')
            name = bp_str_n(name.ptr + 1, name.len - 1);
        const struct bp_field *row = definition->rows + 1;
        while (row->type != BP_TYPE_END && (row->type == BP_TYPE_ARRAY || !bp_str_eq(name, bp_field_name(row))))
            row++;
        if (row->type == BP_TYPE_END)
            return bp_config_error(host, "sort", "\"%.*s\" is no member to sort by", (int)name.len, name.ptr);
    }
    return 0;
}

/* The reply to one row too many. */
static bool add_answers(const struct resource_plugin *self, struct definition *definition)
{
    char *code, *message;
    if (self->rows_max == 0)
        return true;
    if (asprintf(&code, "%s.limit", definition->resource.name) < 0 ||
        asprintf(&message, "%s cannot be added: there are as many as there may be", definition->resource.name) < 0)
        return false;
    if (message[0] >= 'a' && message[0] <= 'z')
        message[0] = (char)(message[0] - 'a' + 'A');
    definition->answers[0] = (struct bp_answer)BP_ANSWER(.status = 409, .code = code, .message = message);
    return true;
}

int definition_new(struct bp_host *host, const struct resource_plugin *self, struct definition **ret_definition)
{
    const char *name = bp_instance_name(host).ptr, *singular = NULL, *sort = NULL;
    struct definition *definition = calloc(1, sizeof(*definition));
    char *table = NULL, *plural = strdup(name);
    if (!definition || !plural || asprintf(&table, "\"resource_%s\"", name) < 0 || !keep(self->singular, &singular) ||
        !keep(self->sort, &sort))
        return BP_NOMEM;
    definition->resource =
        (struct bp_resource)BP_RESOURCE(.name = singular, .plural = plural, .table = table, .fields = definition->rows,
                                        .db = offsetof(struct resource_plugin, db),
                                        .identity = offsetof(struct resource_plugin, identity),
                                        .owner = self->owner == OWNER_USER ? "user_id" : NULL, .version = "version",
                                        .created = "created_at", .updated = "updated_at", .sort = sort,
                                        .page_size = self->page_size, .page_max = self->page_max,
                                        .row_max = self->rows_max, .answers = definition->answers,
                                        .refuse_unknown = self->unknown_members == UNKNOWN_REFUSE,
                                        .require_match = self->conditions == CONDITIONS_REQUIRED);
    definition->migrations = tables_migrations(self, name);
    if (!definition->migrations || !add_rows(self, definition) || !add_search(self, definition) ||
        !add_answers(self, definition) || !add_routes(self, definition))
        return BP_NOMEM;
    const char *wrong = bp_rows_check(definition->rows);
    int status = check_defaults(host, self, definition);
    if (status == 0 && wrong)
        status = bp_config_error(host, "fields", "%s", wrong);
    if (status == 0)
        status = check_sort(host, self, definition);
    if (status == 0)
        *ret_definition = definition;
    return status;
}
