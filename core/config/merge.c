/* SPDX-License-Identifier: MIT */
/* Reads a file and those that its `include` names, and merges their sections in the order read. */
#include "core/config/parse.h"
#include "core/schema/schema.h"

#include <glob.h>
#include <sys/stat.h>

#define FILE_DEPTH_MAX 8

static const char *const sections[] = {"server", "plugins", "pipelines", "routes", "include"};

/* False when the file was read before, which is reported. */
static bool remember_file(struct loader *loader, const char *file, struct config_place from)
{
    struct stat status;
    if (stat(file, &status) < 0)
        return true; /* reading it says why */
    for (size_t i = 0; i < loader->file_count; i++) {
        const struct loaded_file *known = &loader->files[i];
        if (known->device != status.st_dev || known->inode != status.st_ino)
            continue;
        if (known->from.file)
            loader_error(loader, from, "include", "\"%s\" is included already, at %s:%u", file, known->from.file,
                         known->from.line);
        else
            loader_error(loader, from, "include", "\"%s\" is the main file", file);
        return false;
    }
    struct loaded_file *files =
        loader_grow(loader, loader->files, loader->file_count, &loader->file_cap, sizeof(*files));
    if (!files)
        return false;
    loader->files = files;
    files[loader->file_count++] = (struct loaded_file){status.st_dev, status.st_ino, from};
    return true;
}

static void merge_group(struct loader *loader, struct setting_list *list, const struct config_setting *section)
{
    if (section->kind != CONFIG_GROUP) {
        loader_error(loader, section->place, section->name, "must be a group { … }, not %s",
                     config_kind_name(section->kind));
        return;
    }
    for (size_t i = 0; i < section->item_count; i++) {
        const struct config_setting *item = &section->items[i], *earlier = NULL;
        for (size_t j = 0; j < list->len && !earlier; j++)
            if (strcmp(list->items[j].name, item->name) == 0)
                earlier = &list->items[j];
        if (earlier) {
            char path[CONFIG_PATH_MAX];
            config_path(path, "%s.%s", section->name, item->name);
            loader_error(loader, item->place, path, "is set already, at %s:%u", earlier->place.file,
                         earlier->place.line);
            continue;
        }
        struct config_setting *added = setting_list_add(loader, list);
        if (!added)
            return;
        *added = *item;
    }
}

static void merge_list(struct loader *loader, struct setting_list *list, const struct config_setting *section)
{
    if (section->kind != CONFIG_LIST) {
        loader_error(loader, section->place, section->name, "must be a list ( … ), not %s",
                     config_kind_name(section->kind));
        return;
    }
    for (size_t i = 0; i < section->item_count; i++) {
        struct config_setting *added = setting_list_add(loader, list);
        if (!added)
            return;
        *added = section->items[i];
    }
}

/* Files of a pattern in the order of their names; a pattern without wildcards names one file, which must be there. */
static void include_pattern(struct loader *loader, const struct config_setting *pattern, unsigned depth)
{
    struct config_setting text = *pattern;
    if (text.kind != CONFIG_TEXT) {
        loader_error(loader, text.place, "include", "must be the name of a file, not %s", config_kind_name(text.kind));
        return;
    }
    if (!substitute(loader, &text, "include") || text.missing_environment)
        return;
    const char *path = text.text.len > 0 ? loader_path(loader, text.place.file, text.text) : NULL;
    if (!path || !strpbrk(path, "*?[")) {
        if (path)
            loader_read(loader, path, text.place, depth + 1);
        else
            loader_error(loader, text.place, "include", "names no file");
        return;
    }
    glob_t found = {0};
    int status = glob(path, GLOB_ERR, NULL, &found);
    if (status == 0)
        for (size_t i = 0; i < found.gl_pathc && !loader->no_memory; i++) {
            const char *file = loader_copy(loader, bp_str_of(found.gl_pathv[i])).ptr;
            if (file)
                loader_read(loader, file, text.place, depth + 1);
        }
    else if (status == GLOB_NOSPACE)
        loader->no_memory = true;
    else if (status != GLOB_NOMATCH)
        loader_error(loader, text.place, "include", "cannot read the folder of \"%s\"", path);
    globfree(&found);
}

static void include(struct loader *loader, const struct config_setting *setting, unsigned depth)
{
    if (setting->kind == CONFIG_LIST)
        for (size_t i = 0; i < setting->item_count; i++)
            include_pattern(loader, &setting->items[i], depth);
    else
        include_pattern(loader, setting, depth);
}

static void merge(struct loader *loader, const struct config_setting *root, unsigned depth)
{
    for (size_t i = 0; i < root->item_count; i++) {
        const struct config_setting *section = &root->items[i];
        if (strcmp(section->name, "server") == 0)
            merge_group(loader, &loader->server_items, section);
        else if (strcmp(section->name, "plugins") == 0)
            merge_list(loader, &loader->plugin_items, section);
        else if (strcmp(section->name, "pipelines") == 0)
            merge_group(loader, &loader->pipeline_items, section);
        else if (strcmp(section->name, "routes") == 0)
            merge_list(loader, &loader->route_items, section);
        else if (strcmp(section->name, "include") == 0)
            include(loader, section, depth);
        else
            loader_error(loader, section->place, section->name, "unknown section%s",
                         config_suggestion(nearest_name(bp_str_of(section->name), sections, 5)).text);
    }
}

static void publish(struct config_setting *section, const struct setting_list *list)
{
    section->items = list->items;
    section->item_count = list->len;
}

bool loader_read(struct loader *loader, const char *file, struct config_place from, unsigned depth)
{
    if (depth > FILE_DEPTH_MAX) {
        loader_error(loader, from, "include", "\"%s\": files include files more than %d deep", file, FILE_DEPTH_MAX);
        return false;
    }
    if (!remember_file(loader, file, from))
        return false;
    struct source source = {0};
    struct config_setting root = {0};
    bool fine = source_read(loader, file, from, &source) && parse_source(loader, &source, &root);
    source_deinit(&source);
    if (fine)
        merge(loader, &root, depth);
    else
        loader->incomplete = true;
    publish(&loader->server, &loader->server_items);
    publish(&loader->plugins, &loader->plugin_items);
    publish(&loader->pipelines, &loader->pipeline_items);
    publish(&loader->routes, &loader->route_items);
    return fine && !loader->no_memory;
}
