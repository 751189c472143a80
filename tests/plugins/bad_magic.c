/* SPDX-License-Identifier: MIT */
/* Is no plugin of ours. */
#include "backplane/backplane.h"

__attribute__((visibility("default"))) const struct bp_plugin *backplane_plugin(void);

const struct bp_plugin *backplane_plugin(void)
{
    static const struct bp_plugin plugin = {
        .magic = 0xdeadbeefu,
        .abi_major = BP_ABI_MAJOR,
        .abi_minor = BP_ABI_MINOR,
        .size = sizeof(plugin),
        .name = "bad_magic",
    };
    return &plugin;
}
