/* SPDX-License-Identifier: MIT */
#include "core/supervisor/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backplane/status.h"
#include "build_info.h"
#include "core/base/log.h"
#include "core/error/errors.h"
#include "core/supervisor/data.h"
#include "core/supervisor/inspect.h"
#include "core/supervisor/notify.h"
#include "core/supervisor/quarantine.h"
#include "core/supervisor/recycle.h"
#include "core/supervisor/reload.h"
#include "core/supervisor/shared.h"
#include "core/supervisor/workers.h"

#define TICK BP_SECOND
#define TICK_LATE (250 * BP_MILLISECOND) /* later than this, the machine was frozen */
#define KILL_GRACE BP_SECOND             /* for a worker to abort what it did not finish in time */

enum life { LIFE_RUNNING, LIFE_UNREADY /* drain_delay runs */, LIFE_DRAINING, LIFE_KILLING };

struct supervisor {
    struct workers workers;
    struct config *config;
    struct listeners listeners;
    struct shared *shared;
    struct inspect inspect;
    struct reload reload;
    struct quarantine quarantine;
    char accused[CONFIG_NAME_MAX + 1]; /* the instance that a reload leaves out; empty: the reload was asked for */
    int signal_fd, data_fd;
    enum life life;
    bp_time life_until; /* when the next step of life is due */
    bp_time tick;
};

/* ---- signals ---- */

static int open_signals(void)
{
    static const int wanted[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2, SIGPIPE};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        sigaddset(&set, wanted[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* The number of the next signal; 0: none. */
static int next_signal(int signal_fd)
{
    struct signalfd_siginfo info;
    return read(signal_fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

static bool is_end(int signal_number)
{
    return signal_number == SIGTERM || signal_number == SIGINT;
}

static void drain(struct supervisor *supervisor, bp_time now)
{
    const struct config_server *server = &supervisor->config->server;

    /* Nobody but the kernel's backlog would answer there. */
    listeners_close(&supervisor->listeners);
    supervisor->workers.draining = true;
    workers_order(&supervisor->workers, CONTROL_DRAIN, (uint64_t)server->drain_timeout);
    supervisor->life = LIFE_DRAINING;
    supervisor->life_until = now + server->drain_timeout + KILL_GRACE;
}

static void end(struct supervisor *supervisor, int signal_number, bp_time now)
{
    const struct config_server *server = &supervisor->config->server;

    reload_cancel(&supervisor->reload);
    if (supervisor->life != LIFE_RUNNING || supervisor->workers.generation == 0) {
        bp_log(NULL, BP_LOG_WARN, "server.killed", "Ending at once", bp_log_int("signal", signal_number));
        supervisor->workers.draining = true;
        supervisor->life = LIFE_KILLING;
        workers_kill(&supervisor->workers, SIGKILL);
        return;
    }
    bp_log(NULL, BP_LOG_INFO, "server.draining", "Draining", bp_log_int("signal", signal_number),
           bp_log_int("delay_ms", server->drain_delay / BP_MILLISECOND),
           bp_log_int("timeout_ms", server->drain_timeout / BP_MILLISECOND));
    notify_manager("STOPPING=1");
    supervisor->inspect.state = "draining";
    workers_order(&supervisor->workers, CONTROL_UNREADY, 0);
    supervisor->life = LIFE_UNREADY;
    supervisor->life_until = now + server->drain_delay;
}

/* False: not now. */
static bool reload(struct supervisor *supervisor, bp_time now)
{
    bool may = supervisor->life == LIFE_RUNNING && supervisor->workers.generation != 0;
    if (may && reload_begin(&supervisor->reload, "", now)) {
        supervisor->accused[0] = '\0';
        return true;
    }
    bp_log(NULL, BP_LOG_WARN, "reload.busy",
           may ? "One reload is under way: another was not begun"
               : "The server starts or stops: a reload was not begun");
    return false;
}

static void reap(struct supervisor *supervisor, bp_time now)
{
    int wait_status;
    pid_t pid;

    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) /* as PID 1 also orphans, of which nobody else takes care */
        if (!reload_reaped(&supervisor->reload, pid, wait_status, now))
            (void)workers_reaped(&supervisor->workers, pid, wait_status, now);
}

static void obey(struct supervisor *supervisor, bp_time now)
{
    int signal_number;

    while ((signal_number = next_signal(supervisor->signal_fd)) != 0) {
        if (is_end(signal_number))
            end(supervisor, signal_number, now);
        else if (signal_number == SIGUSR1)
            workers_order(&supervisor->workers, CONTROL_REOPEN, 0);
        else if (signal_number == SIGHUP)
            reload(supervisor, now);
    }
    reap(supervisor, now); /* SIGCHLDs merge, so by every wake-up */
}

/* ---- the check before the start ---- */

/* In a child, because it loads plugins and migrates. It prints what is wrong. 0, or an exit code. */
static int check_first(struct supervisor *supervisor, const struct config_load_options *options)
{
    struct child child = {.kind = CHILD_CHECK, .control_fd = -1, .memory_fd = -1, .supervisor = getpid()};
    pid_t ended, pid = child_spawn(&child, options);
    int wait_status = 0;

    if (pid < 0) {
        (void)fprintf(stderr, "backplane: cannot start a process: %s\n", strerror(errno));
        return 1;
    }
    for (;;) {
        struct pollfd polled = {.fd = supervisor->signal_fd, .events = POLLIN};
        int signal_number;
        while ((ended = waitpid(-1, &wait_status, WNOHANG)) > 0 && ended != pid)
            ;
        if (ended == pid)
            break;
        (void)poll(&polled, 1, -1);
        while ((signal_number = next_signal(supervisor->signal_fd)) != 0)
            if (is_end(signal_number)) /* a migration rolls back */
                (void)kill(pid, SIGTERM);
    }
    if (WIFSIGNALED(wait_status)) {
        (void)fprintf(stderr, "backplane: the check before the start was killed by SIG%s\n",
                      sigabbrev_np(WTERMSIG(wait_status)) ? sigabbrev_np(WTERMSIG(wait_status)) : "?");
        return 1;
    }
    return WEXITSTATUS(wait_status);
}

/* ---- the loop ---- */

static void announce(const struct supervisor *supervisor)
{
    struct buffer line = {0};
    unsigned jobs = supervisor->workers.plan.jobs, count = supervisor->workers.plan.serving;

    buffer_printf(&line, "Backplane %s listening on ", BACKPLANE_VERSION);
    for (unsigned i = 0; i < supervisor->listeners.count; i++)
        buffer_printf(&line, "%s%s%s%s", i > 0 ? ", " : "", supervisor->listeners.items[i].url,
                      supervisor->listeners.items[i].name[0] ? " for " : "", supervisor->listeners.items[i].name);
    buffer_printf(&line, " (%u worker%s", count, count == 1 ? "" : "s");
    if (jobs > 0)
        buffer_printf(&line, ", %u for jobs", jobs);
    buffer_printf(&line, ", pid %d)\n", (int)getpid());
    if (!line.failed && write(STDOUT_FILENO, line.ptr, line.len) < 0)
        bp_log(NULL, BP_LOG_WARN, "server.silent", "Standard output cannot be written");
    buffer_deinit(&line);
}

static void launch_when_ready(struct supervisor *supervisor)
{
    struct workers *workers = &supervisor->workers;

    if (workers->generation != 0 || workers->draining || !workers_ready(workers))
        return;
    workers_accept(workers, bp_clock());
    announce(supervisor);
    notify_manager("READY=1");
}

static void tick(struct supervisor *supervisor, bp_time now)
{
    if (now < supervisor->tick)
        return;
    if (now - supervisor->tick > TICK_LATE)
        workers_pardon(&supervisor->workers);
    else
        workers_watch(&supervisor->workers);
    recycle_look(&supervisor->workers, now);
    supervision_refresh(&supervisor->workers.supervision, supervisor->shared, workers_running(&supervisor->workers));
    supervisor->tick = now + TICK;
}

static void step_life(struct supervisor *supervisor, bp_time now)
{
    if (supervisor->workers.generation == 0 && supervisor->workers.failed && supervisor->life != LIFE_KILLING) {
        (void)fprintf(stderr, "backplane: %s\n", supervisor->workers.problem);
        supervisor->workers.draining = true;
        supervisor->life = LIFE_KILLING;
        workers_kill(&supervisor->workers, SIGKILL);
    }
    if (supervisor->life == LIFE_UNREADY && now >= supervisor->life_until)
        drain(supervisor, now);
    if (supervisor->life == LIFE_DRAINING && now >= supervisor->life_until) {
        bp_log(NULL, BP_LOG_WARN, "server.killed", "Workers did not end in time and are killed",
               bp_log_int("workers", workers_running(&supervisor->workers)));
        supervisor->life = LIFE_KILLING;
        workers_kill(&supervisor->workers, SIGKILL);
    }
}

static int wait_ms(const struct supervisor *supervisor, bp_time now)
{
    bp_time until = supervisor->tick, due = workers_due(&supervisor->workers);

    if (due < until)
        until = due;
    due = admin_due(&supervisor->inspect.admin);
    if (due < until)
        until = due;
    due = reload_due(&supervisor->reload);
    if (due < until)
        until = due;
    if ((supervisor->life == LIFE_UNREADY || supervisor->life == LIFE_DRAINING) && supervisor->life_until < until)
        until = supervisor->life_until;
    return until <= now ? 0 : (int)((until - now + BP_MILLISECOND - 1) / BP_MILLISECOND);
}

static void turn(struct supervisor *supervisor)
{
    struct pollfd polled[2 + ADMIN_POLLED + BP_WORKER_SLOTS], *admin = polled + 2, *control = admin + ADMIN_POLLED;
    struct workers *workers = &supervisor->workers;

    polled[0] = (struct pollfd){.fd = supervisor->signal_fd, .events = POLLIN};
    reload_poll(&supervisor->reload, &polled[1]);
    admin_poll(&supervisor->inspect.admin, admin);
    workers_poll(workers, control);
    (void)poll(polled, 2 + ADMIN_POLLED + workers->count, wait_ms(supervisor, bp_clock()));
    bp_time now = bp_clock();
    for (unsigned slot = 0; slot < workers->count; slot++)
        if (control[slot].revents != 0)
            workers_hear(workers, slot);
    if (polled[1].revents != 0)
        reload_hear(&supervisor->reload);
    admin_serve(&supervisor->inspect.admin, admin, now);
    obey(supervisor, now);
    step_life(supervisor, now);
    reload_step(&supervisor->reload, now);
    launch_when_ready(supervisor);
    workers_replace(workers, now);
    tick(supervisor, now);
}

/* Goes on without it, if that works. */
static void leave_out(struct supervisor *supervisor, bp_str instance)
{
    const char *before = supervisor->workers.plan.without;
    char without[WORKERS_WITHOUT];
    int len =
        snprintf(without, sizeof(without), "%s%s%" BP_STR_FMT, before, before[0] ? "," : "", BP_STR_ARG(instance));

    if ((size_t)len >= sizeof(without) || supervisor->life != LIFE_RUNNING ||
        !reload_begin(&supervisor->reload, without, bp_clock()))
        return; /* its next crash will */
    (void)snprintf(supervisor->accused, sizeof(supervisor->accused), "%" BP_STR_FMT, BP_STR_ARG(instance));
}

static void worker_died(void *argument, unsigned slot, bp_str end)
{
    struct supervisor *supervisor = argument;
    struct inspect *inspect = &supervisor->inspect;
    if (!inspect->errors || !inspect->own_errors)
        return;
    bp_str instance = errors_reaped(inspect->errors, inspect->own_errors, slot, end, bp_date_now());
    if (quarantine_crashed(&supervisor->quarantine, supervisor->config, instance, bp_clock()))
        leave_out(supervisor, instance);
}

static void worker_metrics(void *argument, uint32_t number, uint64_t len)
{
    inspect_metrics(&((struct supervisor *)argument)->inspect, number, len);
}

static bool reload_asked(void *argument)
{
    return reload(argument, bp_clock());
}

static void reload_ended(void *argument, bp_str problem)
{
    struct supervisor *supervisor = argument;
    bp_str accused = bp_str_of(supervisor->accused);

    inspect_reloaded(&supervisor->inspect, problem);
    if (accused.len == 0)
        quarantine_forget(&supervisor->quarantine);
    else if (problem.ptr)
        quarantine_failed(&supervisor->quarantine, accused);
    else
        bp_log(NULL, BP_LOG_ERROR, "plugin.quarantined",
               "A plugin that kept crashing workers is left out until the next reload",
               bp_log_str("instance", accused));
}

static int run_workers(struct supervisor *supervisor)
{
    struct workers *workers = &supervisor->workers;
    struct workers_plan plan = workers_plan(&supervisor->config->server, &supervisor->listeners);

    supervisor->tick = bp_clock() + TICK;
    supervisor->reload = (struct reload){.config = &supervisor->config,
                                         .open = &supervisor->listeners,
                                         .workers = workers,
                                         .ended = reload_ended,
                                         .argument = supervisor};
    supervisor->inspect.reload = reload_asked;
    supervisor->inspect.argument = supervisor;
    workers->died = worker_died;
    workers->metrics = worker_metrics;
    workers->argument = supervisor;
    inspect_open(&supervisor->inspect, workers, supervisor->config->server.data);
    (void)workers_launch(workers, &plan); /* what fails is in .problem */
    do
        turn(supervisor);
    while (workers_running(workers) > 0 || !workers->draining);
    bool started = workers->generation != 0 || !workers->failed;
    if (started)
        bp_log(NULL, BP_LOG_INFO, "server.stopped", "Stopped");
    return started ? 0 : 1;
}

/* ---- the start ---- */

/* Says what is wrong, all lines of it. */
static int complain(struct buffer *problems)
{
    if (!problems->failed)
        (void)fprintf(stderr, "%" BP_STR_FMT, BP_STR_ARG(buffer_str(problems)));
    return 1;
}

static int open_all(struct supervisor *supervisor)
{
    const struct config_server *server = &supervisor->config->server;
    struct workers *workers = &supervisor->workers;
    struct buffer problems = {0};
    unsigned inherited = 0;
    int r = 0;

    if (listeners_open(server->listen.ptr, server->listen.len, &supervisor->listeners, &inherited, &problems) != 0)
        r = complain(&problems);
    else if (shared_new((size_t)server->shared_memory, &supervisor->shared) != 0) {
        (void)fprintf(stderr, "backplane: no shared memory: %s\n", strerror(errno));
        r = 1;
    }
    if (inherited > 0)
        bp_log(NULL, BP_LOG_INFO, "server.inherited",
               "Sockets of the service manager are used in place of server.listen", bp_log_int("sockets", inherited));
    workers->shared = supervisor->shared;
    buffer_deinit(&problems);
    return r;
}

static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int run_configured(struct supervisor *supervisor, const struct config_load_options *options)
{
    const struct config_server *server = &supervisor->config->server;
    struct buffer problems = {0};
    int r;

    log_setup((enum bp_level)server->log_level, (enum log_format)server->log_format, "supervisor");
    supervisor->workers.options = options;
    supervisor->signal_fd = open_signals();
    if (supervisor->signal_fd < 0) {
        (void)fprintf(stderr, "backplane: no signalfd: %s\n", strerror(errno));
        return 1;
    }
    raise_descriptors();
    r = data_lock(server->data, &supervisor->data_fd, &problems);
    if (r != 0)
        r = complain(&problems);
    buffer_deinit(&problems);
    if (r == 0)
        r = check_first(supervisor, options);
    if (r == 0)
        r = open_all(supervisor);
    if (r == 0)
        r = run_workers(supervisor);
    return r;
}

int supervisor_run(const struct config_load_options *options)
{
    struct supervisor *supervisor = calloc(1, sizeof(*supervisor));
    struct report report = {0};
    int r = 1;

    if (!supervisor)
        return 1;
    supervisor->signal_fd = supervisor->data_fd = -1;
    if (config_load(options, &report, &supervisor->config) != 0)
        (void)complain(&report.text);
    else
        r = run_configured(supervisor, options);
    report_deinit(&report);
    listeners_close(&supervisor->listeners);
    inspect_close(&supervisor->inspect);
    supervisor->shared = shared_free(supervisor->shared);
    if (supervisor->signal_fd >= 0)
        (void)close(supervisor->signal_fd);
    if (supervisor->data_fd >= 0)
        (void)close(supervisor->data_fd);
    supervisor->config = config_free(supervisor->config);
    free(supervisor);
    return r;
}
