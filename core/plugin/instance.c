/* SPDX-License-Identifier: MIT */
#include "core/plugin/instance.h"

#include <stdlib.h>

#include "backplane/arena.h"
#include "backplane/status.h"
#include "core/plugin/options.h"
#include "core/schema/schema.h"
#include "core/worker/fiber.h"

static size_t count_needs(const struct bp_plugin *plugin)
{
    size_t count = 0;
    while (plugin->needs && plugin->needs[count].size)
        count++;
    return count;
}

static int fill_defaults(struct bp_host *host)
{
    const struct bp_plugin *plugin = &host->plugin;
    struct bp_arena *arena = host->assembly->arena;
    /* calloc and not the arena: a plugin that writes past its struct is seen by a sanitizer. */
    host->self = calloc(1, plugin->self_size ? plugin->self_size : 1);
    host->providers = bp_arena_array(arena, count_needs(plugin) + 1, sizeof(*host->providers));
    host->stage_defaults = plugin->stage_size ? bp_arena_alloc(arena, plugin->stage_size) : NULL;
    if (!host->self || !host->providers || (plugin->stage_size && !host->stage_defaults))
        return BP_NOMEM;
    int status = plugin->options ? schema_set_defaults(plugin->options, false, arena, host->self) : 0;
    if (status == 0 && plugin->options && host->stage_defaults)
        status = schema_set_defaults(plugin->options, true, arena, host->stage_defaults);
    return status;
}

int instance_new(struct assembly *assembly, const struct config_plugin *config, const struct library *library,
                 struct bp_host **ret_host)
{
    struct bp_host *host = bp_arena_alloc(assembly->arena, sizeof(*host));
    if (!host)
        return BP_NOMEM;
    host->name = config->name;
    host->name_str = bp_str_of(config->name);
    host->plugin = library->plugin;
    host->file = library->file;
    host->config = config;
    host->assembly = assembly;
    int status = fill_defaults(host);
    if (status) {
        free(host->self);
        return status < 0 ? status : BP_ERROR;
    }
    const struct options_group group = {
        .host = host,
        .setting = config->setting,
        .place = config->place,
        .path = bp_arena_printf(assembly->arena, "plugins.%s", config->name).ptr,
        .stage = host->stage_defaults,
    };
    host->wrong = !options_decode(&group);
    *ret_host = host;
    return 0;
}

bool instance_decode_stage(struct bp_host *host, const struct config_stage *config, const char *path, void **ret_stage)
{
    void *stage = NULL;
    if (host->stage_defaults) {
        stage = bp_arena_alloc(host->assembly->arena, host->plugin.stage_size);
        if (!stage)
            return false;
        memcpy(stage, host->stage_defaults, host->plugin.stage_size);
    }
    const struct options_group group = {
        .host = host,
        .setting = config->setting,
        .place = config->place,
        .path = path,
        .is_stage = true,
        .stage = stage,
    };
    *ret_stage = stage;
    return options_decode(&group);
}

static bool providers_ready(const struct bp_host *host)
{
    for (size_t i = 0; i < count_needs(&host->plugin); i++)
        if (host->providers[i] ? host->providers[i]->state != HOST_READY : !host->plugin.needs[i].optional)
            return false;
    return true;
}

static bool make_metrics(struct bp_host *host)
{
    for (const struct bp_metric_row *row = host->plugin.metrics; row && row->size; row++) {
        struct bp_metric *metric = bp_metric_new(host, &row->def);
        if (!metric) /* and why is reported */
            return false;
        memcpy((char *)host->self + row->offset, (const void *)&metric, sizeof(metric));
    }
    return true;
}

void instance_init(struct bp_host *host)
{
    struct assembly *assembly = host->assembly;
    if (host->wrong || !providers_ready(host))
        return;
    unsigned errors = assembly->report->errors, warnings = assembly->report->warnings;
    int status = 0;
    host->init_called = true;
    assembly->initializing = host;
    if (!make_metrics(host)) {
        status = BP_INVALID;
    } else if (host->plugin.init) {
        struct fiber_place before = fiber_enter((struct fiber_place){.plugin = host->name, .hook = "init"});
        status = host->plugin.init(host, host->self);
        fiber_enter(before);
    }
    assembly->initializing = NULL;
    bool reported = assembly->report->errors > errors;
    if (status != 0 && !reported && !(host->incomplete && assembly->report->warnings > warnings)) {
        report_error(assembly->report, host->config->place.file, host->config->place.line,
                     bp_arena_printf(assembly->arena, "plugins.%s", host->name).ptr,
                     "init failed with %s and did not say why", status < 0 ? bp_status_name(status) : "a condition");
        reported = true;
    }
    if (reported)
        host->wrong = true;
    else if (status == 0)
        host->state = HOST_READY;
}

void instance_deinit(struct bp_host *host)
{
    if (host->init_called && host->plugin.deinit) {
        struct fiber_place before = fiber_enter((struct fiber_place){.plugin = host->name, .hook = "deinit"});
        host->plugin.deinit(host, host->self);
        fiber_enter(before);
    }
    host->init_called = false;
    free(host->self);
    host->self = NULL;
}
