/* SPDX-License-Identifier: MIT */
#include "core/plugin/endpoints.h"

#include "backplane/arena.h"
#include "backplane/status.h"
#include "core/resource/attach.h"

bool endpoints_match(const char *match, bp_str path)
{
    size_t len = strlen(match);
    if (len < 2 || strcmp(match + len - 2, "/*") != 0)
        return bp_str_is(path, match);
    bp_str prefix = bp_str_n(match, len - 2); /* a prefix covers the path before its slash, too */
    return bp_str_starts(path, prefix) && (path.len == prefix.len ? prefix.len > 0 : path.ptr[prefix.len] == '/');
}

static const struct pipeline *find_pipeline(const struct assembly *assembly, const char *name)
{
    for (size_t i = 0; i < assembly->pipeline_count; i++)
        if (bp_str_is(assembly->pipelines[i].name, name))
            return &assembly->pipelines[i];
    return NULL;
}

const struct config_route *endpoints_entry(const struct config *config, bp_str path)
{
    for (size_t i = 0; i < config->route_count; i++)
        if (endpoints_match(config->routes[i].match, path))
            return &config->routes[i];
    return NULL;
}

const char *endpoints_listener(const struct assembly *assembly, bp_str path)
{
    const struct config_route *entry = endpoints_entry(assembly->config, path);
    return entry ? entry->listener : NULL;
}

const struct pipeline *assembly_pipeline_for(const struct assembly *assembly, bp_str path)
{
    const struct config_route *entry = endpoints_entry(assembly->config, path);
    return entry ? find_pipeline(assembly, entry->pipeline) : NULL;
}

const char *endpoints_method_name(uint32_t method)
{
    static const char *const names[] = {"?", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    return names[method < sizeof(names) / sizeof(*names) ? method : 0];
}

static void report_endpoint(struct endpoint *endpoint, const char *format, const char *detail)
{
    struct bp_host *host = endpoint->host;
    struct assembly *assembly = host->assembly;
    bp_str what = bp_arena_printf(assembly->arena, "route %s %s", endpoints_method_name(endpoint->route.method),
                                  endpoint->route.path);
    report_error(assembly->report, host->config->place.file, host->config->place.line,
                 bp_arena_printf(assembly->arena, "plugins.%s", host->name).ptr, "%" BP_STR_FMT " %s%s",
                 BP_STR_ARG(what), format, detail);
    host->wrong = true;
}

/* No danger, and a configuration that is older than the route may not want it. */
static void warn_of_endpoint(const struct endpoint *endpoint)
{
    const struct bp_host *host = endpoint->host;
    report_warning(host->assembly->report, host->config->place.file, host->config->place.line,
                   bp_arena_printf(host->assembly->arena, "plugins.%s", host->name).ptr,
                   "nobody can use the route %s %s: it is for accounts, and no stage of its pipeline \"%" BP_STR_FMT
                   "\" finds out who asks",
                   endpoints_method_name(endpoint->route.method), endpoint->route.path,
                   BP_STR_ARG(endpoint->pipeline->name));
}

static int add_endpoint(struct assembly *assembly, struct endpoint *endpoint)
{
    void *other_value = NULL;
    int status = router_add(assembly->router, endpoint->route.method, endpoint->route.path, endpoint, &other_value);
    const struct endpoint *other = other_value;
    if (status < 0)
        return status;
    if (status == ROUTER_DUPLICATE)
        report_endpoint(
            endpoint, "is already a route of ",
            bp_arena_printf(assembly->arena, "\"%s\" (plugin %s)", other->host->name, other->host->plugin.name).ptr);
    else if (status == ROUTER_MALFORMED)
        report_endpoint(endpoint, "is malformed: ", "segments are literal or one {parameter}, each name once");
    else if (status == ROUTER_AMBIGUOUS)
        report_endpoint(endpoint, "is ambiguous: ", "another route has another parameter at the same place");
    const struct config_route *entry = endpoints_entry(assembly->config, bp_str_of(endpoint->route.path));
    if (!entry && !assembly->incomplete)
        report_endpoint(endpoint, "has no pipeline: ", "no routes: entry matches it");
    else if (entry) {
        endpoint->pipeline = find_pipeline(assembly, entry->pipeline);
        endpoint->listener = entry->listener;
        if (endpoint->route.role && endpoint->pipeline && !endpoint->pipeline->identifies && !assembly->incomplete)
            warn_of_endpoint(endpoint);
    }
    return 0;
}

int endpoints_build(struct assembly *assembly)
{
    size_t count = 0;
    for (size_t i = 0; i < assembly->host_count; i++)
        for (const struct bp_route *route = assembly->hosts[i]->plugin.routes; route && route->size; route++)
            count++;
    assembly->endpoints = bp_arena_array(assembly->arena, count + 1, sizeof(*assembly->endpoints));
    if (!assembly->endpoints)
        return BP_NOMEM;
    int status = router_new(&assembly->router);
    for (size_t i = 0; i < assembly->host_count && status == 0; i++) {
        struct bp_host *host = assembly->hosts[i];
        for (const struct bp_route *route = host->plugin.routes; route && route->size && status == 0; route++) {
            struct endpoint *endpoint = &assembly->endpoints[assembly->endpoint_count++];
            *endpoint = (struct endpoint){.route = *route, .host = host};
            status = resource_attach(host, endpoint);
            if (status == 0)
                status = add_endpoint(assembly, endpoint);
        }
    }
    return status;
}
