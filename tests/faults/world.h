/* SPDX-License-Identifier: MIT */
/* The shipped server inside the test's process: one worker without a supervisor, on one end of a socket pair. */
#ifndef FAULTS_WORLD_H
#define FAULTS_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/config/config.h"

struct world {
    struct report report;
    struct config *config;
    struct shared *shared;
    struct assembly *assembly;
    struct bp_arena *life_arena;
    struct loop *loop;
    struct server *server;
    bool started; /* the plugins are */
};

/* A fresh data folder for the process, named in the environment that the configuration reads. False: errno says why. */
bool world_prepare(char folder[64]);
/* Each returns 0 or a negative status; world_close() may follow any of them. */
int world_load(struct world *world, const char *config_file); /* config_load, assembly_load */
int world_migrate(struct world *world);
int world_start(struct world *world); /* the loop, the plugins, the server */
void world_close(struct world *world);

enum { ANSWER_SIZE = 64 * 1024 };

/* Sends bytes on a new connection and runs the loop until its end. False when that takes more than ten seconds. What came is in text, NUL behind it. */
bool world_ask(struct world *world, const char *bytes, size_t len, char text[ANSWER_SIZE], size_t *ret_len);

#endif
