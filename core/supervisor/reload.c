/* SPDX-License-Identifier: MIT */
#include "core/supervisor/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backplane/log.h"
#include "backplane/status.h"
#include "core/base/log.h"
#include "core/supervisor/notify.h"

#define SAID_MAX ((size_t)64 << 10)

/* ---- the end of it ---- */

static void stop_listening_to_the_check(struct reload *reload)
{
    if (reload->said_fd >= 0)
        (void)close(reload->said_fd);
    reload->said_fd = -1;
}

static void forget(struct reload *reload)
{
    stop_listening_to_the_check(reload);
    listeners_close(&reload->listeners);
    reload->next = config_free(reload->next);
    buffer_deinit(&reload->said);
    reload->stage = RELOAD_NONE;
}

static void show(struct workers *workers, bool successful)
{
    workers->supervision.refused = !successful;
    supervision_refresh(&workers->supervision, workers->shared, workers_running(workers));
}

/* reason: lines. */
static void refuse(struct reload *reload, bp_str reason)
{
    struct workers *workers = reload->workers;

    if (reload->check > 0)
        (void)kill(reload->check, SIGKILL);
    reload->check = 0; /* when it is reaped, nobody asks any more */
    if (workers->next)
        workers_abandon(workers);
    show(workers, false);
    bp_log(NULL, BP_LOG_ERROR, "reload.refused", "The configuration was not taken over: the one before goes on",
           bp_log_str("reason", bp_str_trim(reason)));
    notify_manager("READY=1");
    reload->ended(reload->argument, bp_str_trim(reason));
    forget(reload);
}

static void __attribute__((format(printf, 2, 3))) refuse_for(struct reload *reload, const char *format, ...)
{
    char text[600];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    refuse(reload, bp_str_of(text));
}

static void complete(struct reload *reload, bp_time now)
{
    struct config *before = *reload->config;
    struct workers *workers = reload->workers;
    const struct config_server *server = &reload->next->server;

    *reload->config = reload->next;
    reload->next = NULL;
    listeners_exchange(reload->open, &reload->listeners);
    workers->next_plan.listeners = reload->open;
    workers_accept(workers, now);
    config_free(before);
    log_setup((enum bp_level)server->log_level, (enum log_format)server->log_format, "supervisor");
    workers->supervision.loaded = bp_date_now();
    show(workers, true);
    bp_log(NULL, BP_LOG_INFO, "reload.done", "The configuration was taken over",
           bp_log_int("generation", workers->generation), bp_log_int("workers", workers->plan.serving),
           bp_log_int("job_workers", workers->plan.jobs), bp_log_int("ms", (now - reload->begun) / BP_MILLISECOND));
    notify_manager("READY=1");
    reload->ended(reload->argument, bp_str_n(NULL, 0));
    forget(reload);
}

/* ---- the check ---- */

static struct config_load_options options_of(const struct reload *reload)
{
    struct config_load_options options = *reload->workers->options;
    options.without = reload->without;
    return options;
}

bool reload_begin(struct reload *reload, const char *without, bp_time now)
{
    struct child child = {.kind = CHILD_CHECK, .memory_fd = -1, .supervisor = getpid()};
    int pipe_fds[2];

    if (reload->stage != RELOAD_NONE)
        return false;
    reload->stage = RELOAD_CHECKING;
    reload->begun = now;
    (void)snprintf(reload->without, sizeof(reload->without), "%s", without);
    reload->until = now + (*reload->config)->server.reload_timeout;
    reload->said_fd = -1;
    notify_manager("RELOADING=1");
    bp_log(NULL, BP_LOG_INFO, "reload.begun", "The configuration is read again");
    /* What fails from here on is said at the end of the turn: who asks is not waiting yet. */
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        buffer_printf(&reload->said, "cannot start the check: %s", strerror(errno));
        return true;
    }
    (void)fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
    child.control_fd = pipe_fds[1];
    const struct config_load_options options = options_of(reload);
    pid_t pid = child_spawn(&child, &options);
    int error = errno;
    (void)close(pipe_fds[1]);
    reload->said_fd = pipe_fds[0];
    reload->check = pid > 0 ? pid : 0;
    if (pid < 0)
        buffer_printf(&reload->said, "cannot start the check: %s", strerror(error));
    return true;
}

void reload_poll(const struct reload *reload, struct pollfd *ret_polled)
{
    *ret_polled = (struct pollfd){.fd = reload->stage == RELOAD_NONE ? -1 : reload->said_fd, .events = POLLIN};
}

/* What is beyond the bound is read, and dropped. */
void reload_hear(struct reload *reload)
{
    char text[4096];

    while (reload->stage != RELOAD_NONE && reload->said_fd >= 0) {
        ssize_t n = read(reload->said_fd, text, sizeof(text));
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0)
            stop_listening_to_the_check(reload);
        else if (reload->said.len < SAID_MAX)
            buffer_add(&reload->said, bp_str_n(text, (size_t)n));
    }
}

/* ---- the workers ---- */

/* What a server that runs keeps: what else it holds in its hands belongs to these. */
static bool keeps(struct reload *reload)
{
    const struct config_server *now = &(*reload->config)->server, *next = &reload->next->server;

    if (!bp_str_eq(now->data, next->data))
        refuse_for(reload, "server.data cannot change while the server runs (it is \"%" BP_STR_FMT "\"): restart it",
                   BP_STR_ARG(now->data));
    else if (now->shared_memory != next->shared_memory)
        refuse_for(reload, "server.shared_memory cannot change while the server runs: restart it");
    else
        return true;
    return false;
}

static void launch(struct reload *reload, bp_time now)
{
    const struct config_server *server = &reload->next->server;
    struct workers_plan plan = workers_plan(server, &reload->listeners);
    struct buffer problems = {0};

    memcpy(plan.without, reload->without, sizeof(plan.without));
    if (listeners_reopen(server->listen.ptr, server->listen.len, reload->open, &reload->listeners, &problems) != 0) {
        refuse(reload, buffer_str(&problems));
        buffer_deinit(&problems);
        return;
    }
    int r = workers_launch(reload->workers, &plan);
    if (r == BP_BUSY)
        refuse_for(reload, "too many workers of earlier configurations have not ended yet: try again in a while");
    else if (r != 0)
        refuse_for(reload, "%s", reload->workers->problem);
    else {
        reload->stage = RELOAD_STARTING;
        reload->until = now + server->reload_timeout;
    }
}

/* The child has seen that the file is fine; but it may have changed since. */
static void read_again(struct reload *reload, bp_time now)
{
    const struct config_load_options options = options_of(reload);
    struct report report = {0};

    if (config_load(&options, &report, &reload->next) != 0)
        refuse(reload, buffer_str(&report.text));
    else if (keeps(reload))
        launch(reload, now);
    report_deinit(&report);
}

bool reload_reaped(struct reload *reload, pid_t pid, int wait_status, bp_time now)
{
    if (reload->check == 0 || pid != reload->check)
        return false;
    reload->check = 0;
    reload_hear(reload);
    if (WIFSIGNALED(wait_status))
        refuse_for(reload, "the check was killed by SIG%s",
                   sigabbrev_np(WTERMSIG(wait_status)) ? sigabbrev_np(WTERMSIG(wait_status)) : "?");
    else if (WEXITSTATUS(wait_status) != 0 && reload->said.len > 0)
        refuse(reload, buffer_str(&reload->said));
    else if (WEXITSTATUS(wait_status) != 0)
        refuse_for(reload, "the check failed; its lines in the log say why");
    else
        read_again(reload, now);
    return true;
}

void reload_step(struct reload *reload, bp_time now)
{
    struct workers *workers = reload->workers;

    if (reload->stage == RELOAD_CHECKING && reload->check == 0)
        refuse(reload, buffer_str(&reload->said)); /* it could not begin */
    else if (reload->stage == RELOAD_STARTING && workers->failed)
        refuse_for(reload, "%s", workers->problem);
    else if (reload->stage == RELOAD_STARTING && workers_ready(workers))
        complete(reload, now);
    else if (reload->stage != RELOAD_NONE && now >= reload->until)
        refuse_for(reload, "%s took longer than server.reload_timeout allows",
                   reload->stage == RELOAD_CHECKING ? "the check" : "the start of the workers");
}

bp_time reload_due(const struct reload *reload)
{
    return reload->stage == RELOAD_NONE ? BP_FOREVER : reload->until;
}

void reload_cancel(struct reload *reload)
{
    if (reload->stage != RELOAD_NONE)
        refuse_for(reload, "the server is told to stop");
}
