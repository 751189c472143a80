/* SPDX-License-Identifier: MIT */
#include "core/plugin/library.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "backplane/arena.h"
#include "core/plugin/descriptor.h"
#include "core/plugin/elf_file.h"
#include "core/plugin/location.h"
#include "core/schema/schema.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "auth.so" is the plugin "auth"; 0: not a plugin's file. */
static size_t plugin_name_len(const char *file)
{
    size_t len = strlen(file);
    return len > 3 && file[0] != '.' && strcmp(file + len - 3, ".so") == 0 ? len - 3 : 0;
}

const char **library_names(const char *folder, struct bp_arena *arena, size_t *ret_count)
{
    const char **names = NULL;
    size_t count = 0, cap = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return NULL;
    for (struct dirent *entry; (entry = readdir(dir));) {
        size_t len = plugin_name_len(entry->d_name);
        if (len == 0)
            continue;
        if (count + 1 >= cap) {
            const char **more = bp_arena_array(arena, cap = cap ? 2 * cap : 32, sizeof(*more));
            if (!more)
                goto nomem;
            if (count)
                memcpy(more, names, count * sizeof(*more));
            names = more;
        }
        if (!(names[count++] = bp_arena_copy(arena, bp_str_n(entry->d_name, len)).ptr))
            goto nomem;
    }
    closedir(dir);
    if (!names)
        names = bp_arena_array(arena, 1, sizeof(*names));
    else
        qsort(names, count, sizeof(*names), by_name);
    *ret_count = count;
    return names;
nomem:
    closedir(dir);
    return NULL;
}

/* Nothing but a name may follow "use": no path leads out of the folder. */
static bool is_plain(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') && !(*c >= '0' && *c <= '9') && *c != '_' &&
            *c != '-')
            return false;
    return name[0] != 0;
}

static const char *nearest_in(const char *folder, const char *name, struct bp_arena *arena)
{
    size_t count = 0;
    const char **names = library_names(folder, arena, &count);
    return names ? nearest_name(bp_str_of(name), names, count) : NULL;
}

static void say_missing(const char *folder, const char *name, struct bp_arena *arena, struct buffer *why)
{
    const char *nearest = nearest_in(folder, name, arena);
    if (!nearest)
        nearest = nearest_in(location_plugin_dir(), name, arena);
    if (access(folder, R_OK | X_OK) != 0)
        buffer_printf(why, "the folder of plugins, %s, cannot be read: %s", folder, strerror(errno));
    else
        buffer_printf(why, "no plugin \"%s\" in %s%s%s%s", name, folder, nearest ? "; did you mean \"" : "",
                      nearest ? nearest : "", nearest ? "\"?" : "");
}

/* glibc: "/path/x.so: undefined symbol: bp_future" */
static void say_dlerror(const char *file, const char *error, struct buffer *why)
{
    static const char undefined[] = "undefined symbol: ";
    const char *symbol = error ? strstr(error, undefined) : NULL;
    if (symbol) {
        symbol += strlen(undefined);
        buffer_printf(why, "%s uses \"%.*s\", which this server does not have", file, (int)strcspn(symbol, ", ("),
                      symbol);
        return;
    }
    size_t prefix = strlen(file);
    if (error && strncmp(error, file, prefix) == 0 && strncmp(error + prefix, ": ", 2) == 0)
        error += prefix + 2;
    buffer_printf(why, "%s cannot be opened: %s", file, error ? error : "unknown error");
}

bool library_open(const char *folder, const char *name, struct bp_arena *arena, struct library *ret_library,
                  struct buffer *why)
{
    struct library library = {0};
    if (!is_plain(name)) {
        buffer_printf(why, "\"%s\" is not the name of a plugin: letters, digits, \"_\" and \"-\" only", name);
        return false;
    }
    library.name = bp_arena_copy(arena, bp_str_of(name)).ptr;
    library.file = bp_arena_printf(arena, "%s/%s.so", folder, name).ptr;
    if (!library.name || !library.file) {
        buffer_printf(why, "out of memory");
        return false;
    }
    if (access(library.file, F_OK) != 0) {
        say_missing(folder, name, arena, why);
        return false;
    }
    if (!elf_file_check(library.file, why))
        return false;
    void *handle = dlopen(library.file, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        say_dlerror(library.file, dlerror(), why);
        return false;
    }
    const struct bp_plugin *(*get)(void);
    void *symbol = dlsym(handle, "backplane_plugin");
    memcpy(&get, &symbol, sizeof(get));
    if (!get) {
        buffer_printf(why, "%s exports no backplane_plugin: it is not a plugin, or BP_PLUGIN() is missing",
                      library.file);
        return false;
    }
    size_t before = why->len;
    const struct bp_plugin *plugin = get();
    if (plugin && descriptor_copy(plugin, name, arena, &library.plugin, why)) {
        *ret_library = library;
        return true;
    }
    if (why->len == before)
        buffer_printf(why, "backplane_plugin() returned nothing");
    return false;
}
