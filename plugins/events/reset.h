/* SPDX-License-Identifier: MIT */
/* `backplane events reset`: after the database was restored or exchanged. */
#ifndef PLUGINS_EVENTS_RESET_H
#define PLUGINS_EVENTS_RESET_H

#include "backplane/plugin.h"

extern const struct bp_command reset_commands[];

#endif
