/* SPDX-License-Identifier: MIT */
/* --set path=value: puts a value where a file would, as it is (no ${…}). */
#include "core/config/loader.h"
#include "core/schema/schema.h"

#define SET_FILE "--set"

struct set {
    struct loader *loader;
    const char *path; /* with a NUL */
    bp_str value;
};

static const struct config_place set_place = {SET_FILE, 0};

#define set_error(set, ...) loader_error((set)->loader, set_place, (set)->path, __VA_ARGS__)

/* What substitution gives back as it was. */
static bp_str escape(struct loader *loader, bp_str value)
{
    char *escaped = loader_alloc(loader, value.len * 2 + 1, 1);
    size_t len = 0;
    for (size_t i = 0; escaped && i < value.len; i++) {
        if (value.ptr[i] == '$')
            escaped[len++] = '$';
        escaped[len++] = value.ptr[i];
    }
    return bp_str_n(escaped, len);
}

static void put(struct set *set, struct config_setting *group, const char *name)
{
    struct config_setting setting = {
        .name = name, .kind = CONFIG_TEXT, .text = escape(set->loader, set->value), .place = set_place};
    for (size_t i = 0; i < group->item_count; i++)
        if (strcmp(group->items[i].name, name) == 0) {
            group->items[i] = setting;
            return;
        }
    struct config_setting *items = loader_alloc(set->loader, group->item_count + 1, sizeof(*items));
    if (!items)
        return;
    if (group->item_count > 0)
        memcpy(items, group->items, group->item_count * sizeof(*items));
    items[group->item_count] = setting;
    group->items = items;
    group->item_count++;
}

static void set_server(struct set *set, const char *name)
{
    const struct bp_field *row = schema_find(config_server_rows, bp_str_of(name));
    if (!row) {
        const char *nearest = schema_nearest(config_server_rows, bp_str_of(name));
        char full[CONFIG_PATH_MAX];
        config_path(full, "server.%s", nearest ? nearest : "");
        set_error(set, "unknown setting%s", config_suggestion(nearest ? full : NULL).text);
    } else if (row->type == BP_TYPE_ARRAY || row->type == BP_TYPE_OBJECT) {
        set_error(set, "is a list: it cannot be given with --set");
    } else {
        put(set, &set->loader->server, row->name);
    }
}

static bool reserved(const char *option)
{
    static const char *const names[] = {"use", "name", "when", "unless"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(option, names[i]) == 0)
            return true;
    return false;
}

static void set_plugin(struct set *set, bp_str instance, const char *option)
{
    struct config_setting *plugins = &set->loader->plugins;
    if (instance.len == 0 || !*option) {
        set_error(set, "must be plugins.<instance>.<option>");
        return;
    }
    for (size_t i = 0; i < plugins->item_count; i++) {
        if (!bp_str_eq(config_instance_name(&plugins->items[i]), instance))
            continue;
        if (reserved(option))
            set_error(set, "cannot be given with --set");
        else
            put(set, &plugins->items[i], option);
        return;
    }
    set_error(set, "unknown plugin instance \"%" BP_STR_FMT "\"%s", BP_STR_ARG(instance),
              loader_instance_hint(set->loader, instance).text);
}

static void apply(struct set *set, const char *path)
{
    static const char *const sections[] = {"server", "plugins"};
    const char *dot = strchr(path, '.');
    bp_str section = dot ? bp_str_n(path, (size_t)(dot - path)) : bp_str_of(path);
    const char *rest = dot ? dot + 1 : "";
    if (bp_str_is(section, "server")) {
        set_server(set, rest);
    } else if (bp_str_is(section, "plugins")) {
        const char *end = strchr(rest, '.');
        set_plugin(set, end ? bp_str_n(rest, (size_t)(end - rest)) : bp_str_of(rest), end ? end + 1 : "");
    } else {
        const char *nearest = nearest_name(section, sections, 2);
        char full[CONFIG_PATH_MAX];
        config_path(full, "%s.%s", nearest ? nearest : "", rest);
        set_error(set, "unknown setting%s", config_suggestion(nearest ? full : NULL).text);
    }
}

void loader_sets(struct loader *loader)
{
    for (size_t i = 0; i < loader->options->set_count; i++) {
        const char *text = loader->options->sets[i], *equals = strchr(text, '=');
        if (!equals) {
            report_error(loader->report, SET_FILE, 0, NULL, "\"%s\" must be path=value, as in server.workers=2", text);
            continue;
        }
        bp_str path = loader_copy(loader, bp_str_n(text, (size_t)(equals - text)));
        struct set set = {loader, path.ptr, bp_str_of(equals + 1)};
        if (path.ptr)
            apply(&set, path.ptr);
    }
}
