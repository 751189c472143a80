/* SPDX-License-Identifier: MIT */
#include "wake.h"

#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static void futex_wait(_Atomic uint32_t *word, uint32_t seen)
{
    (void)syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void futex_wake_all(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

int wake_attach(struct wake *wake, struct bp_host *host)
{
    char name[128];
    snprintf(name, sizeof(name), "%" BP_STR_FMT ".wake", BP_STR_ARG(bp_instance_name(host)));
    wake->shared = bp_shared(host, name, WAKE_LAYOUT, sizeof(struct wake_shared));
    wake->host = host;
    return wake->shared ? 0 : bp_start_error(host, "shared memory is full: raise server.shared_memory");
}

static void posted(void *argument)
{
    struct wake *wake = argument;
    atomic_store(&wake->posted, false);
    wake->function(wake->argument);
}

static void *thread_main(void *argument)
{
    struct wake *wake = argument;
    uint32_t seen = atomic_load(&wake->shared->word);
    while (!atomic_load(&wake->stop)) {
        futex_wait(&wake->shared->word, seen);
        uint32_t now = atomic_load(&wake->shared->word);
        if (now == seen)
            continue;
        seen = now;
        if (!atomic_exchange(&wake->posted, true) && !bp_post(wake->host, posted, wake))
            atomic_store(&wake->posted, false);
    }
    return NULL;
}

int wake_start(struct wake *wake, void (*function)(void *argument), void *argument)
{
    sigset_t all, before;
    wake->function = function;
    wake->argument = argument;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&wake->thread, NULL, thread_main, wake);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    wake->running = error == 0;
    return error == 0 ? 0 : BP_NOMEM;
}

void wake_stop(struct wake *wake)
{
    if (!wake->running)
        return;
    atomic_store(&wake->stop, true);
    atomic_fetch_add(&wake->shared->word, 1);
    futex_wake_all(&wake->shared->word);
    pthread_join(wake->thread, NULL);
    wake->running = false;
}

/* FNV-1a */
unsigned wake_cell(bp_str name)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (uint8_t)name.ptr[i]) * 16777619u;
    return hash % WAKE_CELLS;
}

void wake_up(struct wake *wake, unsigned cell)
{
    atomic_fetch_add(&wake->shared->cells[cell], 1);
    atomic_fetch_add(&wake->shared->word, 1);
    futex_wake_all(&wake->shared->word);
}

bool wake_is_hungry(const struct wake *wake)
{
    for (unsigned i = 0; i < BP_WORKER_SLOTS; i++)
        if (atomic_load_explicit(&wake->shared->hungry[i], memory_order_relaxed))
            return true;
    return false;
}
