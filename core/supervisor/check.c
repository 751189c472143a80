/* SPDX-License-Identifier: MIT */
/* The one-shot process before a start or a reload: everything that can be known to be wrong is said before a socket opens. */

#include <errno.h>
#include <unistd.h>

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

/* To who asked for a reload, else to standard error. */
static void say(const struct child *child, const char *text, size_t len)
{
    int fd = child->control_fd >= 0 ? child->control_fd : STDERR_FILENO;
    while (len > 0) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno != EINTR)
            return;
        text += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
}

/* Loads the whole configuration with its plugins, asks them what a start needs, then brings the schema up to date. The exit code. */
static int check_main(const struct child *child, const struct config_load_options *options)
{
    struct report report = {0};
    struct config *config = NULL;
    struct shared *shared = NULL;
    struct assembly *assembly = NULL;
    unsigned applied;

    crash_handler_install();
    int r = put_together(options, &report, &config, &shared, &assembly);
    if (report.text.len == 0 && r != 0)
        buffer_printf(&report.text, "backplane: the check failed: %s\n", bp_status_name(r));
    say(child, report.text.ptr, report.text.len);
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
    *ret_exit = child.kind == CHILD_CHECK ? check_main(&child, &options) : worker_main(&child, &options);
    return true;
}
