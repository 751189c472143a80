/* SPDX-License-Identifier: MIT */
#include "backplane/arena.h"
#include "core/pipeline/pipeline.h"

/* "observe" */
static const char *pipeline_phase_name(uint32_t phase)
{
    static const char *const names[] = {"any", "observe", "protect", "identify", "shape", "reuse", "handle"};
    return names[phase < sizeof(names) / sizeof(*names) ? phase : 0];
}

static struct bp_stage_rules rules_of(const struct stage *stage)
{
    const struct bp_plugin *plugin = &stage->host->plugin;
    struct bp_stage_rules rules = {
        .size = sizeof(rules), .phase = plugin->phase, .needs_identity = plugin->needs_identity};
    if (plugin->stage_rules)
        plugin->stage_rules(stage->options, &rules);
    return rules;
}

/* What came by one "@name" was checked in the pipeline of that name: not again. */
static bool checked_elsewhere(const struct draft_item *a, const struct draft_item *b)
{
    return a->included && b->included && a->origin == b->origin;
}

static void report_pair(struct assembly *assembly, const struct draft *draft, const struct draft_item *item,
                        bp_str text)
{
    report_error(assembly->report, item->stage->place.file, item->stage->place.line,
                 bp_arena_printf(assembly->arena, "pipelines.%s", draft->config->name).ptr, "%" BP_STR_FMT,
                 BP_STR_ARG(text));
    item->stage->host->wrong = true;
}

static bool identifies(const struct draft_item *item)
{
    return item->stage->host && rules_of(item->stage).phase == BP_PHASE_IDENTIFY;
}

static bool lacks_identity(const struct draft *draft, size_t index)
{
    if (!rules_of(draft->items[index].stage).needs_identity)
        return false;
    for (size_t i = 0; i < index; i++)
        if (identifies(&draft->items[i]))
            return false;
    return true;
}

static void check_phase(struct assembly *assembly, const struct draft *draft, size_t index)
{
    const struct draft_item *item = &draft->items[index], *highest = NULL;
    uint32_t phase = rules_of(item->stage).phase, highest_phase = BP_PHASE_ANY;
    for (size_t i = 0; i < index; i++) {
        uint32_t before = draft->items[i].stage->host ? rules_of(draft->items[i].stage).phase : BP_PHASE_ANY;
        if (before > highest_phase) {
            highest = &draft->items[i];
            highest_phase = before;
        }
    }
    if (phase == BP_PHASE_ANY || phase >= highest_phase || checked_elsewhere(highest, item))
        return;
    if (identifies(item) && lacks_identity(draft, (size_t)(highest - draft->items))) /* check_identity says it better */
        return;
    report_pair(
        assembly, draft, item,
        bp_arena_printf(assembly->arena,
                        "\"%s\" (phase %s) stands behind \"%s\" (phase %s, %s:%u); the order of phases is observe, "
                        "protect, identify, shape, reuse, handle",
                        item->stage->short_name, pipeline_phase_name(phase), highest->stage->short_name,
                        pipeline_phase_name(highest_phase), highest->stage->place.file, highest->stage->place.line));
}

static bool is_listed(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static void check_after(struct assembly *assembly, const struct draft *draft, size_t index)
{
    const struct draft_item *item = &draft->items[index];
    for (size_t i = index + 1; i < draft->count; i++) {
        const struct draft_item *later = &draft->items[i];
        if (!later->stage->host || checked_elsewhere(item, later) || item->stage->host == later->stage->host ||
            !is_listed(item->stage->host->plugin.after, later->stage->host->plugin.name))
            continue;
        report_pair(assembly, draft, item,
                    bp_arena_printf(assembly->arena, "\"%s\" must stand behind \"%s\" (%s:%u)", item->stage->short_name,
                                    later->stage->short_name, later->stage->place.file, later->stage->place.line));
    }
}

static bool is_routed(const struct assembly *assembly, const char *pipeline)
{
    for (size_t i = 0; i < assembly->config->route_count; i++)
        if (strcmp(assembly->config->routes[i].pipeline, pipeline) == 0)
            return true;
    return false;
}

/* A pipeline that is only included by others may leave it to them who identifies. */
static void check_identity(struct assembly *assembly, const struct draft *draft, size_t index)
{
    const struct draft_item *item = &draft->items[index];
    if (!lacks_identity(draft, index))
        return;
    for (size_t i = index + 1; i < draft->count; i++)
        if (identifies(&draft->items[i]) && !checked_elsewhere(item, &draft->items[i])) {
            report_pair(assembly, draft, item,
                        bp_arena_printf(assembly->arena,
                                        "\"%s\" needs to know who asks, and stands before \"%s\" (%s:%u)",
                                        item->stage->short_name, draft->items[i].stage->short_name,
                                        draft->items[i].stage->place.file, draft->items[i].stage->place.line));
            return;
        }
    if (is_routed(assembly, draft->config->name))
        report_pair(assembly, draft, item,
                    bp_arena_printf(assembly->arena, "\"%s\" needs to know who asks, and no stage before it identifies",
                                    item->stage->short_name));
}

void pipelines_check_order(struct assembly *assembly, const struct draft *draft)
{
    for (size_t i = 0; i < draft->count; i++) {
        if (!draft->items[i].stage->host)
            continue;
        check_phase(assembly, draft, i);
        check_after(assembly, draft, i);
        check_identity(assembly, draft, i);
    }
}

bool pipelines_identifies(const struct draft *draft)
{
    for (size_t i = 0; i < draft->count; i++)
        if (draft->items[i].stage->host && identifies(&draft->items[i]))
            return true;
    return false;
}

static size_t count_before(const struct draft *draft, uint32_t phase)
{
    for (size_t i = 0; i < draft->count; i++)
        if (draft->items[i].stage->host && rules_of(draft->items[i].stage).phase >= phase)
            return i;
    return draft->count;
}

size_t pipelines_open_count(const struct draft *draft)
{
    return count_before(draft, BP_PHASE_IDENTIFY);
}

size_t pipelines_guard_index(const struct draft *draft)
{
    return count_before(draft, BP_PHASE_REUSE);
}
