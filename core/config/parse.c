/* SPDX-License-Identifier: MIT */
#include "core/config/parse.h"

#include <libconfig.h>

static struct config_place place_of(const struct source *source, unsigned line)
{
    if (source->line_count == 0)
        return (struct config_place){0};
    size_t n = line == 0 ? 0 : line - 1;
    return source->lines[n < source->line_count ? n : source->line_count - 1];
}

/* Recursion: at most CONFIG_DEPTH_MAX, which the scan enforced. */
static bool convert(struct loader *loader, const struct source *source, const config_setting_t *from,
                    struct config_setting *to)
{
    to->place = place_of(source, from->line);
    if (from->name) {
        to->name = loader_copy(loader, bp_str_of(from->name)).ptr;
        if (!to->name)
            return false;
    }
    switch (config_setting_type(from)) {
    case CONFIG_TYPE_INT:
        to->kind = CONFIG_INTEGER;
        to->integer = from->value.ival;
        return true;
    case CONFIG_TYPE_INT64:
        to->kind = CONFIG_INTEGER;
        to->integer = from->value.llval;
        return true;
    case CONFIG_TYPE_FLOAT:
        to->kind = CONFIG_NUMBER;
        to->number = from->value.fval;
        return true;
    case CONFIG_TYPE_BOOL:
        to->kind = CONFIG_BOOL;
        to->boolean = from->value.ival != 0;
        return true;
    case CONFIG_TYPE_STRING:
        to->kind = CONFIG_TEXT;
        to->text = loader_copy(loader, bp_str_of(from->value.sval ? from->value.sval : ""));
        /* What was reported once is not reported again as a value of the wrong form; the load fails anyway. */
        to->missing_environment = loader->report->errors > 0 && bp_str_is(to->text, "\001unreadable");
        return to->text.ptr != NULL;
    case CONFIG_TYPE_GROUP:
        to->kind = CONFIG_GROUP;
        break;
    default:
        to->kind = CONFIG_LIST;
        break;
    }
    unsigned count = (unsigned)config_setting_length(from);
    to->items = loader_alloc(loader, count, sizeof(*to->items));
    if (count > 0 && !to->items)
        return false;
    to->item_count = count;
    for (unsigned i = 0; i < count; i++)
        if (!convert(loader, source, config_setting_get_elem(from, i), &to->items[i]))
            return false;
    return true;
}

/* The line that libconfig stumbled over, up to the first quote: what stands in quotes may be a secret. */
static bp_str near_text(const struct source *source, unsigned line)
{
    const char *at = source->text.ptr, *end;
    for (unsigned i = 1; i < line && *at; i++) {
        const char *next = strchr(at, '\n');
        if (!next)
            break;
        at = next + 1;
    }
    end = at + strcspn(at, "\"\n");
    return bp_str_trim(bp_str_n(at, (size_t)(end - at)));
}

bool parse_source(struct loader *loader, const struct source *source, struct config_setting *ret_root)
{
    config_t parsed;
    config_init(&parsed);
    bool fine = config_read_string(&parsed, source->text.ptr);
    if (fine) {
        fine = convert(loader, source, config_root_setting(&parsed), ret_root);
    } else {
        unsigned line = config_error_line(&parsed) > 0 ? (unsigned)config_error_line(&parsed) : 1;
        struct config_place place = place_of(source, line);
        bp_str near = near_text(source, line);
        const char *text = config_error_text(&parsed) ? config_error_text(&parsed) : "cannot be parsed";
        if (strcmp(text, "duplicate setting name") == 0)
            loader_error(loader, place, NULL, "\"%" BP_STR_FMT "\" is set twice in the same group", BP_STR_ARG(near));
        else if (line > source->line_count)
            loader_error(loader, place, NULL, "%s: the file ends too early", text);
        else if (near.len > 0)
            loader_error(loader, place, NULL, "%s near \"%" BP_STR_FMT "\"", text, BP_STR_ARG(near));
        else
            loader_error(loader, place, NULL, "%s near a text in quotes", text);
    }
    config_destroy(&parsed);
    return fine;
}
