/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backplane/shared.h"

struct guarded {
    struct bp_mutex mutex;
    _Atomic int ready;
    long count; /* not atomic: the mutex is what keeps it right */
};

static struct guarded *new_guarded(void)
{
    void *memory = mmap(NULL, sizeof(struct guarded), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(memory, MAP_FAILED);
    return memory;
}

Test(mutex, zeroed_memory_is_made_by_all_who_come_first)
{
    enum { PROCESSES = 6, ROUNDS = 20000 };
    struct guarded *guarded = new_guarded();
    for (int p = 0; p < PROCESSES; p++) {
        if (fork() == 0) {
            atomic_fetch_add(&guarded->ready, 1);
            while (atomic_load(&guarded->ready) < PROCESSES)
                ;
            for (int i = 0; i < ROUNDS; i++) {
                if (bp_mutex_lock(&guarded->mutex))
                    _exit(1);
                guarded->count++;
                bp_mutex_unlock(&guarded->mutex);
            }
            _exit(0);
        }
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        cr_assert_gt(wait(&status), 0);
        cr_assert_eq(status, 0);
    }
    cr_assert_eq(guarded->count, (long)PROCESSES * ROUNDS);
}

Test(mutex, the_death_of_its_owner_is_told_once)
{
    struct guarded *guarded = new_guarded();
    if (fork() == 0) {
        (void)bp_mutex_lock(&guarded->mutex);
        _exit(0);
    }
    cr_assert_gt(wait(NULL), 0);
    cr_assert(bp_mutex_lock(&guarded->mutex));
    bp_mutex_unlock(&guarded->mutex);
    cr_assert_not(bp_mutex_lock(&guarded->mutex));
    bp_mutex_unlock(&guarded->mutex);
}

Test(mutex, a_death_while_it_was_made_is_overcome)
{
    struct guarded *guarded = new_guarded();
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    guarded->mutex.state = (uint32_t)child << 1; /* it had begun */
    cr_assert_not(bp_mutex_lock(&guarded->mutex));
    bp_mutex_unlock(&guarded->mutex);
}
