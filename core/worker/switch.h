/* SPDX-License-Identifier: MIT */
/*
 * Switching between the loop's stack and a fiber's. Twin files chosen by Meson: switch_jump.c for normal builds,
 * switch_context.c for sanitizer builds.
 */
#ifndef CORE_WORKER_SWITCH_H
#define CORE_WORKER_SWITCH_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

struct switch_context;

struct switcher {
    void *low; /* the stack's lowest usable byte */
    size_t size;
    void (*run)(void *argument);
    void *argument;
    bool started;
    jmp_buf inside, outside;
    struct switch_context *context; /* of switch_context.c */
};

/* Zeroes are filled by the caller: low, size, run, argument. 0 or BP_NOMEM. */
int switch_init(struct switcher *switcher);
void switch_deinit(struct switcher *switcher);
/* From the loop's stack into the fiber's: first calls run(argument) there, later returns from its switch_out(). Comes back
 * at the next switch_out() or when run() has returned; the switch_in() after that calls run() anew. */
void switch_in(struct switcher *switcher);
void switch_out(struct switcher *switcher);

#endif
