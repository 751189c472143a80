/* SPDX-License-Identifier: MIT */
/* A shared object without BP_PLUGIN(). */
#include "backplane/backplane.h"

__attribute__((visibility("default"))) int not_a_plugin(void);

int not_a_plugin(void)
{
    return 0;
}
