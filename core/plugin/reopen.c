/* SPDX-License-Identifier: MIT */
/* Log files opened again after a rotation. */
#include "backplane/log.h"
#include "backplane/status.h"
#include "core/plugin/assembly.h"

struct reopen_hook {
    struct reopen_hook *next;
    void (*function)(void *argument);
    void *argument;
};

int bp_on_reopen(struct bp_host *host, void (*function)(void *argument), void *argument)
{
    struct reopen_hook *hook = bp_arena_alloc(host->assembly->arena, sizeof(*hook));
    if (!hook)
        return BP_NOMEM;
    *hook = (struct reopen_hook){host->assembly->reopen, function, argument};
    host->assembly->reopen = hook;
    return 0;
}

void assembly_reopen(const struct assembly *assembly)
{
    for (const struct reopen_hook *hook = assembly->reopen; hook; hook = hook->next)
        hook->function(hook->argument);
}
