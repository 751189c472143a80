/* SPDX-License-Identifier: MIT */
/*
 * _setjmp and _longjmp between stacks that makecontext() started once: no system call, a tenth of swapcontext()'s cost. The C
 * library's fortified longjmp() takes a jump to another stack for an error, hence the first line.
 */
#undef _FORTIFY_SOURCE

#include "core/worker/switch.h"

#include <stdlib.h>
#include <ucontext.h>

int switch_init(struct switcher *switcher)
{
    switcher->started = false;
    return 0;
}

void switch_deinit(struct switcher *switcher)
{
    switcher->started = false;
}

void switch_out(struct switcher *switcher)
{
    if (_setjmp(switcher->inside) == 0)
        _longjmp(switcher->outside, 1);
}

/* makecontext() passes ints only, so the one that starts is left here. */
static _Thread_local struct switcher *starting;

static void begin(void)
{
    struct switcher *switcher = starting;
    for (;;) {
        switcher->run(switcher->argument);
        switch_out(switcher);
    }
}

static void start(struct switcher *switcher)
{
    ucontext_t context;
    if (getcontext(&context) != 0)
        abort();
    context.uc_stack.ss_sp = switcher->low;
    context.uc_stack.ss_size = switcher->size;
    context.uc_link = NULL;
    makecontext(&context, begin, 0);
    switcher->started = true;
    starting = switcher;
    setcontext(&context);
    abort();
}

void switch_in(struct switcher *switcher)
{
    if (_setjmp(switcher->outside) != 0)
        return;
    if (!switcher->started)
        start(switcher);
    _longjmp(switcher->inside, 1);
}
