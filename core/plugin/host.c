/* SPDX-License-Identifier: MIT */
/* What a plugin may ask of the core about itself (backplane/plugin.h, slot.h, shared.h). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "backplane/arena.h"
#include "backplane/log.h"
#include "backplane/slot.h"
#include "backplane/status.h"
#include "core/plugin/assembly.h"
#include "core/plugin/descriptor.h"
#include "core/plugin/options.h"

#define SLOT_ALIGN 16u
/* A slot is zeroed for every request: larger state belongs in the request's arena. */
#define SLOT_MAX 65536u
#define MESSAGE_MAX 1024

bp_str bp_instance_name(const struct bp_host *host)
{
    return host->name_str;
}

bp_str bp_data_dir(const struct bp_host *host)
{
    return bp_str_of(host->assembly->data_dir);
}

bool bp_is_production(const struct bp_host *host)
{
    return host->assembly->config->server.profile == 1;
}

int bp_slot_new(struct bp_host *host, size_t size)
{
    struct assembly *assembly = host->assembly;
    if (assembly->initializing != host || size > SLOT_MAX) {
        bp_log(host, BP_LOG_ERROR, "plugin.misuse", "bp_slot_new was called outside of init, or for too much",
               bp_log_int("size", (int64_t)size));
        return BP_MISUSE;
    }
    size_t offset = assembly->slot_bytes;
    assembly->slot_bytes += (size + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
    return (int)offset;
}

/* The setting at "fields[2].max"; NULL when there is none. *place becomes that of the last one on the way that is there. */
static const struct config_setting *find_setting(const struct config_setting *setting, const char *path,
                                                 struct config_place *place)
{
    char name[256];
    if (!path)
        return NULL;
    while (setting && *path) {
        if (*path == '[') {
            char *end;
            unsigned long index = strtoul(path + 1, &end, 10);
            setting = setting->kind == CONFIG_LIST && index < setting->item_count ? &setting->items[index] : NULL;
            path = *end == ']' ? end + 1 : end;
        } else {
            path += *path == '.';
            size_t len = strcspn(path, ".[");
            snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : 0), path);
            setting = setting->kind == CONFIG_GROUP ? config_get(setting, name) : NULL;
            path += len;
        }
        if (setting && setting->place.file)
            *place = setting->place;
    }
    return setting;
}

int bp_config_error(struct bp_host *host, const char *option, const char *format, ...)
{
    struct assembly *assembly = host->assembly;
    char message[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (!assembly->report) {
        bp_log(host, BP_LOG_ERROR, "plugin.config_error", "The configuration of a plugin is wrong",
               bp_log_cstr("option", option ? option : ""), bp_log_cstr("reason", message));
        return BP_INVALID;
    }
    struct config_place place = host->config->place;
    const struct config_setting *setting = find_setting(host->config->setting, option, &place);
    char path[256];
    snprintf(path, sizeof(path), "plugins.%s%s%s", host->name, option ? "." : "", option ? option : "");
    /* Where the environment is known to lack a value, its plugin's complaint is expected. */
    if (host->incomplete && (!setting || options_is_placeholder(setting))) {
        report_warning(assembly->report, place.file, place.line, path, "%s", message);
        return BP_INVALID;
    }
    report_error(assembly->report, place.file, place.line, path, "%s", message);
    return BP_INVALID;
}

int bp_start_error(struct bp_host *host, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (host->assembly->report) {
        bp_config_error(host, NULL, "%s", message);
    } else {
        bp_log(host, BP_LOG_ERROR, "plugin.start_failed", "A plugin could not start", bp_log_cstr("reason", message));
        host->start_error_said = true;
    }
    return BP_ERROR;
}

static int add_rows(struct bp_host *host, const char *what, const struct bp_plugin *added)
{
    struct buffer why = {0};
    if (host->assembly->initializing != host) {
        bp_log(host, BP_LOG_ERROR, "plugin.misuse", "Routes and migrations can be added in init only",
               bp_log_cstr("what", what));
        return BP_MISUSE;
    }
    int status = 0;
    if (!descriptor_add(&host->plugin, added, host->assembly->arena, &why))
        status = bp_config_error(host, NULL, "%" BP_STR_FMT, BP_STR_ARG(buffer_str(&why)));
    buffer_deinit(&why);
    return status;
}

int bp_routes_add(struct bp_host *host, const struct bp_route *routes)
{
    return add_rows(host, "routes", &(struct bp_plugin){.routes = routes});
}

int bp_migrations_add(struct bp_host *host, const char *owner, const struct bp_migration *migrations)
{
    int status = add_rows(host, "migrations", &(struct bp_plugin){.migrations = migrations});
    if (status)
        return status;
    host->migrations_owner = bp_arena_printf(host->assembly->arena, "%s.%s", host->plugin.name, owner).ptr;
    return host->migrations_owner ? 0 : BP_NOMEM;
}

void bp_stages_each(struct bp_host *host,
                    void (*function)(struct bp_host *host, bp_str stage_name, const void *stage, void *argument),
                    void *argument)
{
    const struct assembly *assembly = host->assembly;
    for (size_t i = 0; i < assembly->stage_count; i++)
        if (assembly->stages[i].host == host)
            function(host, assembly->stages[i].name, assembly->stages[i].options, argument);
}
