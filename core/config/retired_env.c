/* SPDX-License-Identifier: MIT */
/* Environment variables of the system that this one replaces, which no longer mean anything: set, they are errors rather than ignored. */
#include "core/config/loader.h"

#include <stdlib.h>

static const struct retired {
    const char *name;
    const char *instead;
} retired[] = {
    {.name = "UPSTASH_REDIS_URL", .instead = "set REDIS_URL instead"},
    {.name = "UPSTASH_REDIS_TOKEN", .instead = "put the password into REDIS_URL instead"},
    {.name = "TEST_USER_ID", .instead = "it has no replacement; unset it"},
};

void loader_retired(struct loader *loader)
{
    for (size_t i = 0; i < sizeof(retired) / sizeof(*retired); i++) {
        const char *value = getenv(retired[i].name);
        if (value && *value)
            report_error(loader->report, NULL, 0, NULL, "environment variable %s is no longer used: %s",
                         retired[i].name, retired[i].instead);
    }
}
