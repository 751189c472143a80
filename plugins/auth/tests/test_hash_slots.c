/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backplane/status.h"
#include "core/base/arena.h"
#include "core/worker/fiber.h"
#include "core/worker/loop.h"
#include "hash_slots.h"

static struct hash_slots_shared *shared_memory(void)
{
    struct hash_slots_shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(shared != MAP_FAILED);
    return shared;
}

/* Outside of a fiber nothing waits: with no queue a full house is refused at once. */
Test(hash_slots, limit_is_of_all_workers)
{
    struct hash_slots_shared *shared = shared_memory();
    struct hash_slots one, two;
    hash_slots_init(&one, shared, 0, 3, 0);
    hash_slots_init(&two, shared, 63, 3, 0);
    cr_expect_eq(hash_slots_acquire(&one), 0);
    cr_expect_eq(hash_slots_acquire(&two), 0);
    cr_expect_eq(hash_slots_acquire(&two), 0);
    cr_expect_eq(hash_slots_acquire(&one), BP_BUSY);
    cr_expect_eq(hash_slots_acquire(&two), BP_BUSY);
    hash_slots_release(&two);
    cr_expect_eq(hash_slots_acquire(&one), 0);
    cr_expect_eq(hash_slots_acquire(&two), BP_BUSY);
}

/* A worker is killed in the middle of its hashes; its replacement has the same number. */
Test(hash_slots, dead_worker)
{
    struct hash_slots_shared *shared = shared_memory();
    struct hash_slots slots, other;
    pid_t pid = fork();
    if (pid == 0) {
        hash_slots_init(&slots, shared, 5, 2, 0);
        hash_slots_acquire(&slots);
        hash_slots_acquire(&slots);
        bp_mutex_lock(&shared->mutex); /* and even here */
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    hash_slots_init(&other, shared, 1, 2, 0);
    cr_expect_eq(hash_slots_acquire(&other), BP_BUSY);
    hash_slots_init(&slots, shared, 5, 2, 0);
    cr_expect_eq(hash_slots_acquire(&other), 0);
    cr_expect_eq(hash_slots_acquire(&slots), 0);
    cr_expect_eq(hash_slots_acquire(&slots), BP_BUSY);
}

struct client {
    struct hash_slots *slots;
    struct bp_arena *arena;
    struct bp_fiber *fiber;
    bp_event done; /* holds its slot until then */
    int status;    /* 1: not yet known */
    int order;
    int *orders;
};

static void hold(void *argument)
{
    struct client *client = argument;
    client->status = hash_slots_acquire(client->slots);
    client->order = ++*client->orders;
    if (client->status == 0) {
        bp_event_wait_always(&client->done);
        hash_slots_release(client->slots);
    }
}

static void run_until(struct loop *loop, const struct client *client)
{
    for (int i = 0; i < 1000 && client->status == 1; i++)
        loop_turn(loop, 10 * BP_MILLISECOND);
    cr_assert_neq(client->status, 1);
}

/* One slot, a queue of three: they come in the order of the line, one leaves it, and the fifth is refused. */
Test(hash_slots, line)
{
    struct hash_slots_shared *shared = shared_memory();
    struct hash_slots slots;
    struct loop *loop;
    struct client clients[5];
    int orders = 0;
    cr_assert_eq(loop_new(&(struct loop_options){.offload_threads = 1}, &loop), 0);
    hash_slots_init(&slots, shared, 0, 1, 3);
    for (int i = 0; i < 5; i++) {
        clients[i] = (struct client){.slots = &slots, .arena = arena_new(), .status = 1, .orders = &orders};
        cr_assert_eq(fiber_start(loop,
                                 &(struct fiber_start){.function = hold,
                                                       .argument = &clients[i],
                                                       .arena = clients[i].arena,
                                                       .deadline = BP_FOREVER,
                                                       .name = "client"},
                                 &clients[i].fiber),
                     0);
    }
    cr_expect_eq(clients[0].status, 0);
    cr_expect_eq(clients[4].status, BP_BUSY);
    cr_expect_eq(shared->workers[0].waiting, 3);

    fiber_cancel(clients[1].fiber, BP_CANCELED); /* the first of the line leaves */
    run_until(loop, &clients[1]);
    cr_expect_eq(clients[1].status, BP_CANCELED);
    cr_expect_eq(shared->workers[0].waiting, 2);

    bp_event_set(&clients[0].done);
    run_until(loop, &clients[2]);
    cr_expect_eq(clients[2].status, 0);
    cr_expect_eq(clients[3].status, 1);
    bp_event_set(&clients[2].done);
    run_until(loop, &clients[3]);
    cr_expect_eq(clients[3].status, 0);
    bp_event_set(&clients[3].done);
    for (int i = 0; i < 100 && shared->workers[0].held > 0; i++)
        loop_turn(loop, BP_MILLISECOND);
    cr_expect_eq(shared->workers[0].held, 0);
    cr_expect_eq(shared->workers[0].waiting, 0);
    cr_expect(slots.first == NULL && slots.last == NULL);
    for (int i = 0; i < 5; i++)
        arena_free(clients[i].arena);
    loop_free(loop);
    fiber_pool_free();
}
