/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>

#include "record.h"

static const struct bp_tracer_vtable vtable = {.size = sizeof(vtable)};
static const struct record_limits limits = {.spans = 4, .attributes = 3, .links = 2, .text = 16, .bytes = 32768};
static const struct bp_trace_context context = {.trace_id = {1}, .span_id = {2}, .flags = 1};

static struct record *begin(struct recorder *recorder)
{
    recorder_init(recorder, &limits, &vtable);
    struct record *record = record_new(recorder, &context, BP_STR("root"), BP_TRACE_SERVER, 100);
    cr_assert(record);
    record->of_request = true;
    return record;
}

Test(record, parts)
{
    struct recorder recorder = {0};
    struct record *record = begin(&recorder);
    struct bp_trace_span *root = &record->root->base;
    struct bp_trace_span *child = record_begin(root, BP_STR("child"), BP_TRACE_CLIENT, 200);
    struct bp_trace_span *grandchild = record_begin(child, BP_STR("a name that is too long"), BP_TRACE_INTERNAL, 300);
    struct span *last = (struct span *)(void *)grandchild;
    cr_expect_eq(memcmp(child->context.trace_id, context.trace_id, 16), 0);
    cr_expect_neq(memcmp(child->context.span_id, context.span_id, 8), 0);
    cr_expect_eq(memcmp(last->parent_id, child->context.span_id, 8), 0);
    cr_expect(last->has_parent && !last->parent_is_remote && !record->root->has_parent);
    cr_expect_eq(child->context.flags, 1);
    cr_expect(bp_str_is(last->name, "a name that is t"));
    record_rename(grandchild, BP_STR("other"));
    cr_expect(bp_str_is(last->name, "other"));
    record_end(grandchild, 400);
    cr_expect_eq(last->ended, 400);
    cr_expect(record_begin(root, BP_STR("d"), BP_TRACE_CLIENT, 1) && record->span_count == 4);
    cr_expect_null(record_begin(root, BP_STR("e"), BP_TRACE_CLIENT, 1));
    cr_expect_eq(recorder.dropped, 1);
    record_free(record);
    cr_expect_eq(recorder.free_count, 1); /* to be used again */
    recorder_deinit(&recorder);
    cr_expect_null(record_free(NULL));
}

Test(record, attributes)
{
    struct recorder recorder = {0};
    struct record *record = begin(&recorder);
    struct bp_trace_span *root = &record->root->base;
    char value[] = "value";
    record_text(root, "a", bp_str_of(value), false);
    value[0] = 'X';
    cr_expect(bp_str_is(record->root->attributes->as.text, "value"));
    record_text(root, "a", BP_STR("bad \xff"), true); /* in its place */
    cr_expect(bp_str_is(record->root->attributes->as.text, "bad \xef\xbf\xbd"));
    cr_expect_eq(record->root->attribute_count, 1);
    record_integer(root, "b", -1);
    record_boolean(root, "c", true);
    cr_expect_eq(record->root->attributes->next->as.integer, -1);
    cr_expect(record->root->attributes->next->next->as.boolean);
    record_integer(root, "d", 1);
    cr_expect_eq(record->root->dropped_attributes, 1);
    cr_expect_not(record->root->failed);
    record_error(root, "BP_BUSY"); /* its attribute finds no room; that it failed stays */
    cr_expect(record->root->failed);
    cr_expect_eq(record->root->dropped_attributes, 2);
    for (unsigned i = 0; i < 3; i++)
        record_link(root, &(struct bp_trace_context){.span_id = {(uint8_t)i}, .state = {"a=b", 3}});
    cr_expect_eq(record->root->link_count, 2);
    cr_expect_eq(record->root->dropped_links, 1);
    cr_expect_eq(record->root->links->next->context.span_id[0], 1);
    cr_expect(bp_str_is(record->root->links->context.state, "a=b"));
    record_free(record);
    recorder_deinit(&recorder);
}

/* However much is asked for, a trace holds what it may. */
Test(record, memory_is_bounded)
{
    struct recorder recorder = {0};
    struct record *record = begin(&recorder);
    size_t got = 0;
    recorder.limits.text = 1 << 20;
    while (record_alloc(record, 1000))
        got += 1000;
    cr_expect(got > 28000 && got < 48000, "%zu", got);
    cr_expect_null(record_alloc(record, 1 << 20));
    unsigned children = 0; /* in what is left of the last chunk */
    while (record_begin(&record->root->base, BP_STR("child"), BP_TRACE_CLIENT, 1))
        children++;
    cr_expect_leq(children, 3);
    cr_expect_eq(recorder.dropped, 1);
    static char big[100000];
    memset(big, 'b', sizeof(big));
    record_text(&record->root->base, "big", bp_str_n(big, sizeof(big)), false);
    cr_expect_eq(record->root->dropped_attributes, 1);
    record_text(&record->root->base, "big", bp_str_n(big, sizeof(big)), true); /* borrowed: takes none */
    cr_expect_eq(record->root->attributes->as.text.len, sizeof(big));
    record_free(record);
    recorder_deinit(&recorder);
}

static unsigned ended;
static void count_end(struct record *record, void *argument)
{
    (void)argument;
    ended++;
    record_free(record);
}

Test(record, a_root_without_a_request_ends_by_itself)
{
    struct recorder recorder = {.ended = count_end};
    struct record *record = begin(&recorder);
    record->of_request = false;
    struct bp_trace_span *child = record_begin(&record->root->base, BP_STR("c"), BP_TRACE_CLIENT, 1);
    record_end(child, 2);
    cr_expect_eq(ended, 0);
    record_end(&record->root->base, 3);
    cr_expect_eq(ended, 1);
    recorder_deinit(&recorder);
}

Test(record, identifiers_differ)
{
    struct recorder recorder = {0};
    uint8_t ids[64][16];
    recorder_init(&recorder, &limits, &vtable);
    for (size_t i = 0; i < 64; i++) {
        recorder_identify(&recorder, ids[i], 16);
        for (size_t j = 0; j < i; j++)
            cr_expect_neq(memcmp(ids[i], ids[j], 16), 0);
    }
}
