/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory.h"

#define NOW ((bp_time)BP_HOUR)
#define SIZE 65536u

static struct digest digest_of(unsigned number)
{
    struct digest digest = {{0}};
    memcpy(digest.bytes, &number, sizeof(number));
    return digest;
}

static struct entry *entry_of(unsigned number, size_t body_len, uint64_t generation)
{
    struct digest digest = digest_of(number);
    bp_str lines = BP_STR("ETag: \"x\"\r\n");
    char *body = malloc(body_len + 1);
    cr_assert(body);
    memset(body, (int)('a' + number % 26), body_len);
    struct reply reply = {.content_type = BP_STR("text/plain"),
                          .lines = lines,
                          .etag = bp_str_n(lines.ptr + 6, 3),
                          .body = bp_str_n(body, body_len),
                          .life = 1000};
    struct entry *entry = entry_new(&digest, &reply);
    free(body);
    cr_assert(entry);
    entry->generation = generation;
    entry->stored = NOW;
    entry->fresh_until = NOW + BP_SECOND;
    entry->stale_until = NOW + 2 * BP_SECOND;
    return entry;
}

static struct memory *new_memory(void)
{
    struct memory *memory;
    cr_assert_eq(memory_new(SIZE, &memory), 0);
    return memory;
}

static bool put(struct memory *memory, unsigned number, size_t body_len)
{
    struct entry *entry = entry_of(number, body_len, 1);
    bool there = memory_put(memory, entry, NOW);
    entry_unref(entry);
    return there;
}

static struct entry *find(struct memory *memory, unsigned number, uint64_t generation, bp_time now)
{
    struct digest digest = digest_of(number);
    return memory_find(memory, &digest, generation, now);
}

Test(memory, keeps_a_copy)
{
    struct memory *memory = new_memory();
    size_t empty = memory_stats(memory).bytes;
    cr_expect_null(find(memory, 1, 1, NOW));
    cr_assert(put(memory, 1, 100));
    struct entry *entry = find(memory, 1, 1, NOW);
    cr_assert(entry);
    cr_expect_eq(entry->reply.body.len, 100);
    cr_expect_eq(entry->reply.body.ptr[99], 'b');
    cr_expect(bp_str_is(entry->reply.content_type, "text/plain"));
    cr_expect(bp_str_is(entry->reply.lines, "ETag: \"x\"\r\n"));
    cr_expect(bp_str_is(entry->reply.etag, "\"x\""));
    cr_expect_eq(memory_stats(memory).entries, 1);
    cr_expect_gt(memory_stats(memory).bytes, empty + 100 + sizeof(struct entry));
    /* The same key again replaces it. */
    cr_assert(put(memory, 1, 7));
    cr_expect_eq(memory_stats(memory).entries, 1);
    cr_expect_eq(find(memory, 1, 1, NOW)->reply.body.len, 7);
    cr_assert_null(memory_free(memory));
}

Test(memory, time_and_generation_end_an_entry)
{
    struct memory *memory = new_memory();
    size_t empty = memory_stats(memory).bytes;
    cr_assert(put(memory, 1, 10) && put(memory, 2, 10));
    cr_expect(find(memory, 1, 1, NOW + 2 * BP_SECOND - 1));
    cr_expect_null(find(memory, 1, 1, NOW + 2 * BP_SECOND));
    cr_expect_null(find(memory, 2, 2, NOW), "a write under its tag");
    cr_expect_null(find(memory, 2, 1, NOW), "an older generation does not come back");
    cr_expect_eq(memory_stats(memory).entries, 0);
    cr_expect_eq(memory_stats(memory).bytes, empty);
    cr_expect_eq(memory_stats(memory).evictions, 0, "nothing useful was dropped");
    memory_free(memory);
}

Test(memory, is_bounded_and_drops_what_was_not_used_for_longest)
{
    struct memory *memory = new_memory();
    unsigned kept = 0;
    for (unsigned i = 0; i < 1000; i++) {
        cr_assert(put(memory, i, 500));
        cr_assert(find(memory, 0, 1, NOW), "used all the time: %u", i);
        cr_assert_leq(memory_stats(memory).bytes, SIZE);
    }
    for (unsigned i = 0; i < 1000; i++)
        kept += find(memory, i, 1, NOW) != NULL;
    cr_expect_eq(kept, memory_stats(memory).entries);
    cr_expect_eq(memory_stats(memory).evictions, 1000 - kept);
    cr_expect_gt(kept, 60, "%u", kept);
    for (unsigned i = 1000 - kept + 1; i < 1000; i++)
        cr_expect(find(memory, i, 1, NOW), "%u is among the newest", i);
    cr_expect_not(put(memory, 2000, SIZE), "larger than all of it");
    cr_expect_eq(memory_stats(memory).entries, 0);
    memory_free(memory);
}

Test(memory, what_is_borrowed_counts_until_it_is_given_back)
{
    struct memory *memory = new_memory();
    cr_assert(put(memory, 1, SIZE / 2));
    struct entry *borrowed = entry_ref(find(memory, 1, 1, NOW));
    size_t bytes = memory_stats(memory).bytes;
    cr_expect_not(put(memory, 2, SIZE / 2), "no room while it is borrowed");
    cr_expect_eq(memory_stats(memory).entries, 0);
    cr_expect_eq(memory_stats(memory).bytes, bytes);
    cr_expect_eq(borrowed->reply.body.ptr[SIZE / 2 - 1], 'b');
    cr_assert_null(entry_unref(borrowed));
    cr_expect(put(memory, 2, SIZE / 2));
    cr_expect(find(memory, 2, 1, NOW));
    cr_assert_null(entry_unref(NULL));
    memory_free(memory);
    cr_assert_null(memory_free(NULL));
}

Test(memory, expired_entries_go_first)
{
    struct memory *memory = new_memory();
    for (unsigned i = 0; i < 8; i++)
        cr_assert(put(memory, i, 10));
    struct entry *entry = entry_of(100, 10, 1);
    entry->stale_until = NOW + BP_HOUR;
    cr_assert(memory_put(memory, entry, NOW + 3 * BP_SECOND));
    entry_unref(entry);
    cr_expect_eq(memory_stats(memory).entries, 5, "four of the eight that are of no use");
    cr_expect_eq(memory_stats(memory).evictions, 0);
    memory_free(memory);
}
