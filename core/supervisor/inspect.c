/* SPDX-License-Identifier: MIT */
#include "core/supervisor/inspect.h"

#include <stdlib.h>
#include <unistd.h>

#include "backplane/log.h"
#include "build_info.h"
#include "core/error/errors.h"
#include "core/schema/schema.h"
#include "core/supervisor/exchange.h"
#include "core/supervisor/shared.h"

#define WORKER_PATIENCE BP_SECOND /* then the next one is asked */

static const char *const state_names[] = {
    [WORKER_VACANT] = "ended", [WORKER_DUE] = "waiting", [WORKER_STARTING] = "starting", [WORKER_READY] = "ready"};

static enum admin_answer answer_errors(struct inspect *inspect, struct buffer *out)
{
    errors_write(inspect->errors, inspect->own_errors, out);
    return ADMIN_ANSWERED;
}

static void add_worker(struct buffer *out, const struct worker *worker, const char *state, bool first, bp_time now)
{
    buffer_printf(out, "%s{\"kind\":\"%s\",\"worker\":%u,\"state\":\"%s\",\"restarts\":%u", first ? "" : ",",
                  worker->kind == CHILD_JOBS ? "jobs" : "http", worker->index + 1, state, worker->restarts);
    if (worker_runs(worker))
        buffer_printf(out, ",\"pid\":%d,\"uptime_seconds\":%lld", (int)worker->pid,
                      (long long)((now - worker->started) / BP_SECOND));
    buffer_add_char(out, '}');
}

static void add_quarantined(struct buffer *out, const struct workers *workers)
{
    bp_str rest = bp_str_of(workers->plan.without), name;
    bool first = true;

    buffer_add(out, BP_STR(",\"quarantined\":["));
    while (bp_str_next(&rest, ',', &name) && name.len > 0) {
        if (!first)
            buffer_add_char(out, ',');
        schema_encode_text(name, out);
        first = false;
    }
    buffer_add_char(out, ']');
}

static void add_reloads(struct buffer *out, const struct inspect *inspect)
{
    char date[BP_DATE_LEN];
    bp_date_format(inspect->workers->supervision.loaded, date);
    buffer_printf(out, ",\"loaded\":\"%.*s\",\"reloads\":%u,\"refused\":", BP_DATE_LEN, date, inspect->reloads);
    if (inspect->refused_at == 0) {
        buffer_add(out, BP_STR("null"));
        return;
    }
    bp_date_format(inspect->refused_at, date);
    buffer_printf(out, "{\"time\":\"%.*s\",\"reason\":", BP_DATE_LEN, date);
    schema_encode_text(buffer_str(&inspect->refused), out);
    buffer_add_char(out, '}');
}

static enum admin_answer answer_status(struct inspect *inspect, struct buffer *out)
{
    const struct workers *workers = inspect->workers;
    const struct listeners *listeners = (workers->generation ? workers->plan : workers->next_plan).listeners;
    char started[BP_DATE_LEN];
    bp_time now = bp_clock();

    bp_date_format(inspect->started_at, started);
    buffer_printf(out,
                  "{\"version\":\"" BACKPLANE_VERSION "\",\"pid\":%d,\"state\":\"%s\",\"started\":\"%.*s\","
                  "\"uptime_seconds\":%lld,\"workers\":[",
                  (int)getpid(), workers->generation || workers->draining ? inspect->state : "starting", BP_DATE_LEN,
                  started, (long long)((now - inspect->started) / BP_SECOND));
    for (unsigned slot = 0, shown = 0; slot < workers->count; slot++) {
        const struct worker *worker = &workers->items[slot];
        bool leaves = workers_leaves(workers, worker);
        if (worker->state != WORKER_VACANT || !leaves)
            add_worker(out, worker, leaves ? "retiring" : state_names[worker->state], shown++ == 0, now);
    }
    buffer_add(out, BP_STR("],\"listeners\":["));
    for (unsigned i = 0; listeners && i < listeners->count; i++) {
        const struct listener *listener = &listeners->items[i];
        buffer_add(out, i > 0 ? BP_STR(",{\"url\":") : BP_STR("{\"url\":"));
        schema_encode_text(bp_str_of(listener->url), out);
        buffer_add(out, BP_STR(",\"name\":"));
        schema_encode_text(bp_str_of(listener->name), out);
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, ']');
    add_reloads(out, inspect);
    add_quarantined(out, workers);
    buffer_add_char(out, '}');
    return ADMIN_ANSWERED;
}

/* A worker that serves, another one at each call; NULL: there is none. */
static struct worker *choose(struct inspect *inspect)
{
    struct workers *workers = inspect->workers;
    for (unsigned i = 0; i < workers->count; i++) {
        struct worker *worker = &workers->items[inspect->next_slot++ % workers->count];
        if (worker->state == WORKER_READY && worker->control_fd >= 0 && !workers_leaves(workers, worker))
            return worker;
    }
    return NULL;
}

/* Only workers know what the metrics are called. Who asks meanwhile gets the same answer. */
static enum admin_answer answer_metrics(struct inspect *inspect, struct buffer *out)
{
    bp_time now = bp_clock();
    if (inspect->asked_at != 0 && now - inspect->asked_at < WORKER_PATIENCE)
        return ADMIN_METRICS;
    struct worker *worker = inspect->exchange ? choose(inspect) : NULL;
    struct control_message request = control_message(CONTROL_METRICS, ++inspect->asked, 0);
    if (!worker || control_send(worker->control_fd, &request) != 0) {
        buffer_add(out, BP_STR("{\"error\":\"no worker can be asked\"}"));
        return ADMIN_ANSWERED;
    }
    inspect->asked_at = now;
    return ADMIN_METRICS;
}

void inspect_metrics(struct inspect *inspect, uint32_t number, uint64_t len)
{
    struct buffer out = {0};

    if (number != inspect->asked || inspect->asked_at == 0 || !inspect->exchange || len > EXCHANGE_SIZE)
        return;
    inspect->asked_at = 0;
    buffer_add(&out, BP_STR("{\"metrics\":"));
    schema_encode_text(bp_str_n(inspect->exchange, len), &out);
    buffer_add_char(&out, '}');
    admin_settle(&inspect->admin, ADMIN_METRICS,
                 out.failed ? BP_STR("{\"error\":\"out of memory\"}") : buffer_str(&out));
    buffer_deinit(&out);
}

static enum admin_answer answer_reload(struct inspect *inspect, struct buffer *out)
{
    if (inspect->reload(inspect->argument))
        return ADMIN_RELOAD;
    buffer_add(out, BP_STR("{\"error\":\"not now: another reload is under way, or the server starts or stops\"}"));
    return ADMIN_ANSWERED;
}

void inspect_reloaded(struct inspect *inspect, bp_str problem)
{
    struct buffer out = {0};

    inspect->refused.len = 0;
    inspect->refused_at = problem.ptr ? bp_date_now() : 0;
    if (problem.ptr) {
        buffer_add(&inspect->refused, problem);
        buffer_add(&out, BP_STR("{\"reloaded\":false,\"reason\":"));
        schema_encode_text(problem, &out);
    } else {
        inspect->reloads++;
        buffer_printf(&out, "{\"reloaded\":true,\"generation\":%u,\"workers\":%u,\"job_workers\":%u",
                      inspect->workers->generation, inspect->workers->plan.serving, inspect->workers->plan.jobs);
    }
    buffer_add_char(&out, '}');
    admin_settle(&inspect->admin, ADMIN_RELOAD,
                 out.failed ? BP_STR("{\"error\":\"out of memory\"}") : buffer_str(&out));
    buffer_deinit(&out);
}

static const struct {
    const char *name;
    enum admin_answer (*function)(struct inspect *inspect, struct buffer *out);
} commands[] = {
    {"errors", answer_errors}, {"metrics", answer_metrics}, {"reload", answer_reload}, {"status", answer_status}};

static enum admin_answer answer(void *argument, bp_str line, struct buffer *out)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (bp_str_is(line, commands[i].name))
            return commands[i].function(argument, out);
    buffer_add(out, BP_STR("{\"error\":\"unknown command\"}"));
    return ADMIN_ANSWERED;
}

void inspect_open(struct inspect *inspect, struct workers *workers, bp_str folder)
{
    struct buffer problems = {0};

    inspect->workers = workers;
    inspect->state = "running";
    inspect->started = bp_clock();
    inspect->started_at = bp_date_now();
    inspect->admin.answer = answer;
    inspect->admin.argument = inspect;
    inspect->admin.fd = -1;
    inspect->errors = shared_region(workers->shared, ERRORS_REGION, ERRORS_VERSION, errors_size(), NULL);
    inspect->exchange = shared_region(workers->shared, EXCHANGE_REGION, EXCHANGE_VERSION, EXCHANGE_SIZE, NULL);
    inspect->own_errors = calloc(1, errors_size());
    if (!inspect->errors || !inspect->own_errors)
        buffer_printf(&problems, "there is no memory for the table of errors\n");
    else
        (void)admin_open(&inspect->admin, folder, &problems);
    if (problems.len > 0)
        bp_log(NULL, BP_LOG_WARN, "admin.unavailable",
               "There is no admin socket: `backplane status`, `errors` and `top` will not find this server",
               bp_log_str("reason", bp_str_trim(buffer_str(&problems))));
    buffer_deinit(&problems);
}

void inspect_close(struct inspect *inspect)
{
    if (inspect->workers)
        admin_close(&inspect->admin);
    free(inspect->own_errors);
    inspect->own_errors = NULL;
    buffer_deinit(&inspect->refused);
}
