/* SPDX-License-Identifier: MIT */
/* What the instances depend on outside of the process (backplane/health.h). */
#include "core/plugin/health.h"

#include "backplane/arena.h"
#include "backplane/health.h"
#include "backplane/status.h"
#include "backplane/wait.h"
#include "core/plugin/assembly.h"
#include "core/worker/fiber.h"

struct health_node {
    struct bp_health_entry entry; /* the first member: what bp_health_ask() is given */
    struct health_node *next;
    struct bp_host *host;
    struct bp_fiber *asking; /* NULL: nobody */
    bool closed;             /* the instance stops */
    bp_event settled;        /* for the stop, which waits for whoever is asking */
};

int bp_health_new_with(struct bp_host *host, const struct bp_health_check *check, bool required, bp_span grace)
{
    struct assembly *assembly = host->assembly;
    struct health_node **end = &assembly->health;
    struct health_node *node = bp_arena_alloc(assembly->arena, sizeof(*node));
    if (!node)
        return BP_NOMEM;
    *node = (struct health_node){.entry = {check, host->self, host->name_str, required, grace}, .host = host};
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

int bp_health_ask(const struct bp_health_entry *entry, bp_span timeout, char detail[BP_HEALTH_DETAIL])
{
    struct health_node *node = (struct health_node *)(uintptr_t)entry;
    detail[0] = '\0';
    if (node->closed || node->host->state != HOST_STARTED)
        return BP_CANCELED;
    if (node->asking)
        return BP_BUSY;
    node->asking = fiber_current();
    bp_event_init(&node->settled);
    struct fiber_place before = fiber_enter((struct fiber_place){.plugin = node->host->name, .hook = "health check"});
    int status = entry->check->check(entry->self, timeout, detail);
    fiber_enter(before);
    detail[BP_HEALTH_DETAIL - 1] = '\0';
    node->asking = NULL;
    if (node->closed)
        bp_event_set(&node->settled);
    return status;
}

void health_close(const struct bp_host *host)
{
    for (struct health_node *node = host->assembly->health; node; node = node->next) {
        if (node->host != host)
            continue;
        node->closed = true;
        if (!node->asking)
            continue;
        fiber_cancel(node->asking, BP_CANCELED);
        bp_event_wait_always(&node->settled);
    }
}
