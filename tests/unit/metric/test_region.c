/* SPDX-License-Identifier: MIT */
/* The region under several processes. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/metric/region.h"

enum { PROCESSES = 4, SERIES = 300 };

static const struct bp_metric_def def = {
    .size = sizeof(def), .type = BP_COUNTER, .name = "c", .help = "C.", .labels = {"a"}, .max_series = 200};

static struct metric_region *new_region(void)
{
    void *memory = mmap(NULL, metric_region_size(&def), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(memory, MAP_FAILED);
    return memory;
}

static uint32_t series_of(struct metric_region *region, int number)
{
    char text[16];
    bp_str label = bp_str_n(text, (size_t)snprintf(text, sizeof(text), "value %d", number));
    return metric_region_series(region, &label);
}

Test(region, processes_agree_on_the_series)
{
    struct metric_region *region = new_region();
    for (unsigned p = 0; p < PROCESSES; p++) {
        if (fork() == 0) {
            metric_region_prepare(region, &def);
            metric_cell *block = metric_region_cells(region, p);
            for (int round = 0; round < 10; round++)
                for (int i = 0; i < SERIES; i++)
                    atomic_fetch_add(metric_series_cells(region, block, series_of(region, (int)p * 7 + i)), 1);
            _exit(0);
        }
    }
    for (unsigned p = 0; p < PROCESSES; p++) {
        int status;
        cr_assert_gt(wait(&status), 0);
        cr_assert_eq(status, 0);
    }
    cr_assert_eq(atomic_load(&region->count), 201);
    int64_t total = 0;
    for (unsigned p = 0; p < PROCESSES; p++)
        for (uint32_t s = 0; s < 201; s++)
            total += atomic_load(metric_series_cells(region, metric_region_cells(region, p), s));
    cr_assert_eq(total, PROCESSES * 10 * SERIES);
    for (uint32_t a = 1; a < 201; a++)
        for (uint32_t b = a + 1; b < 201; b++)
            cr_assert(metric_region_text(region, a)->lens[0] != metric_region_text(region, b)->lens[0] ||
                      memcmp(metric_region_text(region, a)->bytes[0], metric_region_text(region, b)->bytes[0],
                             metric_region_text(region, a)->lens[0]) != 0);
}

Test(region, a_death_between_index_and_count_is_repaired)
{
    struct metric_region *region = new_region();
    metric_region_prepare(region, &def);
    uint32_t first = series_of(region, 1);
    if (fork() == 0) {
        /* The series is in the index, and not counted yet. */
        (void)series_of(region, 2);
        (void)bp_mutex_lock(&region->mutex);
        atomic_fetch_sub(&region->count, 1);
        _exit(0);
    }
    cr_assert_gt(wait(NULL), 0);
    uint32_t third = series_of(region, 3);
    cr_assert_eq(first, 1);
    cr_assert_eq(series_of(region, 2), 2);
    cr_assert_eq(third, 3);
    cr_assert_eq(atomic_load(&region->count), 4);
}

Test(region, reaping_trusts_the_size_alone)
{
    static const struct bp_metric_def gauge = {
        .size = sizeof(gauge), .type = BP_GAUGE, .name = "g", .help = "G.", .max_series = 0};
    struct metric_region *region = new_region();
    size_t size = metric_region_size(&gauge);

    metric_region_reap(region, size, 0); /* not prepared */
    metric_region_prepare(region, &gauge);
    atomic_store(metric_region_cells(region, 1), 5);
    metric_region_reap(region, sizeof(*region) - 1, 1);
    cr_assert_eq(atomic_load(metric_region_cells(region, 1)), 5);
    region->cells_at = UINT64_MAX - 8; /* overwritten by a worker gone wild */
    metric_region_reap(region, size, 1);
    region->cells_at = size - 8;
    metric_region_reap(region, size, 1);
    metric_region_prepare(region, &gauge);
}
