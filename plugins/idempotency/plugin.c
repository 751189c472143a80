/* SPDX-License-Identifier: MIT */
/* idempotency: a write that is repeated with the same key takes place once. */
#include <stdio.h>

#include "backplane/iface/queue.h"
#include "backplane/shared.h"
#include "record.h"

#include "idempotency_migrations.h"

static void check_method(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (bp_str_is(*(const bp_str *)value, methods[i]))
            return;
    bp_problem_add(problems, row, "idempotency.method", "must be POST, PUT, PATCH or DELETE");
}

static const struct bp_field method_rows[] = {
    {.name = "", .type = BP_TYPE_TEXT, .min = 1, .max = 20, .check = check_method}, BP_END};

static const struct bp_field options[] = {
    BP_SPAN(
        struct idempotency, cleanup, .def = "1m", .min = 10 * BP_MILLISECOND, .max = BP_DAY,
        .doc = "How often what has expired is deleted: by a job where there is a queue (then it is at least a second), "
               "else by each worker."),
    BP_SIZE(struct idempotency, max_reply, .def = "256KiB", .min = 0, .max = INT64_C(1) << 30,
            .doc = "A larger reply is not kept: a repetition is then told that the request was carried out (409)."),
    BP_SPAN(struct idempotency_stage, ttl, .flags = BP_STAGE, .def = "24h", .min = BP_SECOND, .max = 365 * BP_DAY,
            .doc = "How long a key is remembered."),
    BP_ARRAY(struct idempotency_stage, methods, bp_str, method_rows, .flags = BP_STAGE, .max = 4,
             .doc = "Methods whose keys are heeded; empty: POST, PATCH, PUT and DELETE."),
    BP_BOOL(struct idempotency_stage, required, .flags = BP_STAGE, .def = "false",
            .doc = "Whether such a request without a key is refused (400)."),
    BP_END};

static const struct bp_need needs[] = {BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct idempotency, db),
                                       BP_NEED(BP_QUEUE, BP_QUEUE_VERSION, struct idempotency, queue, .optional = 1),
                                       BP_NEED_END};

static const struct bp_metric_row metrics[] = {
    BP_METRIC(struct idempotency, requests_metric, .type = BP_COUNTER, .name = "backplane_idempotency_requests_total",
              .help = "Requests with an Idempotency-Key, by what became of them: new, replayed, in_flight, mismatch.",
              .labels = {"result"}),
    BP_METRIC_END};

#define WRITES (1u << BP_POST | 1u << BP_PUT | 1u << BP_PATCH | 1u << BP_DELETE)

static const struct bp_field request_fields[] = {
    BP_HEADER_FIELD("Idempotency-Key", BP_TYPE_TEXT, .min = 1, .max = ASK_KEY_MAX + 2,
                    .example = "8e03978e-40d5-43dd-bc93-6894a57f9324",
                    .doc = "Makes a repetition of this request safe: it gets the reply of the first one."),
    BP_END};
static const struct bp_field reply_fields[] = {
    BP_HEADER_FIELD("Idempotent-Replayed", BP_TYPE_TEXT, .doc = "\"true\" on the reply to a repetition."), BP_END};
static const struct bp_field retry_fields[] = {BP_HEADER_FIELD("Retry-After", BP_TYPE_U32, .doc = "Seconds to wait."),
                                               BP_END};

static const struct bp_answer answers[] = {
    BP_ANSWER(.methods = WRITES, .request = request_fields, .headers = reply_fields),
    BP_ANSWER(.status = 400, .methods = WRITES, .code = "idempotency.key_invalid",
              .message = "Idempotency-Key must be 1 to 255 visible ASCII characters"),
    BP_ANSWER(.status = 409, .methods = WRITES, .code = "idempotency.in_flight", .headers = retry_fields,
              .message = "A request with this Idempotency-Key is being carried out"),
    BP_ANSWER(.status = 422, .methods = WRITES, .code = "idempotency.mismatch",
              .message = "This Idempotency-Key was used for another request"),
    BP_ANSWER_END};

static int clean_job(struct bp_job *job, void *argument)
{
    (void)job;
    return record_clean(argument);
}

static int init(struct bp_host *host, void *self)
{
    struct idempotency *idempotency = self;
    bp_span every = idempotency->cleanup / BP_SECOND;
    idempotency->host = host;
    if (!idempotency->queue.vtable)
        return 0;
    (void)snprintf(idempotency->clean_name, sizeof(idempotency->clean_name), "%" BP_STR_FMT ".clean",
                   BP_STR_ARG(bp_instance_name(host)));
    (void)snprintf(idempotency->clean_cron, sizeof(idempotency->clean_cron), "@every %llds",
                   every > 0 ? (long long)every : 1);
    const struct bp_job_kind kinds[] = {BP_JOB_KIND(.name = idempotency->clean_name, .cron = idempotency->clean_cron,
                                                    .run = clean_job, .skip_missed = 1, .timeout = BP_HOUR,
                                                    .doc = "Deletes the replies of keys that have expired."),
                                        BP_JOB_KIND_END};
    return bp_jobs_add(host, idempotency->queue, kinds, idempotency);
}

static int clean(void *argument)
{
    struct idempotency *idempotency = argument;
    int status = record_clean(idempotency);
    idempotency->cleaning = false;
    return status == BP_BUSY || status == BP_TIMEOUT ? 0 : status; /* the next round will do it */
}

static void clean_soon(void *argument)
{
    struct idempotency *idempotency = argument;
    if (idempotency->cleaning)
        return;
    idempotency->cleaning = true;
    if (bp_spawn(idempotency->host, "idempotency.clean", clean, idempotency, BP_MINUTE) < 0)
        idempotency->cleaning = false;
}

static int start(struct bp_host *host, void *self)
{
    static const char *const names[RESULT_COUNT] = {"new", "replayed", "in_flight", "mismatch"};
    struct idempotency *idempotency = self;
    bp_str instance = bp_instance_name(host);
    char name[128];
    snprintf(name, sizeof(name), "%" BP_STR_FMT ":flights", BP_STR_ARG(instance));
    idempotency->flights = bp_shared(host, name, FLIGHTS_LAYOUT, sizeof(struct flights));
    if (!idempotency->flights)
        return bp_start_error(host, "no shared memory for the keys in use (server.shared_memory)");
    flights_forget(idempotency->flights, bp_worker_slot());
    for (size_t i = 0; i < RESULT_COUNT; i++) {
        bp_str label = bp_str_of(names[i]);
        idempotency->results[i] = bp_series(idempotency->requests_metric, &label);
    }
    if (idempotency->queue.vtable)
        return 0;
    idempotency->timer = bp_timer_every(host, idempotency->cleanup, clean_soon, idempotency);
    return idempotency->timer ? 0 : BP_NOMEM;
}

static void stop(struct bp_host *host, void *self)
{
    struct idempotency *idempotency = self;
    (void)host;
    idempotency->timer = bp_timer_free(idempotency->timer);
}

BP_PLUGIN(.name = "idempotency", .version = "1.0.0",
          .doc = "Lets a write that is repeated with the same Idempotency-Key take place once.",
          .self_size = sizeof(struct idempotency), .stage_size = sizeof(struct idempotency_stage), .options = options,
          .phase = BP_PHASE_REUSE, .needs = needs, .migrations = idempotency_migrations, .metrics = metrics,
          .answers = answers, .init = init, .start = start, .stop = stop, .middleware = idempotency_serve);
