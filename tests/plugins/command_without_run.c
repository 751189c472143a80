/* SPDX-License-Identifier: MIT */
/* A command that does nothing at all. */
#include "backplane/backplane.h"

static const struct bp_command commands[] = {BP_COMMAND(.name = "idle"), BP_COMMAND_END};

BP_PLUGIN(.name = "command_without_run", .version = "1.0.0", .commands = commands);
