/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tags.h"

#define NOW ((bp_time)BP_HOUR)
#define LATER (NOW + 30 * BP_SECOND)
#define CELL 7u

static void *region;

static void new_region(void)
{
    region = mmap(NULL, tags_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(region, MAP_FAILED);
}

/* A process's handle to the region: here all are in one. */
static struct tags process(void)
{
    struct tags tags;
    cr_assert_eq(tags_init(&tags, region), 0);
    return tags;
}

Test(tags, a_write_changes_the_generation_before_and_after, .init = new_region)
{
    struct tags writer = process(), reader = process();
    uint64_t before, after, unused;
    cr_assert(tags_read(&reader, CELL, NOW, &before));
    cr_expect(tags_holds(&reader, CELL, NOW, before));

    tags_mark(&writer, CELL, NOW, LATER);
    cr_expect_not(tags_read(&reader, CELL, NOW, &unused));
    cr_expect_not(tags_read(&writer, CELL, NOW, &unused), "a writer is bound by its own mark");
    cr_expect_not(tags_holds(&reader, CELL, NOW, before));
    cr_expect(tags_read(&reader, CELL + 1, NOW, &unused), "another tag is not concerned");

    tags_unmark(&writer, CELL, true);
    cr_assert(tags_read(&reader, CELL, NOW, &after));
    cr_expect_neq(after, before);
    cr_expect_not(tags_holds(&reader, CELL, NOW, before));
    cr_expect(tags_holds(&reader, CELL, NOW, after));

    /* What did not take place changes the generation once, when it might have. */
    tags_mark(&writer, CELL, NOW, LATER);
    tags_unmark(&writer, CELL, false);
    cr_expect(tags_read(&reader, CELL, NOW, &before));
    cr_expect_not(tags_holds(&reader, CELL, NOW, after));
    tags_deinit(&writer);
    tags_deinit(&reader);
}

Test(tags, marks_nest, .init = new_region)
{
    struct tags writers[10], reader = process();
    uint64_t generation;
    for (size_t i = 0; i < 10; i++)
        writers[i] = process();
    /* In one process. */
    for (int i = 0; i < 3; i++)
        tags_mark(&writers[0], CELL, NOW, LATER + i);
    for (int i = 0; i < 2; i++) {
        tags_unmark(&writers[0], CELL, true);
        cr_expect_not(tags_read(&reader, CELL, NOW, &generation), "%d", i);
    }
    tags_unmark(&writers[0], CELL, true);
    cr_expect(tags_read(&reader, CELL, NOW, &generation));

    /* In several, ended in another order than begun. */
    for (size_t i = 0; i < 6; i++)
        tags_mark(&writers[i], CELL, NOW, LATER);
    for (size_t i = 0; i < 5; i++) {
        tags_unmark(&writers[(i * 5) % 6], CELL, true);
        cr_expect_not(tags_read(&reader, CELL, NOW, &generation), "%zu", i);
    }
    tags_unmark(&writers[1], CELL, true);
    cr_expect(tags_read(&reader, CELL, NOW, &generation));

    /* More than a cell has slots for: the last ones' marks stand until they expire. */
    for (size_t i = 0; i < 10; i++)
        tags_mark(&writers[i], CELL, NOW, LATER + (bp_time)i);
    for (size_t i = 0; i < 10; i++)
        tags_unmark(&writers[i], CELL, true);
    cr_expect_not(tags_read(&reader, CELL, LATER + 8, &generation));
    cr_expect(tags_read(&reader, CELL, LATER + 9, &generation));
    for (size_t i = 0; i < 10; i++)
        tags_deinit(&writers[i]);
    tags_deinit(&reader);
}

Test(tags, a_mark_expires, .init = new_region)
{
    struct tags dead = process(), slow = process(), other = process();
    uint64_t generation, after;
    tags_mark(&dead, CELL, NOW, LATER); /* and never comes back */
    cr_expect_not(tags_read(&other, CELL, LATER - 1, &generation));
    cr_expect(tags_read(&other, CELL, LATER, &generation));

    /* Its slot is another's then: ending a mark late takes nothing from those who came after. */
    tags_mark(&slow, CELL, NOW, LATER);
    tags_mark(&other, CELL, LATER, LATER + BP_SECOND);
    tags_mark(&dead, CELL, LATER, LATER + BP_SECOND);
    tags_unmark(&slow, CELL, true);
    cr_expect_not(tags_read(&slow, CELL, LATER, &generation));
    tags_unmark(&other, CELL, true);
    cr_expect_not(tags_read(&slow, CELL, LATER, &generation));
    tags_unmark(&dead, CELL, true);
    cr_expect_not(tags_read(&slow, CELL, LATER, &generation), "its first write has not ended");
    cr_expect(tags_read(&slow, CELL, LATER + BP_SECOND, &generation));

    /* A write that outlived its mark still changes the generation. */
    tags_unmark(&dead, CELL, true);
    cr_assert(tags_read(&slow, CELL, LATER + BP_SECOND, &after));
    cr_expect_neq(generation, after);

    /* Longer than at first. */
    tags_mark(&other, CELL, NOW, LATER);
    tags_extend(&other, CELL, NOW, LATER + BP_MINUTE);
    cr_expect_not(tags_read(&slow, CELL, LATER + BP_SECOND, &generation));
    tags_unmark(&other, CELL, true);
    cr_expect(tags_read(&slow, CELL, LATER + BP_SECOND, &generation));
    tags_deinit(&dead);
    tags_deinit(&slow);
    tags_deinit(&other);
}

Test(tags, cells_are_spread_and_stable)
{
    unsigned used = 0;
    bool seen[TAG_CELLS] = {false};
    char text[64];
    for (unsigned i = 0; i < TAG_CELLS; i++) {
        uint32_t cell = tags_cell(bp_str_n(text, (size_t)snprintf(text, sizeof(text), "todos:user:%u", i)));
        cr_assert_lt(cell, TAG_CELLS);
        used += !seen[cell];
        seen[cell] = true;
    }
    cr_expect_gt(used, TAG_CELLS / 2, "%u", used);
    /* Workers of two builds must agree, too. */
    cr_expect_eq(tags_cell(BP_STR("todos:user:0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f")), 2867);
}

/* What is written is a pair of numbers that a writer changes one after the other, outside of any lock; what a reader keeps must never be
 * older than what was acknowledged before it asked. */
struct world {
    _Atomic uint64_t data, acknowledged;
    _Atomic unsigned writers;
};

static void write_often(struct world *world)
{
    struct tags tags = process();
    for (int i = 0; i < 20000; i++) {
        bp_time now = bp_clock();
        tags_mark(&tags, CELL, now, now + BP_MINUTE);
        uint64_t value = atomic_fetch_add(&world->data, 1) + 1;
        tags_unmark(&tags, CELL, true);
        uint64_t before = atomic_load(&world->acknowledged);
        while (before < value && !atomic_compare_exchange_weak(&world->acknowledged, &before, value))
            ;
        if (i % 16 == 0)
            usleep(1);
    }
    atomic_fetch_sub(&world->writers, 1);
    _exit(0);
}

/* Exit code: 0 fine, 1 stale, 2 nothing was ever kept. */
static void read_often(struct world *world)
{
    struct tags tags = process();
    uint64_t kept_generation = 0, kept = 0, generation;
    bool has = false;
    unsigned hits = 0;
    while (atomic_load(&world->writers) > 0) {
        uint64_t at_least = atomic_load(&world->acknowledged);
        bp_time now = bp_clock();
        if (!tags_read(&tags, CELL, now, &generation))
            continue;
        if (has && generation == kept_generation) {
            hits++;
            if (kept < at_least)
                _exit(1);
            continue;
        }
        uint64_t value = atomic_load(&world->data);
        if (tags_holds(&tags, CELL, now, generation)) {
            kept = value;
            kept_generation = generation;
            has = true;
        }
    }
    _exit(hits > 0 ? 0 : 2);
}

Test(tags, processes_agree, .init = new_region, .timeout = 60)
{
    struct world *world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t children[5];
    cr_assert_neq(world, MAP_FAILED);
    world->writers = 3;
    for (int i = 0; i < 5; i++) {
        children[i] = fork();
        cr_assert_geq(children[i], 0);
        if (children[i] == 0) {
            if (i < 3)
                write_often(world);
            else
                read_often(world);
        }
    }
    for (int i = 0; i < 5; i++) {
        int status;
        cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child %d: %x", i, (unsigned)status);
    }
}
