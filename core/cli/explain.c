/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/buffer.h"
#include "core/cli/load.h"
#include "core/cli/table.h"
#include "core/http/parser.h"
#include "core/plugin/endpoints.h"
#include "core/schema/schema.h"

static void print_options(const struct stage *stage)
{
    struct table table = {.columns = 2};
    struct buffer value = {0};
    for (const struct bp_field *row = stage->host->plugin.options; row && row->type != BP_TYPE_END; row++) {
        if (!(row->flags & BP_STAGE))
            continue;
        value.len = 0;
        schema_print_value(row, stage->options, &value);
        buffer_add_char(&value, 0);
        table_row(&table, (const char *const[]){row->name, value.ptr});
    }
    table_print(&table, "       ", stdout);
    buffer_deinit(&value);
    table_deinit(&table);
}

static void print_listener(const struct config_server *server, const char *name)
{
    const struct config_listen *listens = server->listen.ptr;
    const char *before = " (";
    if (!name)
        return;
    printf("listener  %s", name);
    for (size_t i = 0; i < server->listen.len; i++)
        if (listens[i].name && strcmp(listens[i].name, name) == 0) {
            printf("%s%" BP_STR_FMT, before, BP_STR_ARG(listens[i].address));
            before = ", ";
        }
    puts(")");
}

static void print_pipeline(const struct assembly *assembly, const struct pipeline *pipeline, bp_str path, bool routed)
{
    size_t count = !pipeline ? 0 : routed ? pipeline->count : pipeline->open_count;
    const struct config_route *entry = endpoints_entry(assembly->config, path);
    if (!pipeline) {
        printf("pipeline  none: no routes: entry matches\n");
        return;
    }
    print_listener(&assembly->config->server, entry->listener);
    printf("pipeline  %s, by \"%s\" (%s:%u)\n", pipeline->name.ptr, entry->match, entry->place.file, entry->place.line);
    for (size_t i = 0; i < count; i++) {
        const struct stage *stage = &pipeline->stages[i];
        printf("  %3zu  %" BP_STR_FMT "  plugin %s%s  (%s:%u)\n", i + 1, BP_STR_ARG(stage->name),
               stage->host->plugin.name, stage->locked ? ", locked" : "", stage->place.file, stage->place.line);
        print_options(stage);
    }
}

static void print_params(const struct router_match *match)
{
    for (uint32_t i = 0; i < match->param_count; i++)
        printf("%s%" BP_STR_FMT " = %" BP_STR_FMT, i == 0 ? "params    " : ", ", BP_STR_ARG(match->names[i]),
               BP_STR_ARG(match->params[i]));
    if (match->param_count > 0)
        putchar('\n');
}

static void print_access(const struct bp_route *route)
{
    if (route->role)
        printf("role      %s\n", route->role);
    if (route->scope)
        printf("scope     %s\n", route->scope);
}

static void print_unrouted(uint32_t allowed)
{
    /* OPTIONS is allowed everywhere; another method is what makes a path exist. */
    if (!(allowed & ~(1u << BP_OPTIONS))) {
        printf("route     none: 404\n");
        return;
    }
    printf("route     none: 405, allowed are");
    for (uint32_t method = BP_GET; method <= BP_OPTIONS; method++)
        if (allowed & (1u << method))
            printf(" %s", endpoints_method_name(method));
    putchar('\n');
}

static void explain(const struct assembly *assembly, uint32_t method, bp_str path)
{
    struct router_match match = {0};
    const struct endpoint *endpoint = NULL;
    if (router_find(assembly->router, method, path, &match))
        endpoint = match.value;
    printf("request   %s %" BP_STR_FMT "\n", endpoints_method_name(method), BP_STR_ARG(path));
    if (endpoint) {
        printf("route     %s  %s  plugin %s (%s:%u)\n", endpoint->route.name, endpoint->route.path,
               endpoint->host->name, endpoint->host->config->place.file, endpoint->host->config->place.line);
        print_params(&match);
        print_access(&endpoint->route);
    } else {
        print_unrouted(match.allowed);
    }
    print_pipeline(assembly, endpoint ? endpoint->pipeline : assembly_pipeline_for(assembly, path), path, endpoint);
    if (endpoint)
        printf("handler   %s\n", endpoint->route.doc ? endpoint->route.doc : endpoint->route.name);
}

static uint32_t find_method(const char *name)
{
    for (uint32_t method = BP_GET; method <= BP_OPTIONS; method++)
        if (strcmp(endpoints_method_name(method), name) == 0)
            return method;
    fprintf(stderr, "backplane: unknown method \"%s\": expected GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS\n",
            name);
    return 0;
}

int cli_explain(const struct cli_options *options)
{
    uint32_t method = find_method(options->arguments[0]);
    bp_str target = bp_str_of(options->arguments[1]);
    bp_str raw = bp_str_n(target.ptr, strcspn(target.ptr, "?"));
    struct cli_loaded loaded;
    size_t len = 0;
    char *path = malloc(raw.len + 1);
    int status = CLI_USAGE;
    if (!path || method == 0) {
        free(path);
        return path ? CLI_USAGE : CLI_FAILED;
    }
    if (raw.len == 0 || raw.ptr[0] != '/' || !parser_normalize_path(raw, path, &len)) {
        fprintf(stderr, "backplane: \"%s\" is not a path\n", target.ptr);
    } else {
        status = cli_load_or_say(options, "explain", &loaded) ? CLI_OK : CLI_FAILED;
        if (status == CLI_OK)
            explain(loaded.assembly, method, bp_str_n(path, len));
        cli_unload(&loaded);
    }
    free(path);
    return status;
}
