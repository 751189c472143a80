/* SPDX-License-Identifier: MIT */
/* Commands that plugins bring: one loop, what the plugin needs started, the command on a fiber, everything stopped again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backplane/status.h"
#include "core/base/arena.h"
#include "core/base/log.h"
#include "core/cli/load.h"
#include "core/metric/metric.h"
#include "core/worker/fiber.h"
#include "core/worker/loop.h"

struct call {
    struct assembly *assembly;
    struct bp_host *host;
    const struct bp_command *command;
    const struct cli_options *options;
    int code;
};

static bool find(struct call *call, const char *plugin, const char *name)
{
    for (size_t i = 0; i < call->assembly->host_count && !call->host; i++)
        if (strcmp(call->assembly->hosts[i]->plugin.name, plugin) == 0)
            call->host = call->assembly->hosts[i];
    for (const struct bp_command *row = call->host ? call->host->plugin.commands : NULL; row && row->size; row++)
        if (strcmp(row->name, name) == 0)
            call->command = row;
    if (!call->command)
        fprintf(stderr, "backplane: the plugin %s has no command \"%s\"\n", plugin, name);
    return call->command != NULL;
}

/* A provider that lacks a value of the environment was loaded all the same. */
static bool is_complete(const struct call *call)
{
    for (size_t n = 0; call->host->plugin.needs && call->host->plugin.needs[n].size; n++) {
        const struct bp_host *provider = call->host->providers[n];
        if (provider && provider->state != HOST_READY) {
            fprintf(stderr, "backplane: \"%s\" is not configured here\n", provider->name);
            return false;
        }
    }
    return true;
}

/* What a command changes is on record as what the server does. One that only reads may be run by who may not write there. */
static bool opens_audit_log(const struct call *call)
{
    const struct config_server *server = &call->assembly->config->server;
    if (!call->command->changes || log_audit_open(server->audit_log, server->data))
        return true;
    fprintf(stderr, "backplane: server.audit_log cannot be opened: %s\n", strerror(errno));
    return false;
}

static void run_on_fiber(void *argument)
{
    struct call *call = argument;
    if (assembly_start_for(call->assembly, call->host) != 0)
        return;
    call->code =
        call->command->run(call->host, call->host->self, call->options->arguments, call->options->argument_count);
    assembly_stop(call->assembly);
}

static void ended(void *argument)
{
    const struct call *call = argument;
    loop_stop(call->assembly->loop);
}

static int run(struct call *call)
{
    const struct config_server *server = &call->assembly->config->server;
    const struct loop_options loop_options = {.offload_threads = server->offload_threads,
                                              .offload_queue = server->offload_queue};
    struct bp_arena *arena = arena_new();
    const struct fiber_start start = {.function = run_on_fiber,
                                      .ended = ended,
                                      .argument = call,
                                      .arena = arena,
                                      .deadline = BP_FOREVER,
                                      .name = "command"};
    struct bp_fiber *fiber;
    struct loop *loop = NULL;
    int status = arena ? loop_new(&loop_options, &loop) : BP_NOMEM;
    if (status == 0) {
        call->assembly->loop = loop;
        metrics_attach(call->assembly->shared);
        status = fiber_start(loop, &start, &fiber);
    }
    if (status == 0)
        status = loop_run(loop);
    if (status != 0)
        fprintf(stderr, "backplane: the command could not be run: %s\n", bp_status_name(status));
    arena_free(arena);
    return status == 0 ? call->code : CLI_FAILED;
}

int cli_plugin_command(const struct cli_options *options, const char *plugin, const char *name)
{
    struct cli_loaded loaded;
    struct cli_options with_plugin = *options;
    struct call call = {.options = options, .code = CLI_FAILED};
    int code = CLI_FAILED;
    with_plugin.plugin = plugin;
    if (cli_load_or_say(&with_plugin, name, &loaded)) {
        call.assembly = loaded.assembly;
        if (find(&call, plugin, name) && is_complete(&call) && opens_audit_log(&call))
            code = run(&call);
    }
    struct loop *loop = call.assembly ? call.assembly->loop : NULL;
    cli_unload(&loaded);
    loop_free(loop);
    fiber_pool_free();
    return code;
}
