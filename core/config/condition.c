/* SPDX-License-Identifier: MIT */
/* when and unless: entries that an environment variable keeps or drops, before anything else in them is looked at. */
#include "core/config/loader.h"

/* "ONE TWO": the first name, and what follows it. False when there is none. */
static bool next_name(bp_str *rest, bp_str *ret_name)
{
    const char *space = rest->len ? memchr(rest->ptr, ' ', rest->len) : NULL;
    *ret_name = bp_str_n(rest->ptr, space ? (size_t)(space - rest->ptr) : rest->len);
    *rest = space ? bp_str_n(space + 1, rest->len - ret_name->len - 1) : bp_str_n(NULL, 0);
    return ret_name->ptr != NULL;
}

static bool is_variable(bp_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i > 0 && c >= '0' && c <= '9')))
            return false;
    }
    return name.len > 0;
}

static bool are_variables(bp_str names)
{
    bp_str name;
    bool fine = names.len > 0;
    while (next_name(&names, &name))
        fine = fine && is_variable(name);
    return fine;
}

/* A file that cannot be read is: who uses the variable says what is wrong with it. */
static bool is_set(struct loader *loader, bp_str name)
{
    char text[CONFIG_PATH_MAX];
    config_path(text, "%" BP_STR_FMT, BP_STR_ARG(name));
    const struct variable variable = loader_variable(loader, text);
    return variable.problem || variable.text.len > 0;
}

static bool is_any_set(struct loader *loader, bp_str names)
{
    bp_str name;
    while (next_name(&names, &name))
        if (is_set(loader, name))
            return true;
    return false;
}

static void note(struct loader *loader, enum left_out_kind kind, const struct config_setting *entry,
                 const struct config_setting *condition)
{
    struct left_out *left_out =
        loader_grow(loader, loader->left_out, loader->left_out_count, &loader->left_out_cap, sizeof(*left_out));
    if (!left_out)
        return;
    loader->left_out = left_out;
    left_out[loader->left_out_count++] = (struct left_out){.kind = kind,
                                                           .name = config_instance_name(entry),
                                                           .key = condition->name,
                                                           .variable = condition->text,
                                                           .place = entry->place};
}

static bool keeps(struct loader *loader, enum left_out_kind kind, struct config_setting *entry, const char *key,
                  bool wanted, const char *path)
{
    struct config_setting *condition = NULL;
    for (size_t i = 0; entry->kind == CONFIG_GROUP && i < entry->item_count; i++)
        if (strcmp(entry->items[i].name, key) == 0)
            condition = &entry->items[i];
    if (!condition)
        return true;
    if (condition->kind != CONFIG_TEXT || !are_variables(condition->text)) {
        char full[CONFIG_PATH_MAX];
        config_path(full, "%s.%s", path, key);
        loader_error(loader, condition->place, full, "must be the name of an environment variable, as in %s = \"%s\"",
                     key, "DATABASE_URL");
        condition->missing_environment = true; /* reported once is enough */
        return true;
    }
    if (is_any_set(loader, condition->text) == wanted)
        return true;
    note(loader, kind, entry, condition);
    return false;
}

static void filter_list(struct loader *loader, enum left_out_kind kind, struct config_setting *list, const char *path)
{
    size_t kept = 0;
    if (list->kind != CONFIG_LIST)
        return;
    for (size_t i = 0; i < list->item_count; i++) {
        char entry_path[CONFIG_PATH_MAX];
        bp_str instance = kind == LEFT_OUT_PLUGIN ? config_instance_name(&list->items[i]) : BP_STR("");
        if (config_name_valid(instance))
            config_path(entry_path, "%s.%" BP_STR_FMT, path, BP_STR_ARG(instance));
        else
            config_path(entry_path, "%s[%zu]", path, i);
        if (keeps(loader, kind, &list->items[i], "when", true, entry_path) &&
            keeps(loader, kind, &list->items[i], "unless", false, entry_path))
            list->items[kept++] = list->items[i];
    }
    list->item_count = kept;
}

void loader_filter(struct loader *loader)
{
    filter_list(loader, LEFT_OUT_PLUGIN, &loader->plugins, "plugins");
    for (size_t i = 0; i < loader->server.item_count; i++)
        if (strcmp(loader->server.items[i].name, "listen") == 0)
            filter_list(loader, LEFT_OUT_LISTENER, &loader->server.items[i], "server.listen");
    for (size_t i = 0; i < loader->pipelines.item_count; i++) {
        char path[CONFIG_PATH_MAX];
        config_path(path, "pipelines.%s", loader->pipelines.items[i].name);
        filter_list(loader, LEFT_OUT_OTHER, &loader->pipelines.items[i], path);
    }
    filter_list(loader, LEFT_OUT_OTHER, &loader->routes, "routes");
}
