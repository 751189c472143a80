/* SPDX-License-Identifier: MIT */
#include "backplane/plugin.h"
#include "build_info.h"

const char *bp_version(void)
{
    return BACKPLANE_VERSION;
}
