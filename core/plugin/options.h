/* SPDX-License-Identifier: MIT */
/* The settings of a plugins: entry, or of a stage, decoded by the plugin's rows. */
#ifndef CORE_PLUGIN_OPTIONS_H
#define CORE_PLUGIN_OPTIONS_H

#include "core/plugin/assembly.h"

struct options_group {
    struct bp_host *host;
    const struct config_setting *setting; /* NULL: a bare name */
    struct config_place place;
    const char *path; /* "plugins.rate_limit" */
    bool is_stage;    /* only BP_STAGE rows are allowed, and go into `stage` */
    void *stage;      /* where BP_STAGE rows go; NULL when there are none */
};

/* Everything wrong is reported; false when anything was. */
bool options_decode(const struct options_group *group);
/* True when the setting, or one inside it, stands for a variable that is not set (only where that is allowed). */
bool options_is_placeholder(const struct config_setting *setting);

#endif
