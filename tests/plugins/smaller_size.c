/* SPDX-License-Identifier: MIT */
/* Its descriptor lacks members that every version has. */
#include "backplane/backplane.h"

__attribute__((visibility("default"))) const struct bp_plugin *backplane_plugin(void);

const struct bp_plugin *backplane_plugin(void)
{
    static const struct bp_plugin plugin = {
        .magic = BP_ABI_MAGIC,
        .abi_major = BP_ABI_MAJOR,
        .abi_minor = BP_ABI_MINOR,
        .size = 64,
        .name = "smaller_size",
    };
    return &plugin;
}
