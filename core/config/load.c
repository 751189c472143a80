/* SPDX-License-Identifier: MIT */
#include "core/base/arena.h"
#include "core/config/loader.h"

#include "backplane/status.h"

#include <stdarg.h>
#include <stdio.h>

void *loader_alloc(struct loader *loader, size_t count, size_t size)
{
    if (count == 0)
        return NULL;
    void *items = bp_arena_array(loader->arena, count, size);
    if (!items)
        loader->no_memory = true;
    return items;
}

bp_str loader_copy(struct loader *loader, bp_str text)
{
    bp_str copy = bp_arena_copy(loader->arena, text);
    if (!copy.ptr)
        loader->no_memory = true;
    return copy;
}

void *loader_grow(struct loader *loader, void *items, size_t len, size_t *cap, size_t size)
{
    if (len < *cap)
        return items;
    size_t more = *cap ? *cap * 2 : 16;
    void *grown = loader_alloc(loader, more, size);
    if (!grown)
        return NULL;
    if (len > 0)
        memcpy(grown, items, len * size);
    *cap = more;
    return grown;
}

struct config_setting *setting_list_add(struct loader *loader, struct setting_list *list)
{
    struct config_setting *items = loader_grow(loader, list->items, list->len, &list->cap, sizeof(*items));
    if (!items)
        return NULL;
    list->items = items;
    return &items[list->len++];
}

const char *loader_path(struct loader *loader, const char *from, bp_str name)
{
    const char *slash = from && from[0] ? strrchr(from, '/') : NULL;
    bp_str path = name;
    if (name.len == 0 || name.ptr[0] == '/' || !slash)
        return loader_copy(loader, path).ptr;
    path =
        bp_arena_printf(loader->arena, "%" BP_STR_FMT "%" BP_STR_FMT, (int)(slash - from) + 1, from, BP_STR_ARG(name));
    if (!path.ptr)
        loader->no_memory = true;
    return path.ptr;
}

void config_path(char text[CONFIG_PATH_MAX], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, CONFIG_PATH_MAX, format, arguments);
    va_end(arguments);
}

const char *config_kind_name(enum config_kind kind)
{
    static const char *const names[] = {
        [CONFIG_TEXT] = "a text",    [CONFIG_INTEGER] = "an integer", [CONFIG_NUMBER] = "a number",
        [CONFIG_BOOL] = "a boolean", [CONFIG_GROUP] = "a group",      [CONFIG_LIST] = "a list"};
    return names[kind];
}

bool config_name_valid(bp_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-')))
            return false;
    }
    return name.len > 0 && name.len <= CONFIG_NAME_MAX;
}

struct suggestion config_suggestion(const char *nearest)
{
    struct suggestion suggestion = {""};
    if (nearest)
        config_path(suggestion.text, "; did you mean \"%s\"?", nearest);
    return suggestion;
}

const struct config_setting *config_get(const struct config_setting *group, const char *name)
{
    if (!group || group->kind != CONFIG_GROUP)
        return NULL;
    for (size_t i = 0; i < group->item_count; i++)
        if (strcmp(group->items[i].name, name) == 0)
            return &group->items[i];
    return NULL;
}

/* The merged sections become one group: what `config print` shows. */
static void make_root(struct loader *loader)
{
    struct config_setting *root = loader_alloc(loader, 1, sizeof(*root));
    struct config_setting *items = loader_alloc(loader, 4, sizeof(*items));
    if (!root || !items)
        return;
    items[0] = loader->server;
    items[1] = loader->plugins;
    items[2] = loader->pipelines;
    items[3] = loader->routes;
    *root = (struct config_setting){.kind = CONFIG_GROUP, .items = items, .item_count = 4};
    loader->config->root = root;
}

static void begin_section(struct config_setting *section, const char *name, enum config_kind kind, const char *file)
{
    *section = (struct config_setting){.name = name, .kind = kind, .place = {.file = file}};
}

static void load(struct loader *loader, const char *file)
{
    begin_section(&loader->server, "server", CONFIG_GROUP, file);
    begin_section(&loader->plugins, "plugins", CONFIG_LIST, file);
    begin_section(&loader->pipelines, "pipelines", CONFIG_GROUP, file);
    begin_section(&loader->routes, "routes", CONFIG_LIST, file);
    loader_retired(loader);
    loader_read(loader, file, (struct config_place){0}, 0);
    loader_filter(loader);
    loader_sets(loader);
    loader_substitute(loader);
    make_root(loader);
    loader_server(loader);
    loader_plugins(loader);
    loader_pipelines(loader);
    loader_routes(loader);
    loader_without(loader);
}

int config_load(const struct config_load_options *options, struct report *report, struct config **ret_config)
{
    struct bp_arena *arena = arena_new();
    struct config *config = arena ? bp_arena_alloc(arena, sizeof(*config)) : NULL;
    bp_str file = config ? bp_arena_copy(arena, bp_str_of(options->file)) : (bp_str){0};
    if (!file.ptr) {
        arena_free(arena);
        return BP_NOMEM;
    }
    config->arena = arena;
    config->file = file.ptr;
    struct loader loader = {.options = options, .report = report, .arena = arena, .config = config};
    unsigned errors = report->errors;
    load(&loader, file.ptr);
    report_sort(report);
    bool invalid = report->errors > errors;
    if (loader.no_memory || (invalid && (!options->keep_invalid || loader.incomplete))) {
        config_free(config);
        return loader.no_memory ? BP_NOMEM : BP_INVALID;
    }
    *ret_config = config;
    return invalid ? BP_INVALID : 0;
}

struct config *config_free(struct config *config)
{
    if (config)
        arena_free(config->arena);
    return NULL;
}
