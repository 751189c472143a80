/* SPDX-License-Identifier: MIT */
/* pipelines: { … } into struct config_pipeline, as written; stage options stay as they are. */
#include "core/config/loader.h"
#include "core/schema/schema.h"

struct stage_text {
    bp_str use, as;
    bool locked;
    bp_str when, unless;
};

const struct bp_field config_stage_rows[] = {
    BP_TEXT(struct stage_text, use, .flags = BP_REQUIRED, .example = "rate_limit",
            .doc = "The plugin instance; or \"@pipeline\" or \"-stage\", which take no options."),
    BP_TEXT(struct stage_text, as, .example = "per_user",
            .doc = "The stage's own name, which keys its shared state; \"<pipeline>.<instance>\" when left out."),
    BP_BOOL(struct stage_text, locked, .def = "false",
            .doc = "Refuses that a pipeline which includes this one removes or replaces the stage."),
    BP_TEXT(struct stage_text, when,
            .doc = "Keeps the stage only while this environment variable, or one of several with a space between them, "
                   "is set and not empty."),
    BP_TEXT(struct stage_text, unless,
            .doc = "Drops the stage while this environment variable, or one of several, is set and not empty."),
    BP_END};

/* One entry of one pipeline. */
struct place_in {
    struct loader *loader;
    const struct config_setting *setting;
    const char *path; /* "pipelines.api[2]" */
};

#define complain(in, ...) loader_error((in)->loader, (in)->setting->place, (in)->path, __VA_ARGS__)

static const struct config_setting *find_pipeline(const struct loader *loader, const char *name)
{
    return config_get(&loader->pipelines, name);
}

static void unknown_pipeline(const struct place_in *in, struct config_place place, const char *path, bp_str name)
{
    struct loader *loader = in->loader;
    if (loader->incomplete)
        return;
    const char **names = loader_alloc(loader, loader->pipelines.item_count, sizeof(*names));
    const char *nearest = NULL;
    for (size_t i = 0; names && i < loader->pipelines.item_count; i++)
        names[i] = loader->pipelines.items[i].name;
    if (names)
        nearest = nearest_name(name, names, loader->pipelines.item_count);
    loader_error(loader, place, path, "unknown pipeline \"%" BP_STR_FMT "\"%s", BP_STR_ARG(name),
                 config_suggestion(nearest).text);
}

static bool is_instance(const struct loader *loader, bp_str name)
{
    for (size_t i = 0; i < loader->config->plugin_count; i++)
        if (bp_str_is(name, loader->config->plugins[i].name))
            return true;
    return false;
}

/* An entry's text: "@pipeline", "-stage" or an instance. */
static void read_reference(const struct place_in *in, bp_str text, struct config_entry *entry)
{
    struct loader *loader = in->loader;
    char first = text.len > 0 ? text.ptr[0] : '\0';
    entry->kind = first == '@' ? CONFIG_ENTRY_INCLUDE : first == '-' ? CONFIG_ENTRY_REMOVE : CONFIG_ENTRY_STAGE;
    bp_str name = entry->kind == CONFIG_ENTRY_STAGE ? text : bp_str_n(text.ptr + 1, text.len - 1);
    entry->stage.use = name.len > 0 ? name.ptr : "";
    if (entry->kind == CONFIG_ENTRY_INCLUDE && name.len > 0) {
        if (!find_pipeline(loader, entry->stage.use))
            unknown_pipeline(in, in->setting->place, in->path, name);
    } else if (!config_name_valid(name)) {
        complain(in,
                 "\"%" BP_STR_FMT "\" is no stage: write the name of a plugin instance, \"@pipeline\" or \"-stage\"",
                 BP_STR_ARG(text));
    } else if (entry->kind == CONFIG_ENTRY_STAGE && !loader->incomplete && !is_instance(loader, name)) {
        complain(in, "unknown plugin instance \"%" BP_STR_FMT "\"%s", BP_STR_ARG(name),
                 loader_instance_hint(loader, name).text);
    }
}

static void read_group(const struct place_in *in, struct config_entry *entry)
{
    struct loader *loader = in->loader;
    struct stage_text text = {0};
    const struct config_setting *other = NULL; /* a key that is neither use nor a condition */
    for (size_t i = 0; i < in->setting->item_count; i++) {
        const struct config_setting *item = &in->setting->items[i];
        const struct bp_field *row = schema_find(config_stage_rows, bp_str_of(item->name));
        char path[CONFIG_PATH_MAX];
        config_path(path, "%s.%s", in->path, item->name);
        if (row)
            config_decode(item, row, path, loader->arena, &text, loader->report);
        if (strcmp(item->name, "use") != 0 && strcmp(item->name, "when") != 0 && strcmp(item->name, "unless") != 0)
            other = item;
    }
    const struct config_setting *use = config_get(in->setting, "use"), *as = config_get(in->setting, "as");
    if (!use)
        complain(in, "\"use\" is missing");
    else if (use->kind == CONFIG_TEXT && !use->missing_environment)
        read_reference(in, text.use, entry);
    if (entry->kind != CONFIG_ENTRY_STAGE && other)
        loader_error(loader, other->place, in->path, "\"%s\" cannot go with %s: only when and unless can", other->name,
                     entry->kind == CONFIG_ENTRY_INCLUDE ? "an included pipeline" : "a removed stage");
    if (as && as->kind == CONFIG_TEXT && !as->missing_environment) {
        if (!config_name_valid(text.as))
            loader_error(loader, as->place, in->path,
                         "\"%" BP_STR_FMT "\" is no name: letters, digits, \"_\" and \"-\", a letter first",
                         BP_STR_ARG(text.as));
        entry->stage.as = text.as.ptr;
    }
    entry->stage.locked = text.locked;
    entry->stage.setting = in->setting;
}

static void decode_pipeline(struct loader *loader, const struct config_setting *setting)
{
    struct config_pipeline *pipeline = &loader->config->pipelines[loader->config->pipeline_count];
    char path[CONFIG_PATH_MAX];
    config_path(path, "pipelines.%s", setting->name);
    if (!config_name_valid(bp_str_of(setting->name)))
        loader_error(loader, setting->place, path,
                     "\"%s\" is no name: letters, digits, \"_\" and \"-\", a letter first", setting->name);
    if (setting->kind != CONFIG_LIST) {
        loader_error(loader, setting->place, path, "must be a list ( … ) of stages, not %s",
                     config_kind_name(setting->kind));
        return;
    }
    *pipeline =
        (struct config_pipeline){.name = setting->name,
                                 .entries = loader_alloc(loader, setting->item_count, sizeof(*pipeline->entries)),
                                 .place = setting->place};
    loader->config->pipeline_count++;
    for (size_t i = 0; pipeline->entries && i < setting->item_count; i++) {
        const struct config_setting *item = &setting->items[i];
        struct config_entry *entry = &pipeline->entries[pipeline->entry_count];
        struct place_in in = {loader, item, path};
        config_path(path, "pipelines.%s[%zu]", setting->name, i);
        *entry = (struct config_entry){.stage = {.use = "", .place = item->place}};
        if (item->kind == CONFIG_TEXT && !item->missing_environment)
            read_reference(&in, item->text, entry);
        else if (item->kind == CONFIG_GROUP)
            read_group(&in, entry);
        else if (item->kind != CONFIG_TEXT)
            complain(&in, "must be a stage's name or a group { use = …; }, not %s", config_kind_name(item->kind));
        pipeline->entry_count++;
    }
}

void loader_pipelines(struct loader *loader)
{
    struct config *config = loader->config;
    config->pipelines = loader_alloc(loader, loader->pipelines.item_count, sizeof(*config->pipelines));
    for (size_t i = 0; config->pipelines && i < loader->pipelines.item_count && !loader->no_memory; i++)
        decode_pipeline(loader, &loader->pipelines.items[i]);
}

void loader_pipeline_reference(struct loader *loader, const struct config_setting *setting, const char *path)
{
    struct place_in in = {loader, setting, path};
    if (!find_pipeline(loader, setting->text.ptr))
        unknown_pipeline(&in, setting->place, path, setting->text);
}
