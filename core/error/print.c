/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "core/error/table.h"
#include "core/schema/schema.h"

#define TRIES 16 /* for a sample that is being written; whoever writes it may have died */

struct found {
    const struct error_group *group;
    bp_date last;
};

static int later_first(const void *left, const void *right)
{
    const struct found *a = left, *b = right;
    return (a->last < b->last) - (a->last > b->last);
}

static size_t gather(const struct errors *errors, struct found *found)
{
    uint32_t used = atomic_load_explicit(&errors->used, memory_order_acquire);
    if (used > ERRORS_GROUPS)
        used = ERRORS_GROUPS;
    for (uint32_t i = 0; i < used; i++)
        found[i] =
            (struct found){&errors->groups[i], atomic_load_explicit(&errors->groups[i].last, memory_order_relaxed)};
    return used;
}

/* A whole one, or an empty one. */
static void read_sample(const struct error_group *group, struct error_last *ret_sample)
{
    for (int i = 0; i < TRIES; i++) {
        uint32_t before = atomic_load_explicit(&group->sequence, memory_order_acquire);
        *ret_sample = group->sample;
        atomic_thread_fence(memory_order_acquire);
        if (!(before & 1) && atomic_load_explicit(&group->sequence, memory_order_relaxed) == before)
            return;
    }
    *ret_sample = (struct error_last){0};
}

static void add_text(struct buffer *out, const char *name, const char *text, size_t size)
{
    buffer_printf(out, ",\"%s\":", name);
    schema_encode_text(bp_str_n(text, strnlen(text, size)), out);
}

static void add_date(struct buffer *out, const char *name, bp_date date)
{
    char text[BP_DATE_LEN];
    bp_date_format(date, text);
    buffer_printf(out, ",\"%s\":\"%.*s\"", name, BP_DATE_LEN, text);
}

static void add_group(struct buffer *out, const struct error_group *group, bp_date last)
{
    struct error_last sample;

    read_sample(group, &sample);
    buffer_printf(out, "{\"count\":%llu",
                  (unsigned long long)atomic_load_explicit(&group->count, memory_order_relaxed));
    add_text(out, "plugin", group->key.plugin, sizeof(group->key.plugin));
    add_text(out, "route", group->key.route, sizeof(group->key.route));
    add_text(out, "code", group->key.code, sizeof(group->key.code));
    add_date(out, "first", atomic_load_explicit(&group->first, memory_order_relaxed));
    add_date(out, "last", last);
    add_text(out, "message", sample.message, sizeof(sample.message));
    add_text(out, "request_id", sample.request_id, sizeof(sample.request_id));
    add_text(out, "trace_id", sample.trace_id, sizeof(sample.trace_id));
    buffer_add_char(out, '}');
}

void errors_write(const struct errors *shared, const struct errors *own, struct buffer *out)
{
    struct found *found = calloc((size_t)2 * ERRORS_GROUPS, sizeof(*found));
    if (!found) {
        out->failed = true;
        return;
    }
    size_t count = gather(shared, found);
    count += gather(own, found + count);
    qsort(found, count, sizeof(*found), later_first);
    buffer_add(out, BP_STR("{\"errors\":["));
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_add_char(out, ',');
        add_group(out, found[i].group, found[i].last);
    }
    buffer_printf(out, "],\"overflow\":%llu}",
                  (unsigned long long)(atomic_load_explicit(&shared->overflow, memory_order_relaxed) +
                                       atomic_load_explicit(&own->overflow, memory_order_relaxed)));
    free(found);
}
