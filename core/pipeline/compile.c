/* SPDX-License-Identifier: MIT */
#include "backplane/arena.h"
#include "backplane/status.h"
#include "core/pipeline/pipeline.h"
#include "core/plugin/instance.h"

static struct bp_host *find_host(const struct assembly *assembly, const char *name)
{
    for (size_t i = 0; i < assembly->host_count; i++)
        if (strcmp(assembly->hosts[i]->name, name) == 0)
            return assembly->hosts[i];
    return NULL;
}

static int make_stage(struct assembly *assembly, const struct config_pipeline *pipeline,
                      const struct config_stage *config, struct stage *stage)
{
    const char *path = bp_arena_printf(assembly->arena, "pipelines.%s", pipeline->name).ptr;
    struct bp_host *host = find_host(assembly, config->use);
    stage->short_name = config->as ? config->as : config->use;
    stage->name =
        config->as ? bp_str_of(config->as) : bp_arena_printf(assembly->arena, "%s.%s", pipeline->name, config->use);
    stage->locked = config->locked;
    stage->place = config->place;
    if (!path || !stage->name.ptr)
        return BP_NOMEM;
    if (!host) /* reported: no such instance, or its plugin could not be loaded */
        return 0;
    if (!host->plugin.middleware) {
        report_error(assembly->report, config->place.file, config->place.line, path,
                     "\"%s\" (plugin %s) is no middleware: it cannot be used as a stage", host->name,
                     host->plugin.name);
        return 0;
    }
    void *options = NULL;
    path = bp_arena_printf(assembly->arena, "pipelines.%s.%s", pipeline->name, stage->short_name).ptr;
    if (!instance_decode_stage(host, config, path, &options)) {
        host->wrong = true;
        return 0;
    }
    stage->host = host;
    stage->function = host->plugin.middleware;
    stage->self = host->self;
    stage->options = options;
    return 0;
}

/* A stage's name keys its state. */
static void check_duplicates(struct assembly *assembly)
{
    for (size_t i = 0; i < assembly->stage_count; i++)
        for (size_t k = 0; k < i; k++) {
            const struct stage *stage = &assembly->stages[i], *other = &assembly->stages[k];
            if (!bp_str_eq(stage->name, other->name))
                continue;
            report_error(assembly->report, stage->place.file, stage->place.line, "pipelines",
                         "a stage named \"%" BP_STR_FMT "\" is at %s:%u; give this one another name with as = \"…\"",
                         BP_STR_ARG(stage->name), other->place.file, other->place.line);
            break;
        }
}

static int make_stages(struct assembly *assembly, struct draft *drafts)
{
    const struct config *config = assembly->config;
    size_t count = 0;
    for (size_t p = 0; p < config->pipeline_count; p++)
        for (size_t e = 0; e < config->pipelines[p].entry_count; e++)
            count += config->pipelines[p].entries[e].kind == CONFIG_ENTRY_STAGE;
    assembly->stages = bp_arena_array(assembly->arena, count + 1, sizeof(*assembly->stages));
    if (!assembly->stages)
        return BP_NOMEM;
    for (size_t p = 0; p < config->pipeline_count; p++) {
        const struct config_pipeline *pipeline = &config->pipelines[p];
        drafts[p].config = pipeline;
        drafts[p].written = bp_arena_array(assembly->arena, pipeline->entry_count + 1, sizeof(*drafts[p].written));
        if (!drafts[p].written)
            return BP_NOMEM;
        for (size_t e = 0; e < pipeline->entry_count; e++) {
            /* Without a name: a placeholder for a variable that is not set here. */
            if (pipeline->entries[e].kind != CONFIG_ENTRY_STAGE || !pipeline->entries[e].stage.use[0])
                continue;
            struct stage *stage = &assembly->stages[assembly->stage_count++];
            int status = make_stage(assembly, pipeline, &pipeline->entries[e].stage, stage);
            if (status)
                return status;
            drafts[p].written[e] = stage;
        }
    }
    return 0;
}

static int make_pipeline(struct assembly *assembly, const struct draft *draft, struct pipeline *pipeline)
{
    pipeline->name = bp_str_of(draft->config->name);
    pipeline->count = draft->count;
    pipeline->stages = bp_arena_array(assembly->arena, draft->count + 1, sizeof(*pipeline->stages));
    if (!pipeline->stages)
        return BP_NOMEM;
    for (size_t i = 0; i < draft->count; i++)
        pipeline->stages[i] = *draft->items[i].stage;
    pipeline->open_count = pipelines_open_count(draft);
    pipeline->identifies = pipelines_identifies(draft);
    pipeline->guard_index = pipelines_guard_index(draft);
    return 0;
}

int pipelines_compile(struct assembly *assembly)
{
    size_t count = assembly->config->pipeline_count;
    struct draft *drafts = bp_arena_array(assembly->arena, count + 1, sizeof(*drafts));
    assembly->pipelines = bp_arena_array(assembly->arena, count + 1, sizeof(*assembly->pipelines));
    if (!drafts || !assembly->pipelines)
        return BP_NOMEM;
    int status = make_stages(assembly, drafts);
    if (status == 0)
        status = pipelines_expand(assembly, drafts, count);
    if (status == 0)
        check_duplicates(assembly);
    for (size_t i = 0; i < count && status == 0; i++) {
        pipelines_check_order(assembly, &drafts[i]);
        status = make_pipeline(assembly, &drafts[i], &assembly->pipelines[assembly->pipeline_count++]);
    }
    return status;
}
