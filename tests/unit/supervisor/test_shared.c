/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backplane/status.h"
#include "core/base/clock.h"
#include "core/supervisor/control.h"
#include "core/supervisor/shared.h"

#define SIZE ((size_t)1 << 20)

Test(shared, a_region_is_zeroed_once_and_then_the_same)
{
    struct shared *shared;
    bool is_new = false;
    cr_assert_eq(shared_private(SIZE, &shared), 0);
    char *region = shared_region(shared, "a", 1, 1000, &is_new);
    cr_assert_not_null(region);
    cr_assert(is_new);
    cr_assert_eq((uintptr_t)region % 64, 0);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(region[i], 0);
    region[999] = 'x';
    cr_assert_eq(shared_region(shared, "a", 1, 1000, &is_new), region);
    cr_assert_not(is_new);

    static const struct {
        const char *name;
        uint32_t version;
        size_t size;
    } others[] = {{"a", 2, 1000}, {"a", 1, 1001}, {"b", 1, 1000}};
    for (size_t i = 0; i < 3; i++) {
        char *other = shared_region(shared, others[i].name, others[i].version, others[i].size, &is_new);
        cr_assert(is_new, "case %zu", i);
        cr_assert_neq(other, region);
        cr_assert_eq(other[999], 0);
    }
    cr_assert_null(shared_free(shared));
}

Test(shared, what_does_not_fit_is_refused)
{
    struct shared *shared;
    char name[SHARED_NAME_MAX + 2];
    cr_assert_eq(shared_private(SIZE, &shared), 0);
    cr_assert_null(shared_region(shared, "a", 1, SIZE, NULL), "the first page is taken");
    cr_assert_null(shared_region(shared, "a", 1, SIZE_MAX, NULL));
    cr_assert_null(shared_region(shared, "a", 1, 0, NULL));
    cr_assert_null(shared_region(shared, "", 1, 10, NULL));
    memset(name, 'n', sizeof(name));
    name[SHARED_NAME_MAX + 1] = '\0';
    cr_assert_null(shared_region(shared, name, 1, 10, NULL));
    cr_assert_not_null(shared_region(shared, name + 1, 1, 10, NULL));
    cr_assert_not_null(shared_region(shared, "b", 1, SIZE / 2, NULL));
    cr_assert_null(shared_region(shared, "c", 1, SIZE / 2, NULL));
    shared_free(shared);
}

static void count_region(const char *name, void *memory, size_t size, void *argument)
{
    cr_assert_not_null(memory);
    *(size_t *)argument += size + strlen(name);
}

Test(shared, regions_are_walked)
{
    struct shared *shared;
    size_t sum = 0;
    cr_assert_eq(shared_private(SIZE, &shared), 0);
    shared_region(shared, "a", 1, 100, NULL);
    shared_region(shared, "bcd", 1, 200, NULL);
    shared_each(shared, count_region, &sum);
    cr_assert_eq(sum, 304);
    shared_free(shared);
}

static void be_worker(int memory_fd, int control_fd)
{
    struct control control = {.fd = control_fd};
    struct shared *shared;
    bool is_new = false;
    if (shared_attach(memory_fd, &control, 3, &shared) != 0 || bp_worker_slot() != 3)
        _exit(1);
    char *region = shared_region(shared, "a", 1, 100, &is_new);
    if (!region || is_new || strcmp(region, "from the supervisor") != 0)
        _exit(2);
    strcpy(region, "from the worker");
    if (!shared_region(shared, "b", 1, 100, &is_new) || !is_new)
        _exit(3);
    if (shared_region(shared, "c", 1, SIZE * 2, &is_new))
        _exit(4);
    shared_stamp(shared, 12345);
    shared_free(shared);
    _exit(0);
}

Test(shared, a_worker_gets_its_regions_from_the_supervisor)
{
    struct shared *shared;
    struct control_message request;
    int pair[2], status;

    cr_assert_eq(shared_new(SIZE, &shared), 0);
    cr_assert_geq(shared_fd(shared), 0);
    char *region = shared_region(shared, "a", 1, 100, NULL);
    strcpy(region, "from the supervisor");
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    pid_t child = fork();
    if (child == 0) {
        close(pair[0]);
        be_worker(dup(shared_fd(shared)), pair[1]);
    }
    close(pair[1]);
    while (control_receive(pair[0], 0, &request) == 0) {
        bool is_new = false;
        cr_assert_eq(request.kind, CONTROL_REGION);
        uint64_t offset =
            shared_reserve(shared, control_text(&request), request.number, (size_t)request.value, &is_new);
        struct control_message answer = control_message(CONTROL_REGION_IS, is_new, offset);
        cr_assert_eq(control_send(pair[0], &answer), 0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(WEXITSTATUS(status), 0);
    cr_assert_str_eq(region, "from the worker");
    cr_assert_eq(shared_stamped(shared, 3), 12345);
    shared_stamp_clear(shared, 3);
    cr_assert_eq(shared_stamped(shared, 3), 0);
    close(pair[0]);
    shared_free(shared);
}

Test(shared, a_slot_beyond_the_last_and_a_foreign_descriptor_are_refused)
{
    struct shared *shared, *other = NULL;
    struct control control = {.fd = -1};
    cr_assert_eq(shared_new(SIZE, &shared), 0);
    cr_assert_eq(shared_attach(shared_fd(shared), &control, BP_WORKER_SLOTS, &other), BP_ERROR);
    cr_assert_eq(shared_attach(-1, &control, 0, &other), BP_ERROR);
    cr_assert_null(other);
    cr_assert_eq(shared_current(), shared);
    shared_free(shared);
    cr_assert_null(shared_current());
}

Test(shared, when_the_server_began)
{
    struct shared *shared, *attached;
    bp_date before = bp_date_now();
    cr_assert_eq(bp_server_began(), 0, "there is none");
    cr_assert_eq(shared_new(SIZE, &shared), 0);
    bp_date began = bp_server_began();
    cr_expect_geq(began, before);
    cr_expect_leq(began, bp_date_now());
    while (bp_date_now() == began)
        ;
    cr_assert_eq(shared_attach(dup(shared_fd(shared)), NULL, 0, &attached), 0);
    cr_expect_eq(bp_server_began(), began, "a worker did later");
    shared_free(attached);
    shared_free(shared);
}

static bp_time clock_says = 1000;

static bp_time stopped_clock(void)
{
    return clock_says;
}

static bool worker_takes(struct shared *shared, unsigned slot, struct bp_duty *duty, bp_time now)
{
    shared_set_slot(shared, slot);
    clock_says = now;
    return bp_duty_take(duty, 100);
}

Test(shared, one_worker_has_a_duty)
{
    static const struct clock_source source = {.monotonic = stopped_clock};
    struct shared *shared;
    struct bp_duty duty = {0};
    cr_assert_eq(shared_private(SIZE, &shared), 0);
    clock_replace(&source);
    cr_expect(worker_takes(shared, 0, &duty, 1000));
    cr_expect_not(worker_takes(shared, 1, &duty, 1050));
    cr_expect(worker_takes(shared, 0, &duty, 1100), "it or its replacement takes it again");
    cr_expect_not(worker_takes(shared, 1, &duty, 1200), "it may be silent for so long");
    cr_expect(worker_takes(shared, 1, &duty, 1201), "and no longer");
    cr_expect_not(worker_takes(shared, 0, &duty, 1202));
    bp_duty_leave(&duty);
    cr_expect_not(worker_takes(shared, 0, &duty, 1203), "only who has it can leave it");
    shared_set_slot(shared, 1);
    bp_duty_leave(&duty);
    cr_expect(worker_takes(shared, 0, &duty, 1204));
    clock_replace(NULL);
    shared_free(shared);
}
