/* SPDX-License-Identifier: MIT */
/* The one-shot process before the start: everything that can be known to be wrong is said before a socket opens. */

#include <stdio.h>

#include "backplane/status.h"
#include "core/base/log.h"
#include "core/database/migrations.h"
#include "core/plugin/assembly.h"
#include "core/supervisor/child.h"
#include "core/supervisor/shared.h"
#include "core/supervisor/supervisor.h"
#include "core/worker/crash.h"
#include "core/worker/worker.h"

static int put_together(const struct config_load_options *options, struct report *report, struct config **ret_config,
                        struct shared **ret_shared, struct assembly **ret_assembly)
{
    int r = config_load(options, report, ret_config);
    if (r != 0)
        return r;
    log_setup((enum bp_level)(*ret_config)->server.log_level, (enum log_format)(*ret_config)->server.log_format,
              "check");
    r = shared_private((size_t)(*ret_config)->server.shared_memory, ret_shared);
    if (r != 0)
        return r;
    return assembly_load(*ret_config, *ret_shared, report, ret_assembly);
}

/* Loads the whole configuration with its plugins, asks them what a start needs, then brings the schema up to date. The exit code; problems are
 * printed to standard error. */
static int check_main(const struct config_load_options *options)
{
    struct report report = {0};
    struct config *config = NULL;
    struct shared *shared = NULL;
    struct assembly *assembly = NULL;
    unsigned applied;

    crash_handler_install();
    int r = put_together(options, &report, &config, &shared, &assembly);
    if (report.text.len > 0)
        (void)fwrite(report.text.ptr, 1, report.text.len, stderr);
    else if (r != 0)
        (void)fprintf(stderr, "backplane: the check before the start failed: %s\n", bp_status_name(r));
    if (r == 0)
        r = assembly_before_start(assembly); /* these two say themselves what failed */
    if (r == 0)
        r = migrations_up(assembly, true, &applied);
    assembly_free(assembly);
    shared_free(shared);
    config_free(config);
    report_deinit(&report);
    return r == 0 ? 0 : 1;
}

bool supervisor_child(int argc, char **argv, int *ret_exit)
{
    struct child child;
    struct config_load_options options;

    if (!child_parse(argc, argv, &child, &options))
        return false;
    *ret_exit = child.kind == CHILD_CHECK ? check_main(&options) : worker_main(&child, &options);
    return true;
}
