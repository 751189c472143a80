/* SPDX-License-Identifier: MIT */
#include "core/worker/reopen.h"

#include <stdlib.h>

#include "backplane/plugin.h"
#include "backplane/status.h"
#include "core/plugin/assembly.h"
#include "core/worker/fiber.h"

struct listener {
    struct listener *next;
    struct bp_host *host;
    void (*function)(void *argument);
    void *argument;
};

static struct listener *listeners;

int bp_on_reopen(struct bp_host *host, void (*function)(void *argument), void *argument)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    if (!listener)
        return BP_NOMEM;
    *listener = (struct listener){.next = listeners, .host = host, .function = function, .argument = argument};
    listeners = listener;
    return 0;
}

void reopen_logs(void)
{
    for (const struct listener *listener = listeners; listener; listener = listener->next) {
        struct fiber_place before =
            fiber_enter((struct fiber_place){.plugin = listener->host->name, .hook = "reopen"});
        listener->function(listener->argument);
        (void)fiber_enter(before);
    }
}

void reopen_free(void)
{
    for (struct listener *listener = listeners, *next; listener; listener = next) {
        next = listener->next;
        free(listener);
    }
    listeners = NULL;
}
