/* SPDX-License-Identifier: MIT */
#include "core/database/tags.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

static bool expand(bp_str tag, const struct bp_db_value *values, size_t count, struct tag_mark *mark)
{
    const char *end = tag.ptr + tag.len;
    mark->len = 0;
    for (const char *at = tag.ptr, *dollar; at < end; at = dollar) {
        size_t number = 0;
        dollar = memchr(at, '$', (size_t)(end - at));
        if (!dollar)
            return add(mark, bp_str_n(at, (size_t)(end - at)));
        if (!add(mark, bp_str_n(at, (size_t)(dollar - at))))
            return false;
        for (dollar++; dollar < end && *dollar >= '0' && *dollar <= '9' && number <= count; dollar++)
            number = number * 10 + (size_t)(*dollar - '0');
        if (number < 1 || number > count || !add_value(mark, &values[number - 1]))
            return false;
    }
    return mark->len > 0;
}

size_t tags_expand(const char *tags, const struct bp_db_value *values, size_t count,
                   struct tag_mark ret_marks[TAGS_MAX])
{
    size_t len, found = 0;
    for (; *tags; tags += len + (tags[len] == ' ')) {
        len = strcspn(tags, " ");
        if (found == TAGS_MAX || !expand(bp_str_n(tags, len), values, count, &ret_marks[found++]))
            return 0;
    }
    return found;
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
