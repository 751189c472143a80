/* SPDX-License-Identifier: MIT */
/* All routes, for plugins (backplane/endpoints.h). */
#include "backplane/endpoints.h"

#include "core/plugin/assembly.h"
#include "core/resource/resource.h"

static const struct endpoint *endpoint_at(const struct bp_host *host, size_t index)
{
    return index < host->assembly->endpoint_count ? &host->assembly->endpoints[index] : NULL;
}

bool bp_endpoint(const struct bp_host *host, size_t index, struct bp_endpoint *ret_endpoint)
{
    const struct endpoint *endpoint = endpoint_at(host, index);
    if (!endpoint)
        return false;
    *ret_endpoint = (struct bp_endpoint){
        .route = &endpoint->route,
        .plugin = endpoint->host->plugin.name,
        .plugin_doc = endpoint->host->plugin.doc,
        .instance = endpoint->host->name_str,
        .pipeline = endpoint->pipeline ? endpoint->pipeline->name : BP_STR(""),
        .listener = endpoint->listener,
        .stage_count = endpoint->pipeline ? endpoint->pipeline->count : 0,
        .create_rows = endpoint->resource ? endpoint->resource->create_rows : NULL,
        .update_rows = endpoint->resource ? endpoint->resource->update_rows : NULL,
    };
    return true;
}

bool bp_endpoint_stage(const struct bp_host *host, size_t index, size_t stage, struct bp_endpoint_stage *ret_stage)
{
    const struct endpoint *endpoint = endpoint_at(host, index);
    if (!endpoint || !endpoint->pipeline || stage >= endpoint->pipeline->count)
        return false;
    const struct stage *found = &endpoint->pipeline->stages[stage];
    *ret_stage = (struct bp_endpoint_stage){
        .plugin = found->host->plugin.name,
        .instance = found->host->name_str,
        .name = found->name,
        .options = found->options,
        .answers = found->host->plugin.answers,
    };
    return true;
}
