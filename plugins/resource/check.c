/* SPDX-License-Identifier: MIT */
/* What is wrong with fields, each at its place in the file. */
#include <stdarg.h>
#include <stdio.h>

#include "options.h"

#define INSTANCE_NAME_MAX 40

struct checking {
    struct bp_host *host;
    const struct resource_plugin *self;
    const struct field_option *fields;
    size_t count;
    bool wrong;
};

static void complain(struct checking *checking, size_t index, const char *option, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void complain(struct checking *checking, size_t index, const char *option, const char *format, ...)
{
    char path[80], message[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    snprintf(path, sizeof(path), "fields[%zu].%s", index, option);
    bp_config_error(checking->host, path, "%s", message);
    checking->wrong = true;
}

static bool is_one_of(bp_str name, const char *const *names)
{
    while (*names && !bp_str_is(name, *names))
        names++;
    return *names != NULL;
}

static void check_name(struct checking *checking, size_t index)
{
    static const char *const own[] = {"id", "user_id", "created_at", "updated_at", "version", NULL};
    static const char *const parameters[] = {"page", "limit", "total", "cursor", "sort", "fields", "q", NULL};
    const struct field_option *field = &checking->fields[index];
    if (is_one_of(field->name, own))
        complain(checking, index, "name", "\"%s\" is a member that every resource has", field->name.ptr);
    if (field->filter && is_one_of(field->name, parameters))
        complain(checking, index, "name", "\"%s\" is a query parameter of lists: no filter can be called so",
                 field->name.ptr);
    for (size_t i = 0; i < index; i++)
        if (bp_str_eq(checking->fields[i].name, field->name)) {
            complain(checking, index, "name", "\"%s\" is also the name of fields[%zu]", field->name.ptr, i);
            return;
        }
}

static bool takes_bounds(uint32_t type)
{
    return type == FIELD_INTEGER || type == FIELD_NUMBER || type == FIELD_TEXT || type == FIELD_TEXTS;
}

static void check_bounds(struct checking *checking, size_t index)
{
    const struct field_option *field = &checking->fields[index];
    bool has_min = field->min != BOUND_NONE, has_max = field->max != BOUND_NONE;
    const char *type = field_type_names[field->type];
    if ((has_min || has_max) && !takes_bounds(field->type)) {
        complain(checking, index, has_min ? "min" : "max", "a field of type %s has no bounds", type);
        return;
    }
    bool counts = field->type == FIELD_TEXT || field->type == FIELD_TEXTS;
    int64_t most = field->type == FIELD_TEXT ? 100000 : 1000;
    if (counts && has_min && (field->min < 0 || field->min > most))
        complain(checking, index, "min", "must be from 0 to %lld for type %s", (long long)most, type);
    else if (counts && has_max && (field->max < 1 || field->max > most))
        complain(checking, index, "max", "must be from 1 to %lld for type %s", (long long)most, type);
    else if (has_min && has_max && field->min > field->max)
        complain(checking, index, "min", "is above max, %lld", (long long)field->max);
}

static void check_choices(struct checking *checking, size_t index)
{
    const struct field_option *field = &checking->fields[index];
    const bp_str *choices = field->choices.ptr;
    if (field->type == FIELD_CHOICE && field->choices.len == 0)
        complain(checking, index, "choices", "a field of type choice needs choices = ( \"one\", \"another\" )");
    else if (field->type != FIELD_CHOICE && field->choices.len > 0)
        complain(checking, index, "choices", "a field of type %s has no choices", field_type_names[field->type]);
    for (size_t i = 0; i < field->choices.len; i++)
        for (size_t j = 0; j < i; j++)
            if (bp_str_eq(choices[i], choices[j]))
                complain(checking, index, "choices", "\"%s\" is there twice", choices[i].ptr);
}

static void check_values(struct checking *checking, size_t index)
{
    const struct field_option *field = &checking->fields[index];
    if (field->def.ptr && field->required)
        complain(checking, index, "default", "a required field has no default: clients must give a value");
    else if (field->def.ptr && field->type == FIELD_TEXTS)
        complain(checking, index, "default", "a list of texts has no default");
    if (field->initial.ptr && field->since == 1)
        complain(checking, index, "initial", "is for fields with since = 2 or later: the table begins without rows");
    else if (field->initial.ptr && field->type == FIELD_TEXTS)
        complain(checking, index, "initial", "a list of texts has no initial value");
    else if (!field->initial.ptr && field->since > 1 && (field->required || field->def.ptr))
        complain(checking, index, "since",
                 "a field that is added later and is required or has a default needs initial: what the rows that are "
                 "there get");
    if (field->search && field->type != FIELD_TEXT)
        complain(checking, index, "search", "only texts can be searched");
    if (field->type == FIELD_TEXTS && (field->filter || field->sort))
        complain(checking, index, field->filter ? "filter" : "sort", "lists of texts cannot be filtered or sorted by");
}

/* Versions have no gaps: each is a migration. */
static void check_since(struct checking *checking)
{
    for (size_t i = 0; i < checking->count; i++) {
        uint32_t since = checking->fields[i].since;
        bool found = since == 1;
        for (size_t j = 0; j < checking->count && !found; j++)
            found = checking->fields[j].since == since - 1;
        if (!found)
            complain(checking, i, "since", "is %u, but no field has since = %u", since, since - 1);
    }
}

static void check_instance(struct checking *checking)
{
    bp_str name = bp_instance_name(checking->host);
    bool fine = name.len <= INSTANCE_NAME_MAX && name.ptr[0] >= 'a' && name.ptr[0] <= 'z';
    for (size_t i = 0; i < name.len; i++)
        fine = fine && ((name.ptr[i] >= 'a' && name.ptr[i] <= 'z') || (name.ptr[i] >= '0' && name.ptr[i] <= '9') ||
                        name.ptr[i] == '_');
    if (!fine) {
        bp_config_error(checking->host, "name",
                        "must be made of lower-case letters, digits and underscores, at most %d, with a letter first: "
                        "its table is called by it",
                        INSTANCE_NAME_MAX);
        checking->wrong = true;
    }
    if (checking->self->owner == OWNER_USER && !checking->self->identity.vtable) {
        bp_config_error(checking->host, "owner",
                        "user needs accounts: the service \"identity\" of a plugin such as "
                        "auth");
        checking->wrong = true;
    }
    if (checking->self->page_size > checking->self->page_max) {
        bp_config_error(checking->host, "page_size", "is above page_max, %u", checking->self->page_max);
        checking->wrong = true;
    }
}

int resource_check_options(struct bp_host *host, const struct resource_plugin *self)
{
    struct checking checking = {.host = host, .self = self, .fields = self->fields.ptr, .count = self->fields.len};
    check_instance(&checking);
    for (size_t i = 0; i < checking.count; i++) {
        check_name(&checking, i);
        check_bounds(&checking, i);
        check_choices(&checking, i);
        check_values(&checking, i);
    }
    check_since(&checking);
    return checking.wrong ? BP_INVALID : 0;
}
