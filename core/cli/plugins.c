/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "core/base/arena.h"
#include "core/cli/load.h"
#include "core/cli/option_table.h"
#include "core/cli/table.h"
#include "core/plugin/library.h"
#include "core/plugin/location.h"

static void add_plugin(struct table *table, const struct bp_plugin *plugin, const char *instance)
{
    char abi[32];
    snprintf(abi, sizeof(abi), "%u.%u", plugin->abi_major, plugin->abi_minor);
    table_row(table, (const char *const[]){plugin->name, instance, plugin->version, abi, plugin->doc});
}

static bool is_used(const struct assembly *assembly, const char *plugin)
{
    for (size_t i = 0; i < assembly->host_count; i++)
        if (strcmp(assembly->hosts[i]->plugin.name, plugin) == 0)
            return true;
    return false;
}

/* Plugins in a folder that the configuration does not use. */
static void add_unused(struct table *table, const struct assembly *assembly, const char *folder)
{
    size_t count = 0;
    const char **names = library_names(folder, assembly->arena, &count);
    for (size_t i = 0; names && i < count; i++) {
        struct library library;
        struct buffer why = {0};
        if (is_used(assembly, names[i]))
            continue;
        if (library_open(folder, names[i], assembly->arena, &library, &why))
            add_plugin(table, &library.plugin, "-");
        else
            fprintf(stderr, "%s: %" BP_STR_FMT "\n", names[i], BP_STR_ARG(buffer_str(&why)));
        buffer_deinit(&why);
    }
}

static int list(const struct cli_options *options)
{
    struct cli_loaded loaded;
    bool fine = cli_load_or_say(options, "plugins", &loaded);
    if (fine) {
        struct table table = {.columns = 5};
        table_row(&table, (const char *const[]){"PLUGIN", "INSTANCE", "VERSION", "ABI", "WHAT IT DOES"});
        for (size_t i = 0; i < loaded.assembly->host_count; i++)
            add_plugin(&table, &loaded.assembly->hosts[i]->plugin, loaded.assembly->hosts[i]->name);
        if (loaded.assembly->config->server.plugin_path.len > 0)
            add_unused(&table, loaded.assembly, loaded.assembly->config->server.plugin_path.ptr);
        add_unused(&table, loaded.assembly, location_plugin_dir());
        table_print(&table, "", stdout);
        table_deinit(&table);
    }
    cli_unload(&loaded);
    return fine ? CLI_OK : CLI_FAILED;
}

static void print_services(const struct bp_plugin *plugin)
{
    for (const struct bp_need *need = plugin->needs; need && need->size; need++)
        printf("needs     %s %u%s\n", need->interface, need->version, need->optional ? " (optional)" : "");
    for (const struct bp_provide *provide = plugin->provides; provide && provide->size; provide++)
        printf("provides  %s %u\n", provide->interface, provide->version);
}

static void print_plugin(const struct bp_plugin *plugin, bool markdown)
{
    if (!markdown) {
        printf("%s %s (plugin ABI %u.%u)\n%s%s", plugin->name, plugin->version ? plugin->version : "",
               plugin->abi_major, plugin->abi_minor, plugin->doc ? plugin->doc : "", plugin->doc ? "\n" : "");
        print_services(plugin);
    }
    option_table_print(plugin->options, markdown);
}

/* Works without a configuration (for READMEs): one that cannot be read only cannot name another folder. */
static int describe(const struct cli_options *options)
{
    struct config *config = cli_load_config(options, false);
    struct bp_arena *arena = arena_new();
    struct buffer why = {0};
    struct library library;
    bool fine =
        arena && library_open(location_folder_of(config ? config->server.plugin_path.ptr : "", options->arguments[0]),
                              options->arguments[0], arena, &library, &why);
    if (fine)
        print_plugin(&library.plugin, options->markdown);
    else
        fprintf(stderr, "backplane: %" BP_STR_FMT "\n", BP_STR_ARG(buffer_str(&why)));
    buffer_deinit(&why);
    arena_free(arena);
    config_free(config);
    return fine ? CLI_OK : CLI_FAILED;
}

int cli_plugins(const struct cli_options *options)
{
    return options->argument_count == 0 ? list(options) : describe(options);
}
