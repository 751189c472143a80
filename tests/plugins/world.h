/* SPDX-License-Identifier: MIT */
/* A configuration, written as text, put together with the plugins of this folder. */
#ifndef TESTS_PLUGINS_WORLD_H
#define TESTS_PLUGINS_WORLD_H

#include "core/plugin/assembly.h"

struct world {
    struct report report;
    struct config *config;
    struct shared *shared;
    struct assembly *assembly; /* NULL when something was wrong */
    char *folder;              /* a fresh one, which is also the working directory; the configuration is t.cfg in it */
};

/* server: { … } with the plugin path comes before text, on line 1; so text begins on line 2. */
void world_load(struct world *world, const char *text);
/* The same, as `check` does it: a variable that is not set is a placeholder. */
void world_load_leniently(struct world *world, const char *text);
void world_free(struct world *world);
/* What was reported, with the folder of plugins written as "PLUGINS". Valid until the next call. */
const char *world_report(const struct world *world);
/* The names of the pipeline's stages, "base.a base.b", or "?" without such a pipeline. Valid until the next call. */
const char *world_stages(const struct world *world, const char *pipeline);

/* text with every `from` replaced. malloc'ed. */
char *text_replace(const char *text, const char *from, const char *to);

#endif
