/* SPDX-License-Identifier: MIT */
/*
 * Another configuration in the place of the one that runs, without a request lost: a child checks it, its workers start beside those that serve, and only
 * when all of them are ready do these retire. Whatever fails before leaves everything as it was. Never blocks.
 */
#ifndef CORE_SUPERVISOR_RELOAD_H
#define CORE_SUPERVISOR_RELOAD_H

#include <poll.h>

#include "core/supervisor/workers.h"

enum reload_stage { RELOAD_NONE, RELOAD_CHECKING, RELOAD_STARTING };

struct reload {
    /* What runs, and is exchanged. */
    struct config **config;
    struct listeners *open;
    struct workers *workers;
    char without[WORKERS_WITHOUT]; /* what this one leaves out */
    /* Called once for each reload that was begun; problem: lines, what was wrong; ptr NULL: it has taken place. */
    void (*ended)(void *argument, bp_str problem);
    void *argument;

    enum reload_stage stage;
    pid_t check; /* 0: none runs */
    int said_fd; /* what it has to say comes from there; -1 */
    struct buffer said;
    bp_time begun, until; /* when the stage has taken too long */
    struct config *next;
    struct listeners listeners;
};

/* False: one is under way. Else it will end. without: instances that are left out, in the form of config_load_options. */
bool reload_begin(struct reload *reload, const char *without, bp_time now);
void reload_poll(const struct reload *reload, struct pollfd *ret_polled);
void reload_hear(struct reload *reload);
/* A child has ended. False: it was not the check. */
bool reload_reaped(struct reload *reload, pid_t pid, int wait_status, bp_time now);
/* Looks how far the workers are, and at the time. */
void reload_step(struct reload *reload, bp_time now);
/* When it will be late; BP_FOREVER. */
bp_time reload_due(const struct reload *reload);
/* The server ends: none is ended any more, but said to be. */
void reload_cancel(struct reload *reload);

#endif
