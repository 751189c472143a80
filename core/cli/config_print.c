/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "core/cli/load.h"
#include "core/config/print.h"
#include "core/schema/schema.h"

static const struct bp_host *find_host(const struct assembly *assembly, const char *instance)
{
    for (size_t i = 0; i < assembly->host_count; i++)
        if (strcmp(assembly->hosts[i]->name, instance) == 0)
            return assembly->hosts[i];
    return NULL;
}

/* What lies inside of a secret is one too; an instance that could not be loaded has no rows to tell, so all of it is. */
static bool is_secret(void *argument, const char *instance, const char *option)
{
    const struct bp_host *host = find_host(argument, instance);
    const struct bp_field *rows = host ? host->plugin.options : NULL;
    if (!host)
        return true;
    while (rows && *option) {
        bp_str name = bp_str_n(option, strcspn(option, "."));
        const struct bp_field *row = schema_find(rows, name);
        if (row && (row->flags & BP_SECRET))
            return true;
        rows = row ? row->sub : NULL;
        option += name.len + (option[name.len] == '.');
    }
    return false;
}

int cli_config_print(const struct cli_options *options)
{
    struct cli_loaded loaded;
    int status = cli_load_or_say(options, "config print", &loaded) ? CLI_OK : CLI_FAILED;
    if (status == CLI_OK && config_print(loaded.config, is_secret, loaded.assembly, stdout) != 0)
        status = CLI_FAILED;
    cli_unload(&loaded);
    return status;
}
