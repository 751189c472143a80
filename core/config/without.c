/* SPDX-License-Identifier: MIT */
/* Instances that are left out of a configuration that is valid with them: what the supervisor has quarantined. */
#include "core/config/loader.h"

static bool is_without(const struct loader *loader, const char *instance)
{
    bp_str rest = bp_str_of(loader->options->without), name;
    while (bp_str_next(&rest, ',', &name))
        if (name.len > 0 && bp_str_is(name, instance))
            return true;
    return false;
}

/* "-stage" is written with the name of the stage, which is that of its instance unless it has one of its own. */
static void leave_out_stages(const struct loader *loader, struct config_pipeline *pipeline)
{
    size_t kept = 0;
    for (size_t i = 0; i < pipeline->entry_count; i++) {
        const struct config_entry *entry = &pipeline->entries[i];
        if (entry->kind == CONFIG_ENTRY_INCLUDE || !is_without(loader, entry->stage.use))
            pipeline->entries[kept++] = *entry;
    }
    pipeline->entry_count = kept;
}

void loader_without(struct loader *loader)
{
    struct config *config = loader->config;
    size_t kept = 0;

    if (!loader->options->without)
        return;
    for (size_t i = 0; i < config->plugin_count; i++)
        if (!is_without(loader, config->plugins[i].name))
            config->plugins[kept++] = config->plugins[i];
    config->plugin_count = kept;
    for (size_t i = 0; i < config->pipeline_count; i++)
        leave_out_stages(loader, &config->pipelines[i]);
}
