/* SPDX-License-Identifier: MIT */
/* Who is shown the lines of the log. Threads of plugins write some, so it is under a mutex, which makes one line come after another, too. */
#include <pthread.h>
#include <stdlib.h>

#include "backplane/status.h"
#include "core/base/log.h"
#include "core/plugin/assembly.h"

struct log_hook {
    struct log_hook *next;
    const struct bp_host *host;
    void (*function)(void *argument, const struct bp_log_line *line);
    void *argument;
};

/* Of this process. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct log_hook *hooks;
static _Thread_local bool inside;

static void observe(const struct bp_log_line *line)
{
    if (inside)
        return;
    inside = true;
    pthread_mutex_lock(&mutex);
    for (const struct log_hook *hook = hooks; hook; hook = hook->next)
        hook->function(hook->argument, line);
    pthread_mutex_unlock(&mutex);
    inside = false;
}

int bp_on_log(struct bp_host *host, void (*function)(void *argument, const struct bp_log_line *line), void *argument)
{
    struct log_hook *hook = malloc(sizeof(*hook));
    if (!hook)
        return BP_NOMEM;
    *hook = (struct log_hook){.host = host, .function = function, .argument = argument};
    pthread_mutex_lock(&mutex);
    hook->next = hooks;
    hooks = hook;
    log_observer = observe;
    pthread_mutex_unlock(&mutex);
    return 0;
}

void log_hooks_forget(const struct bp_host *host)
{
    pthread_mutex_lock(&mutex);
    for (struct log_hook **at = &hooks, *hook = hooks; hook; hook = *at) {
        if (hook->host != host) {
            at = &hook->next;
            continue;
        }
        *at = hook->next;
        free(hook);
    }
    if (!hooks)
        log_observer = (log_observer_function *)NULL;
    pthread_mutex_unlock(&mutex);
}
