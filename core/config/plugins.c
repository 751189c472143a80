/* SPDX-License-Identifier: MIT */
/* plugins: ( … ) into struct config_plugin; the options stay as they are. */
#include "backplane/status.h"
#include "core/config/loader.h"
#include "core/schema/schema.h"

struct entry {
    bp_str use, name;
    bool optional;
    bp_str when, unless;
};

const struct bp_field config_plugin_rows[] = {
    BP_TEXT(struct entry, use, .flags = BP_REQUIRED, .example = "rate_limit",
            .doc = "The plugin: the name of its .so file."),
    BP_TEXT(struct entry, name, .example = "main",
            .doc = "The instance's name, which pipelines and other plugins call it by; the plugin's when left out."),
    BP_BOOL(
        struct entry, optional, .def = "false",
        .doc =
            "Marks the instance as one that the server can do without: when it keeps crashing workers, it is left out "
            "with its stages and routes (server.quarantine_after)."),
    BP_TEXT(struct entry, when, .example = "DATABASE_URL",
            .doc = "Keeps the entry only while this environment variable, or one of several with a space between them, "
                   "is set and not empty."),
    BP_TEXT(struct entry, unless, .example = "DATABASE_URL",
            .doc = "Drops the entry while this environment variable, or one of several, is set and not empty."),
    BP_END};

/* The core's keys only; the others are the plugin's. */
static void decode_entry(struct loader *loader, const struct config_setting *group, const char *path,
                         struct entry *entry)
{
    for (size_t i = 0; i < group->item_count; i++) {
        const struct config_setting *item = &group->items[i];
        const struct bp_field *row = schema_find(config_plugin_rows, bp_str_of(item->name));
        char item_path[CONFIG_PATH_MAX];
        config_path(item_path, "%s.%s", path, item->name);
        if (row)
            config_decode(item, row, item_path, loader->arena, entry, loader->report);
    }
}

static void check_name(struct loader *loader, const struct config_setting *group, const char *entry_path,
                       const char *key, bp_str name)
{
    const struct config_setting *setting = config_get(group, key);
    char path[CONFIG_PATH_MAX];
    if (!setting || setting->kind != CONFIG_TEXT || setting->missing_environment || config_name_valid(name))
        return;
    config_path(path, "%s.%s", entry_path, key);
    loader_error(loader, setting->place, path,
                 "\"%" BP_STR_FMT "\" is no name: letters, digits, \"_\" and \"-\", a letter first", BP_STR_ARG(name));
}

static void decode_plugin(struct loader *loader, const struct config_setting *group, size_t index)
{
    struct config *config = loader->config;
    char path[CONFIG_PATH_MAX];
    struct entry entry = {0};
    if (group->kind != CONFIG_GROUP) {
        config_path(path, "plugins[%zu]", index);
        loader_error(loader, group->place, path, "must be a group { use = …; }, not %s", config_kind_name(group->kind));
        return;
    }
    bp_str instance = config_instance_name(group);
    if (config_name_valid(instance))
        config_path(path, "plugins.%" BP_STR_FMT, BP_STR_ARG(instance));
    else
        config_path(path, "plugins[%zu]", index);
    decode_entry(loader, group, path, &entry);
    if (!config_get(group, "use")) {
        const char *nearest = NULL;
        for (size_t i = 0; i < group->item_count && !nearest; i++)
            if (nearest_name(bp_str_of(group->items[i].name), (const char *const[]){"use"}, 1))
                nearest = group->items[i].name;
        loader_error(loader, group->place, path, "\"use\" is missing%s%s%s", nearest ? " (there is \"" : "",
                     nearest ? nearest : "", nearest ? "\")" : "");
    }
    check_name(loader, group, path, "use", entry.use);
    check_name(loader, group, path, "name", entry.name);
    for (size_t i = 0; i < config->plugin_count; i++) {
        const struct config_plugin *other = &config->plugins[i];
        if (instance.len > 0 && bp_str_is(instance, other->name)) {
            loader_error(loader, group->place, path,
                         "the instance \"%" BP_STR_FMT "\" is there already, at %s:%u; give one of them another name",
                         BP_STR_ARG(instance), other->place.file, other->place.line);
            return;
        }
    }
    if (instance.len > 0)
        config->plugins[config->plugin_count++] = (struct config_plugin){.use = entry.use.len > 0 ? entry.use.ptr : "",
                                                                         .name = instance.ptr,
                                                                         .optional = entry.optional,
                                                                         .setting = group,
                                                                         .place = group->place};
}

void loader_plugins(struct loader *loader)
{
    loader->config->plugins = loader_alloc(loader, loader->plugins.item_count, sizeof(*loader->config->plugins));
    for (size_t i = 0; loader->config->plugins && i < loader->plugins.item_count && !loader->no_memory; i++)
        decode_plugin(loader, &loader->plugins.items[i], i);
}

int config_add_plugin(struct config *config, const char *use)
{
    const struct config_place place = {.file = "the command"};
    for (size_t i = 0; i < config->plugin_count; i++)
        if (strcmp(config->plugins[i].use, use) == 0)
            return 0;
    struct config_plugin *plugins = bp_arena_array(config->arena, config->plugin_count + 1, sizeof(*plugins));
    struct config_setting *group = bp_arena_alloc(config->arena, sizeof(*group));
    struct config_setting *item = bp_arena_alloc(config->arena, sizeof(*item));
    if (!plugins || !group || !item)
        return BP_NOMEM;
    *item = (struct config_setting){.name = "use", .kind = CONFIG_TEXT, .text = bp_str_of(use), .place = place};
    *group = (struct config_setting){.kind = CONFIG_GROUP, .items = item, .item_count = 1, .place = place};
    if (config->plugin_count > 0)
        memcpy(plugins, config->plugins, config->plugin_count * sizeof(*plugins));
    plugins[config->plugin_count++] = (struct config_plugin){.use = use, .name = use, .setting = group, .place = place};
    config->plugins = plugins;
    return 0;
}
