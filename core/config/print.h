/* SPDX-License-Identifier: MIT */
#ifndef CORE_CONFIG_PRINT_H
#define CORE_CONFIG_PRINT_H

#include "core/config/config.h"

#include <stdio.h>

/*
 * The configuration as it is understood, as one file that could be read again: included files merged, ${…} substituted, entries that are left out gone, server
 * options that are not set with their defaults; behind each value where it is from. Hidden, as "[secret]": what is_secret says (option "a.b": b in group a; it may
 * be NULL), values from ${file:…} and from variables named like secrets, and passwords in URLs. Returns 0, or BP_ERROR when out cannot be written.
 */
int config_print(const struct config *config,
                 bool (*is_secret)(void *argument, const char *instance, const char *option), void *argument,
                 FILE *out);
/* Adds text with the passwords of its URLs, and those after "password=", replaced by [secret]. */
void config_hide_passwords(bp_str text, struct buffer *out);

#endif
