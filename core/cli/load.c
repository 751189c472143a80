/* SPDX-License-Identifier: MIT */
#include "core/cli/load.h"

#include <stdio.h>
#include <string.h>

#include "backplane/status.h"
#include "core/base/log.h"
#include "core/supervisor/shared.h"

static int load(const struct cli_options *options, struct cli_loaded *loaded)
{
    const struct config_load_options load_options = {
        .file = options->config_file,
        .sets = options->sets,
        .set_count = options->set_count,
        .lenient_environment = true,
        .keep_invalid = true,
    };
    int config_status = config_load(&load_options, &loaded->report, &loaded->config);
    if (!loaded->config)
        return config_status;
    int status = options->plugin ? config_add_plugin(loaded->config, options->plugin) : 0;
    if (status == 0)
        status = shared_private(loaded->config->server.shared_memory, &loaded->shared);
    if (status == 0)
        status = assembly_load(loaded->config, loaded->shared, &loaded->report, &loaded->assembly);
    return config_status ? config_status : status;
}

struct config *cli_load_config(const struct cli_options *options, bool say)
{
    const struct config_load_options load_options = {
        .file = options->config_file,
        .sets = options->sets,
        .set_count = options->set_count,
        .lenient_environment = true,
    };
    struct report report = {0};
    struct config *config = NULL;
    if (config_load(&load_options, &report, &config) != 0) {
        if (say)
            cli_print_report(&report);
        config = config_free(config);
    }
    report_deinit(&report);
    return config;
}

bool cli_load(const struct cli_options *options, const char *process, struct cli_loaded *loaded)
{
    memset(loaded, 0, sizeof(*loaded));
    log_setup(BP_LOG_INFO, LOG_AUTO, process);
    int status = load(options, loaded);
    if (status && loaded->report.errors == 0)
        report_error(&loaded->report, NULL, 0, NULL, "%s", bp_status_name(status));
    return status == 0;
}

bool cli_load_or_say(const struct cli_options *options, const char *process, struct cli_loaded *loaded)
{
    bool fine = cli_load(options, process, loaded);
    cli_print_report(&loaded->report);
    return fine;
}

void cli_print_report(const struct report *report)
{
    if (report->text.len > 0)
        fwrite(report->text.ptr, 1, report->text.len, stderr);
}

void cli_unload(struct cli_loaded *loaded)
{
    assembly_free(loaded->assembly);
    shared_free(loaded->shared);
    config_free(loaded->config);
    report_deinit(&loaded->report);
}
