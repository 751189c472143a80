/* SPDX-License-Identifier: MIT */
#include "core/database/tags.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Of this process: a worker runs one assembly. */
static struct bp_service providers[TAG_PROVIDERS];
static size_t provider_count;

void tags_use(const struct assembly *assembly)
{
    provider_count = 0;
    for (size_t i = 0; i < assembly->host_count && provider_count < TAG_PROVIDERS; i++) {
        const struct bp_host *host = assembly->hosts[i];
        for (const struct bp_provide *provide = host->plugin.provides; provide && provide->size; provide++)
            if (strcmp(provide->interface, BP_CACHE_TAGS) == 0 && provide->version == BP_CACHE_TAGS_VERSION)
                providers[provider_count++] = (struct bp_service){provide->vtable, host->self};
    }
}

void tags_forget(void)
{
    provider_count = 0;
}

bool tags_wanted(void)
{
    return provider_count > 0;
}

static const struct bp_cache_tags_vtable *vtable_of(size_t provider)
{
    return (const struct bp_cache_tags_vtable *)providers[provider].vtable;
}

static bool add(struct tag_mark *mark, bp_str text)
{
    if (text.len > sizeof(mark->text) - mark->len)
        return false;
    memcpy(mark->text + mark->len, text.ptr, text.len);
    mark->len += text.len;
    return true;
}

static bool add_value(struct tag_mark *mark, const struct bp_db_value *value)
{
    char text[BP_UUID_LEN];
    int len;
    switch (value->type) {
    case BP_TYPE_UUID:
        bp_uuid_format(&value->as.uuid, text);
        return add(mark, bp_str_n(text, BP_UUID_LEN));
    case BP_TYPE_TEXT:
        return value->as.text.ptr && add(mark, value->as.text);
    case BP_TYPE_I64:
        len = snprintf(text, sizeof(text), "%" PRId64, value->as.integer);
        return add(mark, bp_str_n(text, (size_t)len));
    default:
        return false;
    }
}

bool tags_expand(const char *tag, const struct bp_db_value *values, size_t count, struct tag_mark *ret_mark)
{
    struct tag_mark *mark = ret_mark;
    mark->len = 0;
    for (const char *dollar = strchr(tag, '$'); dollar; dollar = strchr(tag, '$')) {
        char *end;
        unsigned long number = strtoul(dollar + 1, &end, 10);
        if (number < 1 || number > count || !add(mark, bp_str_n(tag, (size_t)(dollar - tag))) ||
            !add_value(mark, &values[number - 1]))
            return false;
        tag = end;
    }
    return add(mark, bp_str_of(tag));
}

void tags_write_begin(struct tag_mark *mark)
{
    for (size_t i = 0; i < provider_count; i++)
        mark->marks[i] = vtable_of(i)->write_begin(providers[i].self, bp_str_n(mark->text, mark->len));
}

void tags_write_end(const struct tag_mark *mark, bool took_place)
{
    for (size_t i = 0; i < provider_count; i++)
        vtable_of(i)->write_end(providers[i].self, bp_str_n(mark->text, mark->len), mark->marks[i], took_place);
}
