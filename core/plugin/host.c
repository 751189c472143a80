/* SPDX-License-Identifier: MIT */
/* What a plugin may ask of the core about itself (backplane/plugin.h, slot.h, shared.h). */
#include <stdarg.h>
#include <stdio.h>

#include "backplane/arena.h"
#include "backplane/log.h"
#include "backplane/slot.h"
#include "backplane/status.h"
#include "core/plugin/assembly.h"
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
    const struct config_setting *setting = option ? config_get(host->config->setting, option) : NULL;
    struct config_place place = setting ? setting->place : host->config->place;
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

void bp_stages_each(struct bp_host *host,
                    void (*function)(struct bp_host *host, bp_str stage_name, const void *stage, void *argument),
                    void *argument)
{
    const struct assembly *assembly = host->assembly;
    for (size_t i = 0; i < assembly->stage_count; i++)
        if (assembly->stages[i].host == host)
            function(host, assembly->stages[i].name, assembly->stages[i].options, argument);
}
