/* SPDX-License-Identifier: MIT */
#include "core/plugin/assembly.h"

#include <stdlib.h>
#include <unistd.h>

#include "backplane/status.h"
#include "core/base/arena.h"
#include "core/database/front.h"
#include "core/pipeline/pipeline.h"
#include "core/plugin/endpoints.h"
#include "core/plugin/instance.h"
#include "core/plugin/location.h"
#include "core/plugin/services.h"
#include "core/supervisor/supervision.h"
#include "core/worker/runtime.h"

/* Plugins are opened once, however many instances they have. */
struct opened {
    struct opened *next;
    bool failed;
    struct library library;
};

static struct opened *open_once(struct assembly *assembly, struct opened **list, const struct config_plugin *config)
{
    const char *folder = location_folder_of(assembly->config->server.plugin_path.ptr, config->use);
    for (struct opened *opened = *list; opened; opened = opened->next)
        if (strcmp(opened->library.name, config->use) == 0)
            return opened;
    struct opened *opened = bp_arena_alloc(assembly->arena, sizeof(*opened));
    if (!opened)
        return NULL;
    struct buffer why = {0};
    opened->failed = !library_open(folder, config->use, assembly->arena, &opened->library, &why);
    opened->library.name = config->use;
    if (opened->failed)
        report_error(assembly->report, config->place.file, config->place.line,
                     bp_arena_printf(assembly->arena, "plugins.%s", config->name).ptr, "%" BP_STR_FMT,
                     BP_STR_ARG(buffer_str(&why)));
    buffer_deinit(&why);
    opened->next = *list;
    *list = opened;
    return opened;
}

static int make_hosts(struct assembly *assembly)
{
    const struct config *config = assembly->config;
    struct opened *list = NULL;
    assembly->hosts = bp_arena_array(assembly->arena, config->plugin_count + 1, sizeof(struct bp_host *));
    if (!assembly->hosts)
        return BP_NOMEM;
    for (size_t i = 0; i < config->plugin_count; i++) {
        const struct config_setting *use = config_get(config->plugins[i].setting, "use");
        if (!use || use->missing_environment || !config->plugins[i].use[0]) {
            assembly->incomplete = true;
            continue;
        }
        const struct opened *opened = open_once(assembly, &list, &config->plugins[i]);
        if (!opened)
            return BP_NOMEM;
        if (opened->failed) {
            assembly->incomplete = true;
            continue;
        }
        int status =
            instance_new(assembly, &config->plugins[i], &opened->library, &assembly->hosts[assembly->host_count]);
        if (status)
            return status;
        assembly->host_count++;
    }
    return 0;
}

static int find_data_dir(struct assembly *assembly)
{
    bp_str data = assembly->config->server.data;
    if (data.len > 0 && data.ptr[0] == '/') {
        assembly->data_dir = bp_arena_copy(assembly->arena, data).ptr;
    } else {
        char *here = getcwd(NULL, 0);
        assembly->data_dir = bp_arena_printf(assembly->arena, "%s%s%" BP_STR_FMT, here ? here : "",
                                             data.len > 0 ? "/" : "", BP_STR_ARG(data))
                                 .ptr;
        free(here);
    }
    return assembly->data_dir ? 0 : BP_NOMEM;
}

static int build(struct assembly *assembly)
{
    int status = find_data_dir(assembly);
    if (status == 0)
        status = make_hosts(assembly);
    if (status)
        return status;
    services_resolve(assembly);
    status = services_sort(assembly);
    if (status == 0)
        status = pipelines_compile(assembly);
    for (size_t i = 0; i < assembly->host_count && status == 0; i++)
        instance_init(assembly->hosts[i]);
    if (status == 0)
        status = database_front_init(assembly);
    if (status == 0)
        status = hooks_init(assembly);
    if (status == 0)
        status = runtime_define(assembly->shared);
    if (status == 0)
        status = supervision_define(assembly->shared);
    return status ? status : endpoints_build(assembly);
}

int assembly_load(const struct config *config, struct shared *shared, struct report *report,
                  struct assembly **ret_assembly)
{
    struct bp_arena *arena = arena_new();
    struct assembly *assembly = arena ? calloc(1, sizeof(*assembly)) : NULL;
    unsigned errors = report->errors;
    if (!assembly) {
        arena_free(arena);
        return BP_NOMEM;
    }
    assembly->config = config;
    assembly->shared = shared;
    assembly->report = report;
    assembly->incomplete = errors > 0;
    assembly->arena = arena;
    int status = build(assembly);
    assembly->report = NULL;
    report_sort(report);
    if (status == 0 && report->errors > errors)
        status = BP_INVALID;
    if (status) {
        assembly_free(assembly);
        return status;
    }
    *ret_assembly = assembly;
    return 0;
}

struct assembly *assembly_free(struct assembly *assembly)
{
    if (!assembly)
        return NULL;
    for (size_t i = assembly->host_count; i-- > 0;)
        instance_deinit(assembly->hosts[i]);
    router_free(assembly->router);
    arena_free(assembly->arena);
    free(assembly);
    return NULL;
}
