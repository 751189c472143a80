/* SPDX-License-Identifier: MIT */
/* One plugins: entry becomes an instance: its struct made, its options decoded by the plugin's rows. */
#ifndef CORE_PLUGIN_INSTANCE_H
#define CORE_PLUGIN_INSTANCE_H

#include "core/plugin/assembly.h"
#include "core/plugin/library.h"

/* Makes the host, its self and its stage defaults; what is wrong with the options is in the report, and host->wrong is set. BP_NOMEM or 0. */
int instance_new(struct assembly *assembly, const struct config_plugin *config, const struct library *library,
                 struct bp_host **ret_host);
/* Decodes what a stage says over the instance's defaults; *ret_stage is NULL when the plugin has no stage options. False: reported. */
bool instance_decode_stage(struct bp_host *host, const struct config_stage *config, const char *path, void **ret_stage);
/* init, unless something is wrong with the instance or with one that it needs. */
void instance_init(struct bp_host *host);
/* deinit when init was called; frees self. */
void instance_deinit(struct bp_host *host);

#endif
