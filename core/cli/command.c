/* SPDX-License-Identifier: MIT */
#include "core/cli/command.h"

#include <string.h>

const struct cli_command cli_commands[] = {
    {.name = "run",
     .function = cli_run,
     .doc = "Run the server until a signal ends it.",
     .details = "SIGTERM and SIGINT drain it, a second one ends it at once; SIGUSR1 opens log files again."},
    {.name = "check",
     .function = cli_check,
     .doc = "Check the configuration, every plugin and every option of it.",
     .details =
         "Every problem is reported, with file and line. A variable that is not set here is no problem: the server\n"
         "may have it. Exit status 1 when anything is wrong."},
    {.name = "plugins",
     .arguments = "[NAME]",
     .max_arguments = 1,
     .function = cli_plugins,
     .doc = "List the plugins, or the options of one.",
     .details = "NAME is that of a plugin, configured or not."},
    {.name = "routes", .function = cli_routes, .doc = "List every route, with its plugin and its pipeline."},
    {.name = "metrics",
     .function = cli_metrics,
     .doc = "List every metric, with its plugin.",
     .details = "Those of the configured plugins. The server that runs shows their values at /metrics."},
    {.name = "explain",
     .arguments = "METHOD PATH",
     .min_arguments = 2,
     .max_arguments = 2,
     .function = cli_explain,
     .doc = "Show what a request would run through, and where that is written.",
     .details = "For a path that no route answers it shows the pipeline that the 404 or 405 runs through."},
    {.name = "config options",
     .function = cli_config_options,
     .doc = "List the settings of a configuration file, but for those of plugins.",
     .details = "`backplane plugins NAME` lists those of a plugin."},
    {.name = "config print",
     .function = cli_config_print,
     .doc = "Print the configuration as it is understood, without secrets."},
    {.name = "migrate",
     .function = cli_migrate,
     .doc = "Bring the database's schema up to date.",
     .details = "Applies what is missing of each plugin's migrations, in the order of their needs, each in a "
                "transaction. One process\n"
                "at a time does so, others wait. Refused when the history in the database differs from the program's."},
    {.name = "migrate up", .function = cli_migrate, .doc = "The same."},
    {.name = "migrate status",
     .function = cli_migrate_status,
     .doc = "List the migrations, and whether the database has them.",
     .details =
         "Changes nothing. States: applied, missing, changed (its text here is another than that which was applied),\n"
         "unknown (a newer version of the program applied it). Exit status 3 unless all are applied."},
    {.name = "migrate down",
     .arguments = "[OWNER]",
     .max_arguments = 1,
     .function = cli_migrate_down,
     .doc = "Undo the newest migration, with the data it brought.",
     .details =
         "OWNER is the plugin whose it is; without, it is the one applied last. Asks nothing. Refused, before anything "
         "is\n"
         "undone, when one of them has no way back, or when the history in the database differs from the program's."},
    {.name = "migrate new",
     .arguments = "PLUGIN NAME",
     .min_arguments = 2,
     .max_arguments = 2,
     .function = cli_migrate_new,
     .doc = "Make the files of a new migration in the source tree.",
     .details = "In plugins/PLUGIN/migrations, with the next free number: NNNN_NAME.sql and NNNN_NAME.down.sql."},
    {.name = "migrate import-prisma",
     .arguments = "URL",
     .min_arguments = 1,
     .max_arguments = 1,
     .plugin = "import_prisma",
     .plugin_command = "import-prisma",
     .doc = "Copy accounts and todos of the old system, at postgresql://….",
     .details = "Into the configured database, whose schema must be up to date. Changes nothing in the old one. May be "
                "run again: what is\n"
                "there already is left as it is. Exit status 1 when anything could not be copied, which is reported "
                "row by row."},
    {.name = "auth set-role",
     .arguments = "EMAIL ROLE",
     .min_arguments = 2,
     .max_arguments = 2,
     .plugin = "auth",
     .plugin_command = "set-role",
     .doc = "Make an account an administrator, or an ordinary one again.",
     .details = "ROLE is admin or user. The server may run; it takes notice within a second. Exit status 1 when no "
                "account has the\naddress EMAIL."},
    {.name = "jobs list",
     .arguments = "[STATE]",
     .max_arguments = 1,
     .plugin = "queue",
     .plugin_command = "list",
     .doc = "List the newest 100 jobs, or those of a state.",
     .details =
         "STATE is scheduled, waiting, running, done, dead or cancelled. A line is the id, the state, the kind, the "
         "queue, the attempts\nthat were begun and may be, not before when, and why it failed the last time."},
    {.name = "jobs show",
     .arguments = "ID",
     .min_arguments = 1,
     .max_arguments = 1,
     .plugin = "queue",
     .plugin_command = "show",
     .doc = "Print one job, as JSON."},
    {.name = "jobs retry",
     .arguments = "ID",
     .min_arguments = 1,
     .max_arguments = 1,
     .plugin = "queue",
     .plugin_command = "retry",
     .doc = "Run a job now that is dead, cancelled or scheduled."},
    {.name = "jobs cancel",
     .arguments = "ID",
     .min_arguments = 1,
     .max_arguments = 1,
     .plugin = "queue",
     .plugin_command = "cancel",
     .doc = "Cancel a job; one that runs is not tried again."},
    {.name = "jobs queues",
     .plugin = "queue",
     .plugin_command = "queues",
     .doc = "List the queues, and how much is in each."},
    {.name = "jobs pause",
     .arguments = "QUEUE",
     .min_arguments = 1,
     .max_arguments = 1,
     .plugin = "queue",
     .plugin_command = "pause",
     .doc = "Begin no job of a queue any more, in any replica."},
    {.name = "jobs resume",
     .arguments = "QUEUE",
     .min_arguments = 1,
     .max_arguments = 1,
     .plugin = "queue",
     .plugin_command = "resume",
     .doc = "Go on with a queue."},
    {.name = "events reset",
     .plugin = "events",
     .plugin_command = "reset",
     .doc = "After the database was restored: tell clients to read everything again.",
     .details =
         "Moves the positions of events up by a billion, so that those that clients have are none that are known. "
         "Stop the servers\nfirst. Of consumers (webhooks, reminders) none misses anything."},
    {.name = "backup",
     .arguments = "FILE",
     .min_arguments = 1,
     .max_arguments = 1,
     .function = cli_backup,
     .doc = "Copy the live database into a new file.",
     .details = "FILE must not exist yet."},
    {.name = "health",
     .function = cli_health,
     .doc = "Ask the running server whether it is ready.",
     .details = "Sends GET /health/ready to the first listener that serves it. Exit status 0 when the answer is 200."},
    {.name = "reload",
     .function = cli_reload,
     .doc = "Have the running server take over its configuration, without losing a request.",
     .details = "Also plugins and the executable, as they are on disk. Returns when that is done, or says why it was "
                "not, with exit status\n"
                "1: then everything goes on as before. Asks at admin.sock in the data folder, so it must run as the "
                "server's user."},
    {.name = "status",
     .function = cli_status,
     .doc = "Show the running server: its workers, its listeners, its last reload.",
     .details = "Asks at admin.sock in the data folder, so it must run as the server's user."},
    {.name = "errors",
     .function = cli_errors,
     .doc = "List what went wrong in the running server, grouped.",
     .details = "By plugin, route and code, the latest first: how often, and the last one's message and request id or "
                "trace id.\n"
                "Counts replies from 500 on, streams that were cut, and workers that died, since the server's start."},
    {.name = "top",
     .function = cli_top,
     .doc = "Watch the running server: rate, latency and errors by route and plugin.",
     .details =
         "A view of the terminal, each second anew; q ends it. Asks at admin.sock in the data folder, so it must run "
         "as the\n"
         "server's user. Rates and latencies are those of the last second, from the metrics of the plugin metrics."},
    {.name = "version", .function = cli_version, .doc = "Print the version."},
    {.name = NULL}};

static const struct cli_option cli_option_table[] = {
    {"-c, --config", "FILE", NULL, "the configuration file"},
    {"--set", "PATH=VALUE", NULL, "replace one value: server.workers=2, plugins.auth.secret=…; repeatable"},
    {"--json", NULL, "check", "print the result as JSON"},
    {"--json", NULL, "migrate status", "print it as JSON"},
    {"--json", NULL, "reload", "print the result as JSON"},
    {"--json", NULL, "status", "print it as JSON"},
    {"--json", NULL, "errors", "print it as JSON"},
    {"--once", NULL, "top", "print one frame, of one second, and end"},
    {"--to", "VERSION", "migrate down", "undo all of OWNER's that are newer; 0: all"},
    {"--steps", "N", "migrate down", "undo so many"},
    {"--markdown", NULL, "plugins", "print the options of NAME as a table for its README"},
    {"--markdown", NULL, "metrics", "print them as a table for docs/reference/metrics.md"},
    {"--markdown", NULL, "config options", "print them as tables for docs/configuration.md"},
    {"-h, --help", NULL, NULL, "print this help"},
    {"--version", NULL, NULL, "print the version"},
    {NULL, NULL, NULL, NULL}};

static void print_option(FILE *out, const struct cli_option *option)
{
    char left[40];
    snprintf(left, sizeof(left), "%s%s%s", option->names, option->argument ? " " : "",
             option->argument ? option->argument : "");
    fprintf(out, "  %-26s %s\n", left, option->doc);
}

static void print_all(FILE *out)
{
    fputs("usage: backplane [-c FILE] [--set PATH=VALUE]… COMMAND\n\n"
          "A modular HTTP/JSON API server.\n\ncommands:\n",
          out);
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        char left[40];
        snprintf(left, sizeof(left), "%s%s%s", command->name, command->arguments ? " " : "",
                 command->arguments ? command->arguments : "");
        fprintf(out, "  %-26s %s\n", left, command->doc);
    }
    fputs("\noptions:\n", out);
    for (const struct cli_option *option = cli_option_table; option->names; option++)
        if (!option->command)
            print_option(out, option);
    fputs("\n`backplane COMMAND --help` says more. Exit status: 0 done, 1 failed, 2 not understood.\n", out);
}

void cli_print_help(FILE *out, const struct cli_command *command)
{
    if (!command) {
        print_all(out);
        return;
    }
    fprintf(out, "usage: backplane %s%s%s [OPTION]…\n\n%s\n", command->name, command->arguments ? " " : "",
            command->arguments ? command->arguments : "", command->doc);
    if (command->details)
        fprintf(out, "%s\n", command->details);
    fputs("\noptions:\n", out);
    for (const struct cli_option *option = cli_option_table; option->names; option++)
        if (!option->command || strcmp(option->command, command->name) == 0)
            print_option(out, option);
}
