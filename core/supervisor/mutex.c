/* SPDX-License-Identifier: MIT */
/* struct bp_mutex: a robust mutex that makes itself out of zeroed memory, also when whoever began to make it was killed half-way. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "backplane/shared.h"

#define READY 1u /* no process identifier shifted left is odd */

static void make(struct bp_mutex *mutex)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutex->mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

static void make_once(struct bp_mutex *mutex)
{
    _Atomic uint32_t *state = (_Atomic uint32_t *)&mutex->state;
    uint32_t mine = (uint32_t)getpid() << 1;
    for (;;) {
        uint32_t seen = atomic_load_explicit(state, memory_order_acquire);
        if (seen == READY)
            return;
        /* Nobody has begun, or the process that had begun is gone. */
        if (seen == 0 || (seen != mine && kill((pid_t)(seen >> 1), 0) != 0 && errno == ESRCH)) {
            if (atomic_compare_exchange_strong(state, &seen, mine)) {
                make(mutex);
                atomic_store_explicit(state, READY, memory_order_release);
                return;
            }
            continue;
        }
        sched_yield();
    }
}

bool bp_mutex_lock(struct bp_mutex *mutex)
{
    if (atomic_load_explicit((_Atomic uint32_t *)&mutex->state, memory_order_acquire) != READY)
        make_once(mutex);
    int error = pthread_mutex_lock(&mutex->mutex);
    if (error == 0)
        return false;
    if (error != EOWNERDEAD || pthread_mutex_consistent(&mutex->mutex) != 0)
        abort(); /* the memory was overwritten: nothing here can be trusted */
    return true;
}

void bp_mutex_unlock(struct bp_mutex *mutex)
{
    pthread_mutex_unlock(&mutex->mutex);
}
