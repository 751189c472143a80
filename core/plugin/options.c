/* SPDX-License-Identifier: MIT */
#include "core/plugin/options.h"

#include "backplane/arena.h"
#include "core/plugin/descriptor.h"
#include "core/schema/schema.h"

static bool is_needed_service(const struct bp_plugin *plugin, const char *name)
{
    for (const struct bp_need *need = plugin->needs; need && need->size; need++)
        if (strcmp(descriptor_need_key(need), name) == 0)
            return true;
    return false;
}

bool options_is_placeholder(const struct config_setting *setting)
{
    if (setting->missing_environment)
        return true;
    if (setting->kind == CONFIG_GROUP || setting->kind == CONFIG_LIST)
        for (size_t i = 0; i < setting->item_count; i++)
            if (options_is_placeholder(&setting->items[i]))
                return true;
    return false;
}

/* The nearest of what could have been meant here: options, and at a plugins: entry also services and the core's keys. */
static const char *nearest_key(const struct options_group *group, const char *name)
{
    static const char *const entry_keys[] = {"use", "name", "optional", "when", "unless"};
    static const char *const stage_keys[] = {"use", "as", "locked"};
    const struct bp_plugin *plugin = &group->host->plugin;
    const char *keys[160];
    size_t count = 0;
    for (const struct bp_field *row = plugin->options; row && row->type != BP_TYPE_END && count < 128; row++)
        if (!group->is_stage || (row->flags & BP_STAGE))
            keys[count++] = row->name;
    for (const struct bp_need *need = plugin->needs; !group->is_stage && need && need->size && count < 144; need++)
        keys[count++] = descriptor_need_key(need);
    const char *const *core = group->is_stage ? stage_keys : entry_keys;
    size_t core_count =
        group->is_stage ? sizeof(stage_keys) / sizeof(*stage_keys) : sizeof(entry_keys) / sizeof(*entry_keys);
    for (size_t i = 0; i < core_count; i++)
        keys[count++] = core[i];
    return nearest_name(bp_str_of(name), keys, count);
}

static void report_unknown(const struct options_group *group, const struct config_setting *item, const char *path)
{
    struct report *report = group->host->assembly->report;
    const char *nearest = nearest_key(group, item->name);
    if (nearest)
        report_error(report, item->place.file, item->place.line, path, "unknown option; did you mean \"%s\"?", nearest);
    else
        report_error(report, item->place.file, item->place.line, path,
                     "unknown option; \"backplane plugins %s\" lists them", group->host->plugin.name);
}

static bool decode_item(const struct options_group *group, const struct config_setting *item)
{
    struct bp_host *host = group->host;
    struct assembly *assembly = host->assembly;
    const char *path = bp_arena_printf(assembly->arena, "%s.%s", group->path, item->name).ptr;
    const struct bp_field *row = host->plugin.options ? schema_find(host->plugin.options, bp_str_of(item->name)) : NULL;
    if (!row) {
        report_unknown(group, item, path);
        return false;
    }
    if (group->is_stage && !(row->flags & BP_STAGE)) {
        report_error(assembly->report, item->place.file, item->place.line, path,
                     "cannot differ from stage to stage: set it at the plugins: entry of \"%s\" (%s:%u)", host->name,
                     host->config->place.file, host->config->place.line);
        return false;
    }
    if (options_is_placeholder(item)) {
        host->incomplete = true;
        return true;
    }
    return config_decode(item, row, path, assembly->arena, (row->flags & BP_STAGE) ? group->stage : host->self,
                         assembly->report);
}

static bool is_given(const struct options_group *group, const struct bp_field *row)
{
    const struct config_setting *entry = group->host->config->setting;
    return (group->setting && config_get(group->setting, row->name)) ||
           (group->is_stage && entry && config_get(entry, row->name));
}

static bool check_required(const struct options_group *group)
{
    struct assembly *assembly = group->host->assembly;
    bool fine = true;
    for (const struct bp_field *row = group->host->plugin.options; row && row->type != BP_TYPE_END; row++) {
        /* What every stage may say is missing only where a stage does not. */
        if (!(row->flags & BP_REQUIRED) || group->is_stage != !!(row->flags & BP_STAGE) || is_given(group, row))
            continue;
        const char *path = bp_arena_printf(assembly->arena, "%s.%s", group->path, row->name).ptr;
        report_error(assembly->report, group->place.file, group->place.line, path, "is required and not set%s%s",
                     row->doc ? ": " : "", row->doc ? row->doc : "");
        fine = false;
    }
    return fine;
}

bool options_decode(const struct options_group *group)
{
    bool fine = true;
    for (size_t i = 0; group->setting && group->setting->kind == CONFIG_GROUP && i < group->setting->item_count; i++) {
        const struct config_setting *item = &group->setting->items[i];
        if (!descriptor_is_core_key(item->name) &&
            (group->is_stage || !is_needed_service(&group->host->plugin, item->name)))
            fine &= decode_item(group, item);
    }
    return check_required(group) && fine;
}
