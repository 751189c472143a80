/* SPDX-License-Identifier: MIT */
/* What the instances depend on outside of the process (backplane/health.h). */
#include "backplane/health.h"

#include "backplane/arena.h"
#include "backplane/status.h"
#include "core/plugin/assembly.h"

struct health_node {
    struct health_node *next;
    struct bp_health_entry entry;
};

int bp_health_new_with(struct bp_host *host, const struct bp_health_check *check, bool required, bp_span grace)
{
    struct assembly *assembly = host->assembly;
    struct health_node **end = &assembly->health;
    struct health_node *node = bp_arena_alloc(assembly->arena, sizeof(*node));
    if (!node)
        return BP_NOMEM;
    node->entry = (struct bp_health_entry){check, host->self, host->name_str, required, grace};
    while (*end)
        end = &(*end)->next;
    *end = node;
    return 0;
}

int bp_health_new(struct bp_host *host, const struct bp_health_check *check)
{
    return bp_health_new_with(host, check, check->required != 0, check->grace);
}

const struct bp_health_entry *bp_health_entry(const struct bp_host *host, size_t index)
{
    const struct health_node *node = host->assembly->health;
    while (node && index-- > 0)
        node = node->next;
    return node ? &node->entry : NULL;
}
