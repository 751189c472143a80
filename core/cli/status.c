/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "core/cli/admin.h"
#include "core/cli/table.h"

static long long number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void print_workers(const json_t *workers)
{
    const json_t *worker;
    struct table table = {.columns = 6};
    size_t i;

    table_row(&table, (const char *const[]){"KIND", "WORKER", "PID", "STATE", "UP", "RESTARTS"});
    json_array_foreach(workers, i, worker)
    {
        char index[24], pid[24] = "-", uptime[24] = "-", restarts[24];
        (void)snprintf(index, sizeof(index), "%lld", number(worker, "worker"));
        (void)snprintf(restarts, sizeof(restarts), "%lld", number(worker, "restarts"));
        if (json_object_get(worker, "pid")) {
            (void)snprintf(pid, sizeof(pid), "%lld", number(worker, "pid"));
            (void)snprintf(uptime, sizeof(uptime), "%llds", number(worker, "uptime_seconds"));
        }
        table_row(&table, (const char *const[]){cli_admin_text(worker, "kind"), index, pid,
                                                cli_admin_text(worker, "state"), uptime, restarts});
    }
    table_print(&table, "", stdout);
    table_deinit(&table);
}

static void print(const json_t *root)
{
    const json_t *listener, *quarantined;
    size_t i;

    printf("Backplane %s is %s (pid %lld, since %s)\n", cli_admin_text(root, "version"), cli_admin_text(root, "state"),
           number(root, "pid"), cli_admin_text(root, "started"));
    json_array_foreach(json_object_get(root, "listeners"), i, listener)
    {
        const char *name = cli_admin_text(listener, "name");
        printf("listening on %s%s%s\n", cli_admin_text(listener, "url"), *name ? " for " : "", name);
    }
    print_workers(json_object_get(root, "workers"));
    json_array_foreach(json_object_get(root, "quarantined"), i, quarantined)
    {
        printf("left out, as it kept crashing workers: %s\n", json_string_value(quarantined));
    }
    if (number(root, "reloads") > 0)
        printf("reloaded %lld time%s, last at %s\n", number(root, "reloads"), number(root, "reloads") == 1 ? "" : "s",
               cli_admin_text(root, "loaded"));
    const json_t *refused = json_object_get(root, "refused");
    if (json_is_object(refused))
        printf("the last reload, at %s, was refused:\n%s\n", cli_admin_text(refused, "time"),
               cli_admin_text(refused, "reason"));
}

int cli_status(const struct cli_options *options)
{
    return cli_admin_show(options, "status", print);
}
