/* SPDX-License-Identifier: MIT */
#include "backplane/arena.h"
#include "core/cli/load.h"
#include "core/cli/table.h"
#include "core/metric/metric.h"

static const char *type_name(uint32_t type)
{
    return type == BP_COUNTER ? "counter" : type == BP_GAUGE ? "gauge" : "histogram";
}

static const char *labels_of(const struct bp_metric_def *def, const char *quote, struct bp_arena *arena)
{
    const char *labels = "-";
    for (unsigned i = 0; i < BP_METRIC_LABELS && def->labels[i]; i++)
        labels = bp_arena_printf(arena, "%s%s%s%s%s", i ? labels : "", i ? ", " : "", quote, def->labels[i], quote).ptr;
    return labels;
}

static void print(const struct cli_loaded *loaded, bool markdown)
{
    const char *quote = markdown ? "`" : "";
    struct bp_arena *arena = loaded->assembly->arena;
    struct table table = {.columns = 6};
    table_row(&table, markdown ? (const char *const[]){"Metric", "Type", "Unit", "Labels", "Plugin", "What it is"}
                               : (const char *const[]){"METRIC", "TYPE", "UNIT", "LABELS", "PLUGIN", "WHAT IT IS"});
    for (const struct bp_metric *metric = metrics_first(loaded->shared); metric; metric = metrics_next(metric))
        table_row(&table, (const char *const[]){bp_arena_printf(arena, "%s%s%s", quote, metric->def.name, quote).ptr,
                                                type_name(metric->def.type),
                                                metric_unit(&metric->def) ? metric_unit(&metric->def) : "1",
                                                labels_of(&metric->def, quote, arena),
                                                metric->plugin ? metric->plugin : "core", metric->def.help});
    if (markdown)
        table_print_markdown(&table, stdout);
    else
        table_print(&table, "", stdout);
    table_deinit(&table);
}

/* Every init has been called, and all metrics are defined there. */
int cli_metrics(const struct cli_options *options)
{
    struct cli_loaded loaded;
    bool fine = cli_load_or_say(options, "metrics", &loaded);
    if (fine)
        print(&loaded, options->markdown);
    cli_unload(&loaded);
    return fine ? CLI_OK : CLI_FAILED;
}
