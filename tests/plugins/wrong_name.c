/* SPDX-License-Identifier: MIT */
/* Is named otherwise than its file. */
#include "backplane/backplane.h"

__attribute__((visibility("default"))) const struct bp_plugin *backplane_plugin(void);

const struct bp_plugin *backplane_plugin(void)
{
    static const struct bp_plugin plugin = {
        .magic = BP_ABI_MAGIC,
        .abi_major = BP_ABI_MAJOR,
        .abi_minor = BP_ABI_MINOR,
        .size = sizeof(plugin),
        .name = "another",
    };
    return &plugin;
}
