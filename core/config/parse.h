/* SPDX-License-Identifier: MIT */
#ifndef CORE_CONFIG_PARSE_H
#define CORE_CONFIG_PARSE_H

#include "core/config/source.h"

/* The settings of a source, as written, as a group in the loader's arena. False after reporting what is wrong. */
bool parse_source(struct loader *loader, const struct source *source, struct config_setting *ret_root);

#endif
