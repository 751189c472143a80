/* SPDX-License-Identifier: MIT */
#include "backplane/arena.h"
#include "backplane/status.h"
#include "core/pipeline/pipeline.h"
#include "core/schema/schema.h"

struct expansion {
    struct assembly *assembly;
    struct draft *drafts;
    size_t count;
    struct draft **path; /* the drafts being expanded, outermost first */
    size_t path_len;
};

static int expand(struct expansion *expansion, struct draft *draft);

static void report_entry(struct expansion *expansion, const struct draft *draft, const struct config_entry *entry,
                         bp_str text)
{
    struct assembly *assembly = expansion->assembly;
    report_error(assembly->report, entry->stage.place.file, entry->stage.place.line,
                 bp_arena_printf(assembly->arena, "pipelines.%s", draft->config->name).ptr, "%" BP_STR_FMT,
                 BP_STR_ARG(text));
}

#define REPORT(expansion, draft, entry, ...) \
    report_entry((expansion), (draft), (entry), bp_arena_printf((expansion)->assembly->arena, __VA_ARGS__))

static int append(struct expansion *expansion, struct draft *draft, struct draft_item item)
{
    if (draft->count == draft->cap) {
        size_t cap = draft->cap ? 2 * draft->cap : 16;
        struct draft_item *items = bp_arena_array(expansion->assembly->arena, cap, sizeof(*items));
        if (!items)
            return BP_NOMEM;
        if (draft->count)
            memcpy(items, draft->items, draft->count * sizeof(*items));
        draft->items = items;
        draft->cap = cap;
    }
    draft->items[draft->count++] = item;
    return 0;
}

static struct draft_item *find_item(const struct draft *draft, const char *short_name)
{
    for (size_t i = 0; i < draft->count; i++)
        if (strcmp(draft->items[i].stage->short_name, short_name) == 0)
            return &draft->items[i];
    return NULL;
}

/* "a -> b -> a" */
static void report_circle(struct expansion *expansion, const struct draft *draft, const struct config_entry *entry)
{
    struct buffer text = {0};
    size_t from = 0;
    while (strcmp(expansion->path[from]->config->name, entry->stage.use) != 0)
        from++;
    for (size_t i = from; i < expansion->path_len; i++)
        buffer_printf(&text, "%s -> ", expansion->path[i]->config->name);
    REPORT(expansion, draft, entry, "includes itself in a circle: %" BP_STR_FMT "%s", BP_STR_ARG(buffer_str(&text)),
           entry->stage.use);
    buffer_deinit(&text);
}

static int include(struct expansion *expansion, struct draft *draft, size_t index)
{
    const struct config_entry *entry = &draft->config->entries[index];
    struct draft *other = NULL;
    for (size_t i = 0; i < expansion->count && !other; i++)
        if (strcmp(expansion->drafts[i].config->name, entry->stage.use) == 0)
            other = &expansion->drafts[i];
    if (!other) /* reported, or a placeholder */
        return 0;
    if (other->state == DRAFT_OPEN) {
        report_circle(expansion, draft, entry);
        return 0;
    }
    int status = expand(expansion, other);
    for (size_t i = 0; i < other->count && status == 0; i++) {
        const struct stage *stage = other->items[i].stage;
        const struct draft_item *twin = find_item(draft, stage->short_name);
        if (twin)
            REPORT(expansion, draft, entry, "\"@%s\" brings a stage \"%s\" (%s:%u), which is there already (%s:%u)",
                   entry->stage.use, stage->short_name, stage->place.file, stage->place.line, twin->stage->place.file,
                   twin->stage->place.line);
        else
            status = append(expansion, draft, (struct draft_item){.stage = stage, .origin = index, .included = true});
    }
    return status;
}

static const char *nearest_stage(struct expansion *expansion, const struct draft *draft, const char *name)
{
    const char **names = bp_arena_array(expansion->assembly->arena, draft->count + 1, sizeof(*names));
    for (size_t i = 0; names && i < draft->count; i++)
        names[i] = draft->items[i].stage->short_name;
    return names ? nearest_name(bp_str_of(name), names, draft->count) : NULL;
}

static void take_out(struct expansion *expansion, struct draft *draft, size_t index)
{
    const struct config_entry *entry = &draft->config->entries[index];
    struct draft_item *item = find_item(draft, entry->stage.use);
    if (!entry->stage.use[0]) {
        return; /* a placeholder */
    } else if (!item) {
        const char *nearest = nearest_stage(expansion, draft, entry->stage.use);
        REPORT(expansion, draft, entry, "\"-%s\" takes out nothing: no stage before it has this name%s%s%s",
               entry->stage.use, nearest ? "; did you mean \"-" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    } else if (!item->included) {
        REPORT(expansion, draft, entry, "\"-%s\" takes out what this pipeline itself put in (%s:%u)", entry->stage.use,
               item->stage->place.file, item->stage->place.line);
    } else if (item->stage->locked) {
        REPORT(expansion, draft, entry, "\"-%s\" takes out a locked stage (%s:%u)", entry->stage.use,
               item->stage->place.file, item->stage->place.line);
    } else {
        size_t place = (size_t)(item - draft->items);
        memmove(item, item + 1, (draft->count - place - 1) * sizeof(*item));
        draft->count--;
    }
}

static int put_in(struct expansion *expansion, struct draft *draft, size_t index)
{
    const struct config_entry *entry = &draft->config->entries[index];
    const struct stage *stage = draft->written[index];
    if (!stage)
        return 0;
    struct draft_item *item = find_item(draft, stage->short_name);
    const struct draft_item own = {.stage = stage, .origin = index, .included = false};
    if (!item)
        return append(expansion, draft, own);
    if (!item->included) {
        /* Without an `as` the full names are equal too, and that was reported. */
        if (!bp_str_eq(item->stage->name, stage->name))
            REPORT(expansion, draft, entry, "a stage named \"%s\" is in this pipeline already (%s:%u)",
                   stage->short_name, item->stage->place.file, item->stage->place.line);
    } else if (item->stage->locked) {
        REPORT(expansion, draft, entry, "\"%s\" replaces a locked stage (%s:%u)", stage->short_name,
               item->stage->place.file, item->stage->place.line);
    } else {
        /* Another stage of the same `as`: its state is its own. */
        if (bp_str_eq(item->stage->name, stage->name)) {
            bp_str name = bp_arena_printf(expansion->assembly->arena, "%s.%s", draft->config->name, stage->short_name);
            if (!name.ptr)
                return BP_NOMEM;
            expansion->assembly->stages[stage - expansion->assembly->stages].name = name;
        }
        *item = own;
    }
    return 0;
}

/* As deep as includes are nested: bounded by the number of pipelines. */
static int expand(struct expansion *expansion, struct draft *draft)
{
    int status = 0;
    if (draft->state != DRAFT_NEW)
        return 0;
    draft->state = DRAFT_OPEN;
    expansion->path[expansion->path_len++] = draft;
    for (size_t i = 0; i < draft->config->entry_count && status == 0; i++)
        switch (draft->config->entries[i].kind) {
        case CONFIG_ENTRY_INCLUDE:
            status = include(expansion, draft, i);
            break;
        case CONFIG_ENTRY_REMOVE:
            take_out(expansion, draft, i);
            break;
        case CONFIG_ENTRY_STAGE:
            status = put_in(expansion, draft, i);
            break;
        }
    expansion->path_len--;
    draft->state = DRAFT_DONE;
    return status;
}

int pipelines_expand(struct assembly *assembly, struct draft *drafts, size_t count)
{
    struct expansion expansion = {.assembly = assembly, .drafts = drafts, .count = count};
    int status = 0;
    expansion.path = bp_arena_array(assembly->arena, count + 1, sizeof(*expansion.path));
    if (!expansion.path)
        return BP_NOMEM;
    for (size_t i = 0; i < count && status == 0; i++)
        status = expand(&expansion, &drafts[i]);
    return status;
}
