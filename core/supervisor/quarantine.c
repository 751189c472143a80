/* SPDX-License-Identifier: MIT */
#include "core/supervisor/quarantine.h"

#include <string.h>

static bool is_optional(const struct config *config, bp_str instance)
{
    for (size_t i = 0; i < config->plugin_count; i++)
        if (bp_str_is(instance, config->plugins[i].name))
            return config->plugins[i].optional;
    return false;
}

/* Its own place, else a free one, else that of who has been good for the longest time. */
static struct suspect *find(struct quarantine *quarantine, bp_str instance)
{
    struct suspect *place = &quarantine->suspects[0];
    for (unsigned i = 0; i < QUARANTINE_SUSPECTS; i++) {
        struct suspect *suspect = &quarantine->suspects[i];
        if (bp_str_is(instance, suspect->name))
            return suspect;
        if (place->name[0] && (!suspect->name[0] || suspect->since < place->since))
            place = suspect;
    }
    *place = (struct suspect){0};
    memcpy(place->name, instance.ptr, instance.len);
    return place;
}

bool quarantine_crashed(struct quarantine *quarantine, const struct config *config, bp_str instance, bp_time now)
{
    if (instance.len == 0 || instance.len > CONFIG_NAME_MAX || !is_optional(config, instance))
        return false;
    struct suspect *suspect = find(quarantine, instance);
    if (suspect->crashes == 0 || now - suspect->since > QUARANTINE_WINDOW) {
        suspect->crashes = 0;
        suspect->since = now;
    }
    suspect->crashes++;
    return !suspect->indispensable && suspect->crashes >= config->server.quarantine_after;
}

void quarantine_failed(struct quarantine *quarantine, bp_str instance)
{
    find(quarantine, instance)->indispensable = true;
}

void quarantine_forget(struct quarantine *quarantine)
{
    *quarantine = (struct quarantine){0};
}
