/* SPDX-License-Identifier: MIT */
/* Was built for another major version of the ABI. */
#include "backplane/backplane.h"

__attribute__((visibility("default"))) const struct bp_plugin *backplane_plugin(void);

const struct bp_plugin *backplane_plugin(void)
{
    static const struct bp_plugin plugin = {
        .magic = BP_ABI_MAGIC,
        .abi_major = BP_ABI_MAJOR + 1,
        .abi_minor = BP_ABI_MINOR,
        .size = sizeof(plugin),
        .name = "other_major",
    };
    return &plugin;
}
