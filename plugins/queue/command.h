/* SPDX-License-Identifier: MIT */
/* `backplane jobs list|show|retry|cancel|queues|pause|resume`: for those who look after jobs where there is no administrator's token. */
#ifndef QUEUE_COMMAND_H
#define QUEUE_COMMAND_H

#include "backplane/plugin.h"

extern const struct bp_command command_rows[];

#endif
