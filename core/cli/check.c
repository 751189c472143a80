/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "core/cli/load.h"
#include "core/schema/schema.h"

struct counts {
    size_t plugins, pipelines, routes;
};

static struct counts count(const struct cli_loaded *loaded)
{
    struct counts counts = {0};
    if (loaded->assembly) {
        counts.plugins = loaded->assembly->host_count;
        counts.pipelines = loaded->assembly->pipeline_count;
        counts.routes = loaded->assembly->endpoint_count;
    }
    return counts;
}

static const char *plural(size_t number)
{
    return number == 1 ? "" : "s";
}

static void print_text(const struct cli_loaded *loaded, bool fine)
{
    struct counts counts = count(loaded);
    const struct report *report = &loaded->report;
    cli_print_report(report);
    if (!fine)
        fprintf(stderr, "configuration refused: %u error%s, %u warning%s\n", report->errors, plural(report->errors),
                report->warnings, plural(report->warnings));
    else
        printf("configuration OK: %zu plugin%s, %zu pipeline%s, %zu route%s\n", counts.plugins, plural(counts.plugins),
               counts.pipelines, plural(counts.pipelines), counts.routes, plural(counts.routes));
}

static void print_json(const struct cli_loaded *loaded, bool fine)
{
    struct counts counts = count(loaded);
    struct buffer out = {0};
    bp_str rest = buffer_str(&loaded->report.text);
    buffer_printf(&out, "{\"ok\":%s,\"errors\":%u,\"warnings\":%u,\"plugins\":%zu,\"pipelines\":%zu,\"routes\":%zu,",
                  fine ? "true" : "false", loaded->report.errors, loaded->report.warnings, counts.plugins,
                  counts.pipelines, counts.routes);
    buffer_add(&out, BP_STR("\"problems\":["));
    while (rest.len > 0) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        if (rest.ptr != loaded->report.text.ptr)
            buffer_add_char(&out, ',');
        schema_encode_text(bp_str_n(rest.ptr, len), &out);
        rest = bp_str_n(rest.ptr + len + (end != NULL), rest.len - len - (end != NULL));
    }
    buffer_add(&out, BP_STR("]}\n"));
    fwrite(out.ptr, 1, out.len, stdout);
    buffer_deinit(&out);
}

int cli_check(const struct cli_options *options)
{
    struct cli_loaded loaded;
    bool fine = cli_load(options, "check", &loaded);
    if (options->json)
        print_json(&loaded, fine);
    else
        print_text(&loaded, fine);
    cli_unload(&loaded);
    return fine ? CLI_OK : CLI_FAILED;
}
