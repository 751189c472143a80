/* SPDX-License-Identifier: MIT */
/*
 * For sanitizer builds: swapcontext(), told to ASan and TSan. Each run of a fiber is a new one to them, and dies at its end, so
 * that ASan frees its fake stack.
 */
#include "core/worker/switch.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "backplane/status.h"
#include "core/base/sanitize.h"

#if SANITIZE_ADDRESS
#include <sanitizer/common_interface_defs.h>
#define ASAN_LEAVE(fake, low, size) __sanitizer_start_switch_fiber((fake), (low), (size))
#define ASAN_ARRIVE(fake, low, size) __sanitizer_finish_switch_fiber((fake), (low), (size))
#else
#define ASAN_LEAVE(fake, low, size) ((void)(fake), (void)(low), (void)(size))
#define ASAN_ARRIVE(fake, low, size) ((void)(fake), (void)(low), (void)(size))
#endif
#if SANITIZE_THREAD
#include <sanitizer/tsan_interface.h>
#define TSAN_NEW() __tsan_create_fiber(0)
#define TSAN_FREE(fiber) __tsan_destroy_fiber(fiber)
#define TSAN_CURRENT() __tsan_get_current_fiber()
#define TSAN_SWITCH(fiber) __tsan_switch_to_fiber((fiber), 0)
#else
#define TSAN_NEW() NULL
#define TSAN_FREE(fiber) ((void)(fiber))
#define TSAN_CURRENT() NULL
#define TSAN_SWITCH(fiber) ((void)(fiber))
#endif

struct switch_context {
    ucontext_t inside, outside;
    void *inside_fake, *outside_fake;
    const void *outside_low;
    size_t outside_size;
    void *inside_thread, *outside_thread;
    bool ended;
};

/* ASan puts a swapcontext() of its own in front, which warns on standard error that it knows nothing of the calls below. */
static int (*swap)(ucontext_t *from, const ucontext_t *to);

static void find_swap(void)
{
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    void *found = libc ? dlsym(libc, "swapcontext") : NULL;
    if (!found)
        abort();
    memcpy(&swap, &found, sizeof(swap));
}

int switch_init(struct switcher *switcher)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_swap);
    switcher->started = false;
    switcher->context = calloc(1, sizeof(*switcher->context));
    return switcher->context ? 0 : BP_NOMEM;
}

void switch_deinit(struct switcher *switcher)
{
    free(switcher->context);
    switcher->context = NULL;
}

void switch_out(struct switcher *switcher)
{
    struct switch_context *context = switcher->context;
    ASAN_LEAVE(context->ended ? NULL : &context->inside_fake, context->outside_low, context->outside_size);
    TSAN_SWITCH(context->outside_thread);
    swap(&context->inside, &context->outside);
    ASAN_ARRIVE(context->inside_fake, &context->outside_low, &context->outside_size);
}

static _Thread_local struct switcher *starting;

static void begin(void)
{
    struct switcher *switcher = starting;
    ASAN_ARRIVE(NULL, &switcher->context->outside_low, &switcher->context->outside_size);
    switcher->run(switcher->argument);
    switcher->context->ended = true;
    switch_out(switcher);
    abort();
}

static void prepare(struct switcher *switcher)
{
    struct switch_context *context = switcher->context;
    if (getcontext(&context->inside) != 0)
        abort();
    memory_show(switcher->low, switcher->size);
    context->inside.uc_stack.ss_sp = switcher->low;
    context->inside.uc_stack.ss_size = switcher->size;
    context->inside.uc_link = NULL;
    makecontext(&context->inside, begin, 0);
    context->ended = false;
    context->inside_thread = TSAN_NEW();
    switcher->started = true;
    starting = switcher;
}

void switch_in(struct switcher *switcher)
{
    struct switch_context *context = switcher->context;
    if (!switcher->started)
        prepare(switcher);
    context->outside_thread = TSAN_CURRENT();
    ASAN_LEAVE(&context->outside_fake, switcher->low, switcher->size);
    TSAN_SWITCH(context->inside_thread);
    swap(&context->outside, &context->inside);
    ASAN_ARRIVE(context->outside_fake, NULL, NULL);
    if (context->ended) {
        TSAN_FREE(context->inside_thread);
        memory_hide(switcher->low, switcher->size); /* catches whoever still points to it */
        switcher->started = false;
    }
}
