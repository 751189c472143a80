/* SPDX-License-Identifier: MIT */
#include "core/supervisor/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backplane/log.h"
#include "backplane/status.h"
#include "core/metric/metric.h"
#include "core/supervisor/cpus.h"
#include "core/supervisor/shared.h"

#define FIRST_BACKOFF (100 * BP_MILLISECOND)
#define LONG_LIFE (10 * BP_SECOND) /* who lived that long is replaced at once */
#define RETIRE_GRACE \
    (10 * BP_SECOND) /* for a worker to abort what it did not finish in time, and end: nobody waits for it */

static bool is_next(const struct workers *workers, const struct worker *worker)
{
    return workers->next != 0 && worker->generation == workers->next;
}

bool workers_leaves(const struct workers *workers, const struct worker *worker)
{
    return worker->generation != workers->generation && !is_next(workers, worker);
}

static int start(struct workers *workers, unsigned slot)
{
    struct worker *worker = &workers->items[slot];
    const struct workers_plan *plan = is_next(workers, worker) ? &workers->next_plan : &workers->plan;
    struct child child = {.kind = worker->kind,
                          .slot = slot,
                          .index = worker->index,
                          .memory_fd = shared_fd(workers->shared),
                          .listen_count = worker->kind == CHILD_WORKER ? plan->listeners->count : 0,
                          .supervisor = getpid()};
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return BP_ERROR;
    child.control_fd = pair[1];
    for (unsigned i = 0; i < child.listen_count; i++) {
        child.listen_fds[i] = plan->listeners->items[i].fd;
        child.listen_proxied[i] = plan->listeners->items[i].proxy_protocol;
        memcpy(child.listen_names[i], plan->listeners->items[i].name, sizeof(child.listen_names[i]));
    }
    struct config_load_options options = *workers->options;
    options.without = plan->without;
    shared_stamp_clear(workers->shared, slot);
    pid_t pid = child_spawn(&child, &options);
    int error = errno;
    (void)close(pair[1]);
    if (pid < 0) {
        (void)close(pair[0]);
        errno = error;
        return BP_ERROR;
    }
    worker->state = WORKER_STARTING;
    worker->pid = pid;
    worker->control_fd = pair[0];
    worker->started = bp_clock();
    worker->stamp = 0;
    worker->silent = 0;
    worker->asked = false;
    worker->reason[0] = '\0';
    return 0;
}

struct workers_plan workers_plan(const struct config_server *server, const struct listeners *listeners)
{
    unsigned serving = server->workers > 0 ? server->workers : cpus_available();
    if (serving > CONFIG_WORKERS_MAX) /* CPUs: the row refuses more */
        serving = CONFIG_WORKERS_MAX;
    return (struct workers_plan){
        .server = server, .listeners = listeners, .serving = serving, .jobs = server->job_workers};
}

static unsigned vacant(const struct workers *workers)
{
    unsigned count = 0;
    for (unsigned slot = 0; slot < BP_WORKER_SLOTS; slot++)
        count += workers->items[slot].state == WORKER_VACANT;
    return count;
}

/* Gives the generation its slots: those for jobs get theirs now, too, and wait in them. */
static void allot(struct workers *workers, const struct workers_plan *plan)
{
    unsigned given = 0;
    for (unsigned slot = 0; given < plan->serving + plan->jobs; slot++) {
        struct worker *worker = &workers->items[slot];
        if (worker->state != WORKER_VACANT)
            continue;
        bool serves = given < plan->serving;
        *worker = (struct worker){.state = WORKER_DUE,
                                  .due = BP_FOREVER,
                                  .control_fd = -1,
                                  .kind = serves ? CHILD_WORKER : CHILD_JOBS,
                                  .index = serves ? given : given - plan->serving,
                                  .generation = workers->next};
        given++;
        if (slot >= workers->count)
            workers->count = slot + 1;
    }
}

int workers_launch(struct workers *workers, const struct workers_plan *plan)
{
    if (plan->serving + plan->jobs > vacant(workers))
        return BP_BUSY;
    if (workers->begun == 0) {
        supervision_start(&workers->supervision, workers->shared);
        supervision_refresh(&workers->supervision, workers->shared, 0);
    }
    workers->next_plan = *plan;
    workers->next = ++workers->begun;
    workers->failed = false;
    allot(workers, plan);
    for (unsigned slot = 0; slot < workers->count; slot++)
        if (is_next(workers, &workers->items[slot]) && workers->items[slot].kind == CHILD_WORKER &&
            start(workers, slot) != 0) {
            workers->failed = true;
            (void)snprintf(workers->problem, sizeof(workers->problem), "cannot start a process: %s", strerror(errno));
            return BP_ERROR;
        }
    return 0;
}

bool workers_ready(const struct workers *workers)
{
    for (unsigned slot = 0; slot < workers->count; slot++) {
        const struct worker *worker = &workers->items[slot];
        if (is_next(workers, worker) && worker->kind == CHILD_WORKER && worker->state != WORKER_READY)
            return false;
    }
    return workers->next != 0 && !workers->failed;
}

unsigned workers_running(const struct workers *workers)
{
    unsigned count = 0;
    for (unsigned slot = 0; slot < workers->count; slot++)
        count += worker_runs(&workers->items[slot]);
    return count;
}

void workers_poll(const struct workers *workers, struct pollfd *ret_polled)
{
    for (unsigned slot = 0; slot < workers->count; slot++)
        ret_polled[slot] = (struct pollfd){.fd = workers->items[slot].control_fd, .events = POLLIN};
}

static void answer_region(struct workers *workers, const struct worker *worker, const struct control_message *request)
{
    bool is_new = false;
    uint64_t offset =
        shared_reserve(workers->shared, control_text(request), request->number, (size_t)request->value, &is_new);
    struct control_message answer = control_message(CONTROL_REGION_IS, is_new, offset);

    if (offset == 0)
        bp_log(NULL, BP_LOG_WARN, "shared.full", "Shared memory is full: raise server.shared_memory",
               bp_log_str("region", control_text(request)), bp_log_int("size", (int64_t)request->value));
    (void)control_send(worker->control_fd, &answer);
}

static void order(struct worker *worker, enum control_kind kind, uint64_t value)
{
    struct control_message message = control_message(kind, 0, value);
    if (worker->control_fd >= 0)
        (void)control_send(worker->control_fd, &message);
}

/* Who waits for a replacement needs none. */
static void retire(struct worker *worker, bp_span timeout, bp_time now)
{
    if (worker->state == WORKER_DUE)
        worker->state = WORKER_VACANT;
    worker->until = now + timeout + RETIRE_GRACE;
    order(worker, CONTROL_RETIRE, (uint64_t)timeout);
}

static void became_ready(struct workers *workers, struct worker *worker)
{
    if (worker->state != WORKER_STARTING)
        return;
    worker->state = WORKER_READY;
    /* Of a generation that is launched nobody accepts before all can. */
    if (worker->generation != workers->generation || workers->draining)
        return;
    order(worker, CONTROL_ACCEPT, 0);
    if (worker->predecessor != 0) {
        struct worker *before = &workers->items[worker->predecessor - 1];
        worker->predecessor = 0;
        if (before->generation == workers->generation)
            retire(before, workers->plan.server->drain_timeout, bp_clock());
        before->generation = 0;
    }
}

static void hear(struct workers *workers, struct worker *worker, const struct control_message *message)
{
    bp_str text = control_text(message);

    switch (message->kind) {
    case CONTROL_READY:
        became_ready(workers, worker);
        break;
    case CONTROL_FAILED:
        memcpy(worker->reason, text.ptr, text.len);
        worker->reason[text.len] = '\0';
        break;
    case CONTROL_REGION:
        answer_region(workers, worker, message);
        break;
    case CONTROL_METRICS_ARE:
        if (workers->metrics)
            workers->metrics(workers->argument, message->number, message->value);
        break;
    default:
        break;
    }
}

void workers_hear(struct workers *workers, unsigned slot)
{
    struct worker *worker = &workers->items[slot];
    struct control_message message;

    while (worker->control_fd >= 0) {
        int r = control_receive(worker->control_fd, MSG_DONTWAIT, &message);
        if (r == CONTROL_EMPTY)
            return;
        if (r == 0)
            hear(workers, worker, &message);
        else if (r != CONTROL_FOREIGN) { /* it is about to end; SIGCHLD says how */
            (void)close(worker->control_fd);
            worker->control_fd = -1;
        }
    }
}

/* ---- deaths ---- */

/* "was killed by SIGSEGV (Segmentation fault)", "exited with 1" */
static void describe_end(int wait_status, char *space, size_t size)
{
    if (WIFSIGNALED(wait_status)) {
        const char *name = sigabbrev_np(WTERMSIG(wait_status));
        (void)snprintf(space, size, "was killed by SIG%s%s", name ? name : "?",
                       WCOREDUMP(wait_status) ? " and left a core" : "");
    } else {
        (void)snprintf(space, size, "exited with %d", WEXITSTATUS(wait_status));
    }
}

static void plan_replacement(struct workers *workers, struct worker *worker, bp_time now)
{
    bool was_ready = worker->state == WORKER_READY;

    if (was_ready && now - worker->started >= LONG_LIFE)
        worker->backoff = 0;
    worker->due = now + worker->backoff;
    worker->state = WORKER_DUE;
    worker->backoff = worker->backoff == 0 ? FIRST_BACKOFF : 2 * worker->backoff;
    if (worker->backoff > workers->plan.server->restart_backoff_max)
        worker->backoff = workers->plan.server->restart_backoff_max;
}

static void log_death(const struct worker *worker, int wait_status, const char *end, bp_span wait)
{
    char message[128];

    (void)snprintf(message, sizeof(message), "%s %u (pid %d) %s", worker->kind == CHILD_JOBS ? "Jobs worker" : "Worker",
                   worker->index + 1, (int)worker->pid, end);
    bp_log(NULL, BP_LOG_ERROR, "worker.died", message, bp_log_cstr("kind", child_title(worker->kind)),
           bp_log_int("worker", worker->index + 1), bp_log_int("worker_pid", worker->pid),
           WIFSIGNALED(wait_status) ? bp_log_int("signal", WTERMSIG(wait_status))
                                    : bp_log_int("exit_code", WEXITSTATUS(wait_status)),
           bp_log_int("replaced_in_ms", wait / BP_MILLISECOND),
           worker->reason[0] ? bp_log_cstr("reason", worker->reason) : bp_log_end());
}

static bool has_successor(const struct workers *workers, unsigned slot)
{
    for (unsigned i = 0; i < workers->count; i++)
        if (workers->items[i].predecessor == slot + 1)
            return true;
    return false;
}

bool workers_reaped(struct workers *workers, pid_t pid, int wait_status, bp_time now)
{
    unsigned slot = 0;
    char end[64];

    while (slot < workers->count && !(worker_runs(&workers->items[slot]) && workers->items[slot].pid == pid))
        slot++;
    if (slot == workers->count)
        return false;

    struct worker *worker = &workers->items[slot];
    workers_hear(workers, slot); /* its last words, and the reason why it did not start */
    if (worker->control_fd >= 0)
        (void)close(worker->control_fd);
    worker->control_fd = -1;
    metrics_reap(workers->shared, slot);
    supervision_refresh(&workers->supervision, workers->shared, workers_running(workers) - 1);
    describe_end(wait_status, end, sizeof(end));
    if (workers->draining || workers_leaves(workers, worker)) {
        worker->state = WORKER_VACANT;
        if (wait_status != 0 && !worker->abandoned)
            log_death(worker, wait_status, end, 0);
    } else if (is_next(workers, worker) && worker->kind == CHILD_WORKER) {
        worker->state = WORKER_VACANT;
        if (!workers->failed) /* one reason is enough: the others fail for the same */
            (void)snprintf(workers->problem, sizeof(workers->problem), "worker %u could not start: %s",
                           worker->index + 1, worker->reason[0] ? worker->reason : end);
        workers->failed = true;
    } else if (has_successor(workers, slot)) {
        worker->state = WORKER_VACANT;
        worker->generation = 0;
        log_death(worker, wait_status, end, 0);
    } else {
        supervision_ended(&workers->supervision, strcmp(worker->reason, "stalled") == 0 ? END_STALLED
                                                 : WIFSIGNALED(wait_status)             ? END_KILLED
                                                                                        : END_EXITED);
        plan_replacement(workers, worker, now);
        log_death(worker, wait_status, end, worker->due - now);
        if (workers->died)
            workers->died(workers->argument, slot, bp_str_of(worker->reason[0] ? worker->reason : end));
    }
    return true;
}

static void not_started(struct workers *workers, struct worker *worker, bp_time now)
{
    bp_log(NULL, BP_LOG_ERROR, "worker.not_forked", "A worker could not be started",
           bp_log_cstr("kind", child_title(worker->kind)), bp_log_int("worker", worker->index + 1),
           bp_log_cstr("error", strerror(errno)));
    plan_replacement(workers, worker, now);
}

void workers_accept(struct workers *workers, bp_time now)
{
    unsigned before = workers->generation;
    bp_span timeout = before ? workers->plan.server->drain_timeout : 0;

    workers->generation = workers->next;
    workers->plan = workers->next_plan;
    workers->next = 0;
    for (unsigned slot = 0; slot < workers->count; slot++) {
        struct worker *worker = &workers->items[slot];
        if (worker->generation == workers->generation && worker->kind == CHILD_WORKER)
            order(worker, CONTROL_ACCEPT, 0);
    }
    for (unsigned slot = 0; slot < workers->count; slot++) {
        struct worker *worker = &workers->items[slot];
        if (before && worker->generation == before)
            retire(worker, timeout, now);
        else if (worker->generation == workers->generation && worker->kind == CHILD_JOBS && start(workers, slot) != 0)
            not_started(workers, worker, now);
    }
}

void workers_succeed(struct workers *workers, unsigned slot)
{
    const struct worker *before = &workers->items[slot];
    unsigned vacant = 0;

    while (vacant < BP_WORKER_SLOTS && workers->items[vacant].state != WORKER_VACANT)
        vacant++;
    if (vacant == BP_WORKER_SLOTS)
        return;
    workers->items[vacant] = (struct worker){.control_fd = -1,
                                             .kind = before->kind,
                                             .index = before->index,
                                             .generation = before->generation,
                                             .restarts = before->restarts + 1,
                                             .predecessor = slot + 1};
    if (vacant >= workers->count)
        workers->count = vacant + 1;
    supervision_ended(&workers->supervision, END_MEMORY);
    if (start(workers, vacant) != 0)
        not_started(workers, &workers->items[vacant], bp_clock());
}

void workers_abandon(struct workers *workers)
{
    for (unsigned slot = 0; slot < workers->count; slot++) {
        struct worker *worker = &workers->items[slot];
        if (!is_next(workers, worker))
            continue;
        worker->abandoned = true;
        worker->until = BP_FOREVER;
        if (worker_runs(worker))
            (void)kill(worker->pid, SIGKILL);
        else
            worker->state = WORKER_VACANT;
    }
    workers->next = 0;
}

static void end_late(struct worker *worker)
{
    (void)snprintf(worker->reason, sizeof(worker->reason), "it did not end in time after a reload");
    (void)kill(worker->pid, SIGKILL);
    worker->until = BP_FOREVER;
}

void workers_replace(struct workers *workers, bp_time now)
{
    for (unsigned slot = 0; slot < workers->count && !workers->draining; slot++) {
        struct worker *worker = &workers->items[slot];
        if (worker_runs(worker) && workers_leaves(workers, worker) && worker->until <= now)
            end_late(worker);
        if (worker->state != WORKER_DUE || worker->due > now)
            continue;
        if (start(workers, slot) != 0)
            not_started(workers, worker, now);
        else
            worker->restarts++;
    }
}

bp_time workers_due(const struct workers *workers)
{
    bp_time due = BP_FOREVER;
    for (unsigned slot = 0; slot < workers->count && !workers->draining; slot++) {
        const struct worker *worker = &workers->items[slot];
        if (worker->state == WORKER_DUE && worker->due < due)
            due = worker->due;
        if (worker_runs(worker) && workers_leaves(workers, worker) && worker->until < due)
            due = worker->until;
    }
    return due;
}

/* ---- orders ---- */

void workers_order(struct workers *workers, enum control_kind kind, uint64_t value)
{
    for (unsigned slot = 0; slot < workers->count; slot++)
        order(&workers->items[slot], kind, value);
}

void workers_kill(struct workers *workers, int signal_number)
{
    for (unsigned slot = 0; slot < workers->count; slot++)
        if (worker_runs(&workers->items[slot]))
            (void)kill(workers->items[slot].pid, signal_number);
}
