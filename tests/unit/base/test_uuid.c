/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backplane/uuid.h"
#include "core/base/clock.h"

static bp_date now = 0x0123456789ab;

static bp_time monotonic(void)
{
    return 0;
}

static bp_date wall(void)
{
    return now;
}

static const struct clock_source source = {.monotonic = monotonic, .wall = wall};

static void setup(void)
{
    clock_replace(&source);
}

TestSuite(uuid, .init = setup);

Test(uuid, has_the_layout_of_version_7)
{
    bp_uuid uuid = bp_uuid_new();
    char text[BP_UUID_LEN + 1] = {0};
    bp_uuid_format(&uuid, text);
    cr_assert_arr_eq(text, "01234567-89ab-7", 15);
    cr_assert(strchr("89ab", text[19]), "variant: %s", text);
    for (size_t i = 0; i < BP_UUID_LEN; i++)
        cr_assert((i == 8 || i == 13 || i == 18 || i == 23) ? text[i] == '-' : !!strchr("0123456789abcdef", text[i]),
                  "%s", text);
}

Test(uuid, sort_as_they_were_made)
{
    static const int steps[] = {0, 0, 1, 0, -5, 0, 0, 3, -1000, 0, 2000};
    bp_uuid last = bp_uuid_new();
    for (int i = 0; i < 20000; i++) {
        bp_uuid uuid;
        now += i % 100 ? 0 : steps[i / 100 % 11];
        uuid = bp_uuid_new();
        cr_assert_lt(memcmp(last.bytes, uuid.bytes, 16), 0, "number %d", i);
        cr_assert_eq(uuid.bytes[6] >> 4, 7);
        cr_assert_eq(uuid.bytes[8] >> 6, 2);
        last = uuid;
    }
}

Test(uuid, differ_in_their_random_bits)
{
    bp_uuid first = bp_uuid_new();
    uint8_t ones[16] = {0}, zeros[16] = {0};
    for (int i = 0; i < 200; i++) {
        bp_uuid uuid = bp_uuid_new();
        for (size_t j = 0; j < 16; j++) {
            ones[j] |= uuid.bytes[j];
            zeros[j] |= (uint8_t)~uuid.bytes[j];
        }
    }
    cr_assert_eq(ones[10] & zeros[10] & 3, 3, "the last bits of the tenth byte are random");
    for (size_t i = 11; i < 16; i++)
        cr_assert_eq(ones[i] & zeros[i], 0xff, "byte %zu", i);
    cr_assert_eq(memcmp(first.bytes, (uint8_t[]){0x01, 0x23, 0x45, 0x67, 0x89, 0xab}, 6), 0);
}

Test(uuid, parse)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"01234567-89ab-7cde-8f01-23456789abcd", true},
        {"01234567-89AB-4CDE-8F01-23456789ABCD", true},
        {"00000000-0000-0000-0000-000000000000", true},
        {"ffffffff-ffff-ffff-ffff-ffffffffffff", true},
        {"", false},
        {"0123456789ab7cde8f0123456789abcd", false},
        {"01234567-89ab-7cde-8f01-23456789abc", false},
        {"01234567-89ab-7cde-8f01-23456789abcde", false},
        {"01234567-89ab-7cde-8f01-23456789abcg", false},
        {"01234567-89ab-7cde-8f01-23456789abc/", false},
        {"01234567-89ab-7cde-8f01-23456789abc@", false},
        {"01234567_89ab-7cde-8f01-23456789abcd", false},
        {"0123456-789ab-7cde-8f01-23456789abcd", false},
        {"{1234567-89ab-7cde-8f01-23456789abc}", false},
        {"0x234567-89ab-7cde-8f01-23456789abcd", false},
        {"01234567-89ab-7cde-8f01 23456789abcd", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bp_uuid uuid, before;
        memset(&uuid, 0x5a, sizeof(uuid));
        before = uuid;
        cr_assert_eq(bp_uuid_parse(bp_str_of(cases[i].text), &uuid), cases[i].valid, "%s", cases[i].text);
        if (cases[i].valid) {
            char text[BP_UUID_LEN];
            bp_uuid_format(&uuid, text);
            cr_assert(bp_str_eq_nocase(bp_str_n(text, BP_UUID_LEN), bp_str_of(cases[i].text)), "%s", cases[i].text);
        } else {
            cr_assert(bp_uuid_eq(&uuid, &before), "untouched on failure");
        }
    }
}

Test(uuid, format_is_exact)
{
    const bp_uuid uuid = {
        {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x7c, 0xde, 0x8f, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd}};
    char text[BP_UUID_LEN + 1] = {0};
    bp_uuid_format(&uuid, text);
    cr_assert_str_eq(text, "01234567-89ab-7cde-8f01-23456789abcd");
}

Test(uuid, a_forked_child_makes_others)
{
    bp_uuid ours, theirs;
    int pipe_ends[2], status;
    pid_t child;
    bp_uuid_new();
    cr_assert_eq(pipe(pipe_ends), 0);
    child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        theirs = bp_uuid_new();
        _exit(write(pipe_ends[1], &theirs, sizeof(theirs)) != sizeof(theirs));
    }
    ours = bp_uuid_new();
    cr_assert_eq(read(pipe_ends[0], &theirs, sizeof(theirs)), sizeof(theirs));
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    cr_assert_neq(memcmp(ours.bytes + 10, theirs.bytes + 10, 6), 0);
}

enum { THREADS = 4, EACH = 5000 };

static void *make_many(void *argument)
{
    bp_uuid *uuids = argument;
    for (size_t i = 0; i < EACH; i++)
        uuids[i] = bp_uuid_new();
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(bp_uuid));
}

Test(uuid, threads_make_different_ones)
{
    static bp_uuid uuids[THREADS * EACH];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, make_many, uuids + i * EACH), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    qsort(uuids, THREADS * EACH, sizeof(uuids[0]), compare);
    for (size_t i = 1; i < THREADS * EACH; i++)
        cr_assert_not(bp_uuid_eq(&uuids[i - 1], &uuids[i]));
}

Test(random, fills_what_it_is_given_and_no_more)
{
    uint8_t bytes[66], seen[66] = {0};
    for (int i = 0; i < 100; i++) {
        memset(bytes, 0, sizeof(bytes));
        bp_random(bytes + 1, 64);
        for (size_t j = 0; j < sizeof(bytes); j++)
            seen[j] |= bytes[j];
    }
    cr_assert_eq(seen[0], 0);
    cr_assert_eq(seen[65], 0);
    for (size_t i = 1; i < 65; i++)
        cr_assert_eq(seen[i], 0xff);
    bp_random(bytes, 0);
}
