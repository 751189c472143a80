/* SPDX-License-Identifier: MIT */
/* Was built for a newer server. */
#include "backplane/backplane.h"

__attribute__((visibility("default"))) const struct bp_plugin *backplane_plugin(void);

const struct bp_plugin *backplane_plugin(void)
{
    static const struct bp_plugin plugin = {
        .magic = BP_ABI_MAGIC,
        .abi_major = BP_ABI_MAJOR,
        .abi_minor = BP_ABI_MINOR + 1,
        .size = sizeof(plugin),
        .name = "newer_minor",
    };
    return &plugin;
}
