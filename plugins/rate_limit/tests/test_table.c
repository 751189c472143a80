/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limiter.h"

#define NOW ((bp_time)BP_HOUR)

static struct table *new_table(uint32_t clients)
{
    struct table *table = mmap(NULL, table_size(clients), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(table, MAP_FAILED);
    table_prepare(table, clients);
    return table;
}

static bp_str name_of(unsigned number, char space[16])
{
    return bp_str_n(space, (size_t)snprintf(space, 16, "client%u", number));
}

/* Marks the client's cell as living until `until`, with number in it. */
static bool occupy(struct table *table, bp_str client, bp_time now, uint32_t number, bp_time until)
{
    struct table_place place;
    table_lock(table, client, now, &place);
    place.cell->state.window.current = number;
    place.cell->expires = until;
    table_unlock(&place);
    return !place.crowded;
}

static uint32_t read_back(struct table *table, bp_str client, bp_time now)
{
    struct table_place place;
    table_lock(table, client, now, &place);
    uint32_t number = place.cell->state.window.current;
    table_unlock(&place);
    return number;
}

Test(table, every_client_has_a_cell_of_its_own)
{
    struct table *table = new_table(65536);
    char space[16];

    for (unsigned i = 1; i <= 5000; i++)
        cr_assert(occupy(table, name_of(i, space), NOW, i, NOW + BP_MINUTE), "client %u", i);
    for (unsigned i = 1; i <= 5000; i++)
        cr_assert_eq(read_back(table, name_of(i, space), NOW), i);
}

Test(table, an_expired_cell_is_new_again)
{
    struct table *table = new_table(16);

    occupy(table, BP_STR("a"), NOW, 7, NOW + 10);
    cr_assert_eq(read_back(table, BP_STR("a"), NOW + 9), 7);
    cr_assert_eq(read_back(table, BP_STR("a"), NOW + 10), 0);
}

Test(table, a_flood_of_clients_takes_no_living_cell)
{
    struct table *table = new_table(16); /* one set */
    char space[16];
    unsigned own = 0;

    for (unsigned i = 0; i < TABLE_WAYS; i++)
        own += occupy(table, name_of(i, space), NOW, 100 + i, NOW + BP_MINUTE);
    cr_assert_eq(own, TABLE_WAYS);
    for (unsigned i = 1000; i < 3000; i++)
        cr_assert_not(occupy(table, name_of(i, space), NOW, i, NOW + BP_MINUTE));
    for (unsigned i = 0; i < TABLE_WAYS; i++)
        cr_assert_eq(read_back(table, name_of(i, space), NOW), 100 + i);
    cr_assert_eq(read_back(table, BP_STR("newcomer"), NOW), 2999, "newcomers share one cell");
    cr_assert_eq(read_back(table, BP_STR("newcomer"), NOW + BP_MINUTE), 0);
    cr_assert(occupy(table, BP_STR("newcomer"), NOW + BP_MINUTE, 1, NOW + BP_HOUR));
}

Test(table, preparing_again_keeps_everything)
{
    struct table *table = new_table(1000);

    occupy(table, BP_STR("a"), NOW, 7, NOW + 10);
    table_prepare(table, 1000);
    cr_assert_eq(read_back(table, BP_STR("a"), NOW), 7);
}

Test(table, newcomers_of_a_full_set_share_one_quota)
{
    struct table *table = new_table(16);
    const struct limiter limiter = {.limits = {{.quota = 3, .window = BP_MINUTE}}, .count = 1, .table = table};
    struct verdict verdict;
    bool crowded;
    char space[16];
    unsigned allowed = 0, counted = 0;

    for (unsigned i = 0; i < TABLE_WAYS; i++) {
        limiter_take(&limiter, name_of(i, space), 1, NOW, &verdict, &crowded);
        cr_assert(verdict.allowed && !crowded);
    }
    for (unsigned i = 100; i < 110; i++) {
        limiter_take(&limiter, name_of(i, space), 1, NOW, &verdict, &crowded);
        allowed += verdict.allowed;
        counted += crowded;
    }
    cr_assert_eq(allowed, 3);
    cr_assert_eq(counted, 10);
    limiter_take(&limiter, name_of(0, space), 1, NOW, &verdict, &crowded);
    cr_assert(verdict.allowed && !crowded);
    cr_assert_eq(verdict.remaining, 1);
}

/* The quota holds over all processes, also when one of them dies with a set locked. */
Test(table, processes_share_one_quota)
{
    enum { PROCESSES = 4, TRIES = 2000 };
    struct table *table = new_table(16);
    const struct limiter limiter = {.limits = {{.quota = 1000, .window = BP_MINUTE}}, .count = 1, .table = table};
    unsigned allowed = 0;

    for (unsigned p = 0; p < PROCESSES; p++) {
        if (fork() == 0) {
            unsigned mine = 0;
            for (unsigned i = 0; i < TRIES; i++) {
                struct verdict verdict;
                bool crowded;
                limiter_take(&limiter, BP_STR("client"), 1, NOW, &verdict, &crowded);
                mine += verdict.allowed;
            }
            struct table_place place;
            table_lock(table, bp_str_n((const char *)&p, sizeof(p)), NOW, &place);
            place.cell->state.window.current = mine;
            place.cell->expires = NOW + BP_HOUR;
            if (p % 2 == 0)
                table_unlock(&place);
            _exit(0); /* half of them with the lock held */
        }
    }
    for (unsigned p = 0; p < PROCESSES; p++)
        cr_assert_gt(wait(NULL), 0);
    for (unsigned p = 0; p < PROCESSES; p++)
        allowed += read_back(table, bp_str_n((const char *)&p, sizeof(p)), NOW);
    cr_assert_eq(allowed, 1000);
}
