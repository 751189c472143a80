/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/mman.h>

#include "failures.h"

#define MINUTE BP_MINUTE

static struct failures *counts_new(uint32_t counts)
{
    void *memory = mmap(NULL, failures_size(counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(memory != MAP_FAILED);
    failures_prepare(memory, counts);
    failures_prepare(memory, counts);
    return memory;
}

static struct failures_bucket bucket(const char *name, uint32_t limit)
{
    struct failures_bucket bucket = {.limit = limit};
    (void)snprintf(bucket.name, sizeof(bucket.name), "%s", name);
    return bucket;
}

static bool take(struct failures *failures, struct failures_bucket one, bp_time now, bp_span *retry_in)
{
    return failures_take(failures, &one, 1, MINUTE, now, retry_in);
}

Test(failures, counted_for_a_window)
{
    struct failures *failures = counts_new(64);
    struct failures_bucket ada = bucket("ada", 2);
    bp_span retry_in = -1;
    cr_expect(take(failures, ada, 1000, &retry_in));
    cr_expect(take(failures, ada, 1001, &retry_in));
    cr_expect_eq(retry_in, -1);
    cr_expect_not(take(failures, ada, 1002, &retry_in));
    cr_expect_eq(retry_in, MINUTE - 2, "%lld", (long long)retry_in);
    /* What was refused is not counted: it ends a window after the first. */
    cr_expect_not(take(failures, ada, 1000 + MINUTE - 1, &retry_in));
    cr_expect_eq(retry_in, 1);
    cr_expect(take(failures, ada, 1000 + MINUTE, &retry_in));
    failures_give_back(failures, &ada, 1000 + MINUTE);
    failures_give_back(failures, &ada, 1000 + MINUTE); /* there is nothing left to give */
    cr_expect(take(failures, ada, 1000 + MINUTE, &retry_in));
    cr_expect(take(failures, ada, 1000 + MINUTE, &retry_in));
    cr_expect_not(take(failures, ada, 1000 + MINUTE, &retry_in));
    failures_clear(failures, &ada, 1000 + MINUTE);
    cr_expect(take(failures, ada, 1000 + MINUTE, &retry_in));
}

Test(failures, all_or_none)
{
    struct failures *failures = counts_new(64);
    struct failures_bucket both[] = {bucket("account", 2), bucket("address", 1)};
    bp_span retry_in;
    cr_expect(failures_take(failures, both, 2, MINUTE, 1, &retry_in));
    for (int i = 0; i < 5; i++)
        cr_expect_not(failures_take(failures, both, 2, MINUTE, 2, &retry_in));
    cr_expect(take(failures, both[0], 3, &retry_in), "the account was counted with a refused address");
    cr_expect_not(take(failures, both[0], 3, &retry_in));
}

/* Failing under very many names pushes out low counts and not the high one. */
Test(failures, flood)
{
    struct failures *failures = counts_new(64);
    struct failures_bucket victim = bucket("victim", 3);
    bp_span retry_in;
    for (int i = 0; i < 3; i++)
        cr_assert(take(failures, victim, 1, &retry_in));
    for (int i = 0; i < 20000; i++) {
        char name[FAILURES_NAME];
        (void)snprintf(name, sizeof(name), "name %d", i);
        cr_assert(take(failures, bucket(name, 3), 2 + i, &retry_in));
    }
    cr_expect_not(take(failures, victim, 30000, &retry_in));
}
