/* SPDX-License-Identifier: MIT */
#include "core/worker/worker.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "backplane/log.h"
#include "backplane/status.h"
#include "core/base/arena.h"
#include "core/base/log.h"
#include "core/error/errors.h"
#include "core/http/server.h"
#include "core/metric/metric.h"
#include "core/plugin/assembly.h"
#include "core/supervisor/child.h"
#include "core/supervisor/control.h"
#include "core/supervisor/exchange.h"
#include "core/supervisor/shared.h"
#include "core/worker/crash.h"
#include "core/worker/fiber.h"
#include "core/worker/loop.h"
#include "core/worker/runtime.h"

#define LAST_WORDS (500 * BP_MILLISECOND) /* to end streams, when a reload's time is over */

struct worker {
    const struct child *child;
    struct control control;
    struct config *config;
    struct shared *shared;
    struct assembly *assembly;
    struct loop *loop;
    struct server *server;
    struct event *control_event, *stamp_event;
    struct loop_deadline abort_at; /* what is not finished then is cancelled */
    struct loop_task orders;       /* those that came while an answer was waited for */
    struct loop_task released;     /* nothing is in hand any more */
    struct bp_arena *life_arena;   /* of the fibers that start and stop the plugins */
    struct runtime runtime;
    int start_status;
    bool started, retiring, draining, stopping;
    bool served;  /* no connection is left */
    bool aborted; /* holds do not count any more */
};

static atomic_bool draining, serving;
static bool runs_jobs;
/* Of this process: it is one worker. */
static struct worker *this_worker;
static unsigned holds;

bool bp_draining(void)
{
    return atomic_load_explicit(&draining, memory_order_relaxed);
}

bool bp_serving(void)
{
    return atomic_load_explicit(&serving, memory_order_relaxed);
}

bool bp_runs_jobs(void)
{
    return runs_jobs;
}

static bp_str current_request_id(void)
{
    struct bp_fiber *fiber = fiber_current();
    struct bp_request *rq = fiber ? fiber_request(fiber) : NULL;
    return rq ? bp_request_id(rq) : bp_str_n(NULL, 0);
}

static bp_str current_client(void)
{
    struct bp_fiber *fiber = fiber_current();
    struct bp_request *rq = fiber ? fiber_request(fiber) : NULL;
    return rq ? bp_request_client(rq) : bp_str_n(NULL, 0);
}

/* ---- the end ---- */

static void stop_plugins(void *argument)
{
    struct worker *worker = argument;
    atomic_store(&serving, false);
    assembly_stop(worker->assembly);
}

static void plugins_stopped(void *argument)
{
    struct worker *worker = argument;
    loop_stop(worker->loop);
}

static void stop(struct worker *worker)
{
    struct fiber_start start = {.function = stop_plugins,
                                .ended = plugins_stopped,
                                .argument = worker,
                                .arena = worker->life_arena,
                                .deadline = BP_FOREVER,
                                .name = "stop"};
    struct bp_fiber *fiber;

    if (worker->stopping)
        return;
    worker->stopping = true;
    loop_deadline_clear(worker->loop, &worker->abort_at);
    arena_reset(worker->life_arena);
    if (fiber_start(worker->loop, &start, &fiber) != 0)
        loop_stop(worker->loop);
}

/* Nothing is in hand any more, or no longer waited for. */
static bool is_done(const struct worker *worker)
{
    return worker->served && (holds == 0 || worker->aborted);
}

static void drained(void *argument)
{
    struct worker *worker = argument;
    worker->served = true;
    if (is_done(worker))
        stop(worker);
}

/* Unless something else was taken in hand in the rest of the turn. */
static void stop_later(struct loop_task *task)
{
    struct worker *worker = (struct worker *)(void *)((char *)task - offsetof(struct worker, released));
    if (is_done(worker))
        stop(worker);
}

void bp_hold(void)
{
    holds++;
}

void bp_release(void)
{
    if (holds > 0)
        holds--;
    if (this_worker && !this_worker->stopping && is_done(this_worker))
        loop_at_turn_end(this_worker->loop, &this_worker->released);
}

static void abort_server(struct loop_deadline *deadline)
{
    struct worker *worker = (struct worker *)(void *)((char *)deadline - offsetof(struct worker, abort_at));
    bp_log(NULL, BP_LOG_WARN, "worker.aborted", "Requests or jobs did not finish in time and are cancelled",
           bp_log_int("connections", (int64_t)server_stats(worker->server).connections),
           bp_log_int("holds", (int64_t)holds));
    worker->aborted = true;
    if (worker->served)
        stop(worker);
    else
        server_abort(worker->server);
}

static void close_listeners(struct worker *worker)
{
    for (unsigned i = 0; i < worker->child->listen_count && !worker->retiring; i++)
        (void)close(worker->child->listen_fds[i]);
}

static void drain(struct worker *worker, bp_span timeout)
{
    atomic_store(&draining, true);
    if (worker->draining)
        return;
    worker->draining = true;
    if (!worker
             ->server) /* plugins are still starting, on a fiber that cannot be unwound from here; nothing is served yet */
        _exit(0);
    worker->abort_at.function = abort_server;
    loop_deadline_set(worker->loop, &worker->abort_at, bp_clock() + timeout);
    server_drain(worker->server, drained, worker);
    close_listeners(worker);
}

static void drain_late(struct loop_deadline *deadline)
{
    drain((struct worker *)(void *)((char *)deadline - offsetof(struct worker, abort_at)), LAST_WORDS);
}

/* Readiness goes on: the server does, with other workers. */
static void retire(struct worker *worker, bp_span timeout)
{
    if (runs_jobs || !worker->server)
        drain(worker, timeout);
    if (worker->draining || worker->retiring)
        return;
    worker->abort_at.function = drain_late;
    loop_deadline_set(worker->loop, &worker->abort_at, bp_clock() + timeout);
    server_retire(worker->server, drained, worker);
    close_listeners(worker);
    worker->retiring = true;
}

/* ---- orders ---- */

static void fail(struct worker *worker, bp_str reason)
{
    struct control_message message = control_message(CONTROL_FAILED, 0, 0);
    control_set_text(&message, bp_str_trim(reason));
    (void)control_send(worker->control.fd, &message);
}

/* A name that the configuration does not know any more is still one: nothing is served there. */
static const char *listener_name(const struct worker *worker, unsigned index)
{
    const char *name = worker->child->listen_names[index];
    const char *known = config_listener_name(&worker->config->server, bp_str_of(name));
    return known || !name[0] ? known : name;
}

static void accept_connections(struct worker *worker)
{
    if (worker->draining || worker->retiring)
        return;
    for (unsigned i = 0; i < worker->child->listen_count; i++) {
        if (server_listen(worker->server, worker->child->listen_fds[i], listener_name(worker, i),
                          worker->child->listen_proxied[i]) != 0) {
            bp_log(NULL, BP_LOG_ERROR, "worker.deaf", "An inherited socket cannot be used",
                   bp_log_int("fd", worker->child->listen_fds[i]));
            drain(worker, 0);
            return;
        }
    }
}

/* What is beyond the region is cut at a line's end. */
static void write_metrics(struct worker *worker, uint32_t number)
{
    struct control_message answer;
    struct buffer text = {0};
    char *room = shared_region(worker->shared, EXCHANGE_REGION, EXCHANGE_VERSION, EXCHANGE_SIZE, NULL);

    metrics_write(worker->shared, BP_METRIC_TEXT, &text);
    if (room && !text.failed) {
        size_t len = text.len < EXCHANGE_SIZE ? text.len : EXCHANGE_SIZE;
        while (len > 0 && len < text.len && text.ptr[len - 1] != '\n')
            len--;
        memcpy(room, text.ptr, len);
        answer = control_message(CONTROL_METRICS_ARE, number, len);
        (void)control_send(worker->control.fd, &answer);
    }
    buffer_deinit(&text);
}

static void obey(struct worker *worker, const struct control_message *order)
{
    switch (order->kind) {
    case CONTROL_ACCEPT:
        accept_connections(worker);
        break;
    case CONTROL_UNREADY:
        atomic_store(&draining, true);
        break;
    case CONTROL_DRAIN:
        drain(worker, (bp_span)order->value);
        break;
    case CONTROL_RETIRE:
        retire(worker, (bp_span)order->value);
        break;
    case CONTROL_REOPEN:
        if (!log_audit_reopen())
            bp_log(NULL, BP_LOG_ERROR, "audit.reopen_failed",
                   "The audit log could not be opened again; the old file stays",
                   bp_log_cstr("error", strerror(errno)));
        assembly_reopen(worker->assembly);
        break;
    case CONTROL_METRICS:
        write_metrics(worker, order->number);
        break;
    default:
        break;
    }
}

static void read_orders(struct worker *worker)
{
    struct control_message order;
    int r;

    while ((r = control_next(&worker->control, &order)) == 0 || r == CONTROL_FOREIGN)
        if (r == 0)
            obey(worker, &order);
    if (r != CONTROL_EMPTY) { /* the supervisor is gone */
        event_del(worker->control_event);
        drain(worker, worker->config->server.drain_timeout);
    }
}

static void control_readable(evutil_socket_t fd, short events, void *argument)
{
    (void)fd;
    (void)events;
    read_orders(argument);
}

static void kept_orders(struct loop_task *task)
{
    read_orders((struct worker *)(void *)((char *)task - offsetof(struct worker, orders)));
}

static void stamp(evutil_socket_t fd, short events, void *argument)
{
    struct worker *worker = argument;
    (void)fd;
    (void)events;
    shared_stamp(worker->shared, bp_clock());
    runtime_refresh(&worker->runtime, worker->shared, worker->loop, worker->server);
    if (worker->control.stash_len > 0) /* an order overtook an answer */
        loop_at_turn_end(worker->loop, &worker->orders);
}

/* ---- the start ---- */

static void start_plugins(void *argument)
{
    struct worker *worker = argument;
    worker->start_status = assembly_start(worker->assembly);
}

static void plugins_started(void *argument)
{
    struct worker *worker = argument;
    struct control_message ready = control_message(CONTROL_READY, 0, 0);

    if (worker->start_status != 0) {
        fail(worker, BP_STR("a plugin failed to start; its line in the log says why"));
        loop_stop(worker->loop);
        return;
    }
    if (server_new(worker->loop, worker->assembly, &worker->server) != 0) {
        fail(worker, BP_STR("out of memory"));
        loop_stop(worker->loop);
        return;
    }
    worker->started = true;
    atomic_store(&serving, true);
    (void)control_send(worker->control.fd, &ready);
    loop_at_turn_end(worker->loop, &worker->orders);
}

static void prepare_signals(void)
{
    static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGUSR1, SIGXFSZ};

    /* They may reach the whole process group; orders come from the supervisor alone. A file that may not grow is an error of write(). */
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        (void)signal(ignored[i], SIG_IGN);
    crash_handler_install();
}

static int load(struct worker *worker, const struct config_load_options *options)
{
    struct report report = {0};
    int r = config_load(options, &report, &worker->config);

    if (r == 0) {
        log_setup((enum bp_level)worker->config->server.log_level, (enum log_format)worker->config->server.log_format,
                  worker->child->title);
        r = shared_attach(worker->child->memory_fd, &worker->control, worker->child->slot, &worker->shared);
        if (r != 0)
            report_error(&report, NULL, 0, NULL, "shared memory cannot be attached");
        else if (!log_audit_open(worker->config->server.audit_log, worker->config->server.data)) {
            report_error(&report, NULL, 0, NULL, "server.audit_log cannot be opened: %s", strerror(errno));
            r = BP_ERROR;
        }
    }
    if (r == 0) {
        shared_stamp(worker->shared, bp_clock());
        r = assembly_load(worker->config, worker->shared, &report, &worker->assembly);
    }
    if (r != 0)
        fail(worker, report.text.len > 0 ? buffer_str(&report.text) : BP_STR("out of memory"));
    report_deinit(&report);
    return r;
}

static int prepare_loop(struct worker *worker)
{
    const struct config_server *server = &worker->config->server;
    struct loop_options options = {.offload_threads = server->offload_threads, .offload_queue = server->offload_queue};
    const struct timeval second = {.tv_sec = 1};

    if (loop_new(&options, &worker->loop) != 0)
        return BP_NOMEM;
    worker->assembly->loop = worker->loop;
    worker->orders.function = kept_orders;
    worker->released.function = stop_later;
    worker->life_arena = arena_new();
    worker->control_event =
        event_new(loop_base(worker->loop), worker->control.fd, EV_READ | EV_PERSIST, control_readable, worker);
    worker->stamp_event = event_new(loop_base(worker->loop), -1, EV_PERSIST, stamp, worker);
    if (!worker->life_arena || !worker->control_event || !worker->stamp_event ||
        event_add(worker->control_event, NULL) != 0 || event_add(worker->stamp_event, &second) != 0)
        return BP_NOMEM;
    log_request_id = current_request_id;
    log_client = current_client;
    log_trace = bp_trace_current;
    metrics_attach(worker->shared);
    errors_attach(worker->shared);
    runtime_refresh(&worker->runtime, worker->shared, worker->loop, NULL);
    return 0;
}

static int serve(struct worker *worker)
{
    struct fiber_start start = {.function = start_plugins,
                                .ended = plugins_started,
                                .argument = worker,
                                .arena = worker->life_arena,
                                .deadline = BP_FOREVER,
                                .name = "start"};
    struct bp_fiber *fiber;

    if (fiber_start(worker->loop, &start, &fiber) != 0 || loop_run(worker->loop) != 0)
        return 1;
    return worker->started ? 0 : 1;
}

static void deinit(struct worker *worker)
{
    log_request_id = NULL;
    log_client = NULL;
    log_trace = NULL;
    errors_detach();
    worker->server = server_free(worker->server);
    worker->assembly = assembly_free(worker->assembly);
    if (worker->control_event)
        event_free(worker->control_event);
    if (worker->stamp_event)
        event_free(worker->stamp_event);
    worker->loop = loop_free(worker->loop);
    worker->life_arena = arena_free(worker->life_arena);
    worker->shared = shared_free(worker->shared);
    worker->config = config_free(worker->config);
    fiber_pool_free();
}

int worker_main(const struct child *child, const struct config_load_options *options)
{
    struct worker worker = {.child = child, .control = {.fd = child->control_fd}};
    int code = 1;

    runs_jobs = child->kind == CHILD_JOBS;
    this_worker = &worker;
    (void)prctl(PR_SET_NAME, "backplane");
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != child->supervisor)
        return 1;
    prepare_signals();
    if (load(&worker, options) != 0)
        code = 1;
    else if (prepare_loop(&worker) != 0)
        fail(&worker, BP_STR("out of memory"));
    else
        code = serve(&worker);
    deinit(&worker);
    return code;
}
