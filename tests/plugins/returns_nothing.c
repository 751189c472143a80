/* SPDX-License-Identifier: MIT */
/* Gives no descriptor. */
#include "backplane/backplane.h"

__attribute__((visibility("default"))) const struct bp_plugin *backplane_plugin(void);

const struct bp_plugin *backplane_plugin(void)
{
    return NULL;
}
