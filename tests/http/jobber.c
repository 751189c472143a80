/* SPDX-License-Identifier: MIT */
/* A plugin with jobs that do as they are told, and routes that enqueue them. For black-box tests and benchmarks only. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "backplane/iface/queue.h"
#include "backplane/shared.h"

struct noops {
    _Atomic uint64_t done;
    _Atomic int64_t begun, ended; /* bp_clock() */
};

struct jobber {
    struct bp_host *host;
    struct bp_service db, queue;
    bp_str cron;
    bool skip_missed;
    uint32_t attempts;
    bp_span retry_after, retry_at_most, timeout, max_age;
    struct noops *noops;
    char cron_text[64];
};

/* What the job "jobber.work" does, and what is written into the table runs. */
struct work {
    bp_str name, mode;
};
static const struct bp_field work_rows[] = {BP_TEXT(struct work, name, .flags = BP_REQUIRED),
                                            BP_TEXT(struct work, mode, .def = ""), BP_END};

static const struct bp_field options[] = {BP_TEXT(struct jobber, cron, .def = "", .max = 60),
                                          BP_BOOL(struct jobber, skip_missed, .def = "false"),
                                          BP_U32(struct jobber, attempts, .def = "0"),
                                          BP_SPAN(struct jobber, retry_after, .def = "0", .max = 100 * BP_DAY),
                                          BP_SPAN(struct jobber, retry_at_most, .def = "0", .max = 100 * BP_DAY),
                                          BP_SPAN(struct jobber, timeout, .def = "0", .max = 100 * BP_DAY),
                                          BP_SPAN(struct jobber, max_age, .def = "0", .max = 100 * BP_DAY),
                                          BP_END};

static const struct bp_need needs[] = {BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct jobber, db),
                                       BP_NEED(BP_QUEUE, BP_QUEUE_VERSION, struct jobber, queue), BP_NEED_END};

static const struct bp_migration migrations[] = {
    BP_MIGRATION(.version = 1, .name = "create_runs",
                 .up = "CREATE TABLE runs (job BLOB NOT NULL, name TEXT NOT NULL, attempt INTEGER NOT NULL, "
                       "number INTEGER PRIMARY KEY)",
                 .up_postgres = "CREATE TABLE runs (job uuid NOT NULL, name text NOT NULL, attempt bigint NOT NULL, "
                                "number bigint GENERATED ALWAYS AS IDENTITY)"),
    BP_MIGRATION_END};

static const struct bp_statement note =
    BP_STATEMENT(.name = "jobber.note", .flags = BP_SQL_BATCHABLE,
                 .sql = "INSERT INTO runs (job, name, attempt) VALUES ($1, $2, $3)");

static bool is_there(const struct jobber *jobber, const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%" BP_STR_FMT "/%s", BP_STR_ARG(bp_data_dir(jobber->host)), name);
    return access(path, F_OK) == 0;
}

/* Takes a lock that ends with the process, for a while; who finds it taken notes that. */
static int run_alone(const struct jobber *jobber, const struct bp_job *job)
{
    char path[256];
    int status;
    snprintf(path, sizeof(path), "%" BP_STR_FMT "/lock-%" BP_STR_FMT, BP_STR_ARG(bp_data_dir(jobber->host)),
             BP_STR_ARG(job->unique));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return BP_ERROR;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        status = bp_sleep(3 * BP_MILLISECOND);
    else
        status = bp_db_query(jobber->db, NULL, &note,
                             BP_VALUES(bp_db_uuid(&job->id), bp_db_text(BP_STR("overlap")), bp_db_i64(job->attempt)),
                             NULL, NULL);
    close(fd);
    return status > 0 ? BP_ERROR : status;
}

static int work(struct bp_job *job, void *argument)
{
    struct jobber *jobber = argument;
    const struct work *what = job->payload;
    int status =
        bp_db_query(jobber->db, NULL, &note,
                    BP_VALUES(bp_db_uuid(&job->id), bp_db_text(what->name), bp_db_i64(job->attempt)), NULL, NULL);
    if (status != 0)
        return status > 0 ? BP_ERROR : status;
    if (bp_str_is(what->mode, "fail"))
        return BP_ERROR;
    if (bp_str_is(what->mode, "fail-once"))
        return job->attempt == 1 ? BP_ERROR : 0;
    if (bp_str_is(what->mode, "why")) {
        bp_job_reason(jobber->queue, job, BP_STR("The other side said no"));
        return BP_ERROR;
    }
    if (bp_str_is(what->mode, "later")) {
        bp_job_retry_at(jobber->queue, job, INT64_C(4102444800000));
        return BP_ERROR;
    }
    if (bp_str_is(what->mode, "dead")) {
        bp_job_reason(jobber->queue, job, BP_STR("Nobody is there"));
        return BP_JOB_DEAD;
    }
    if (bp_str_is(what->mode, "crash"))
        abort();
    if (bp_str_is(what->mode, "alone"))
        return run_alone(jobber, job);
    if (bp_str_is(what->mode, "sleep"))
        return bp_sleep(BP_HOUR);
    if (bp_str_is(what->mode, "until-go"))
        while (status == 0 && !is_there(jobber, "go"))
            status = bp_sleep(5 * BP_MILLISECOND);
    return status;
}

static int noop(struct bp_job *job, void *argument)
{
    struct jobber *jobber = argument;
    (void)job;
    atomic_fetch_add(&jobber->noops->done, 1);
    atomic_store(&jobber->noops->ended, bp_clock());
    return 0;
}

static int tick(struct bp_job *job, void *argument)
{
    struct jobber *jobber = argument;
    return bp_db_query(jobber->db, NULL, &note,
                       BP_VALUES(bp_db_uuid(&job->id), bp_db_text(BP_STR("tick")), bp_db_i64(job->attempt)), NULL,
                       NULL);
}

/* --- routes --- */

struct order {
    bp_str kind, name, mode, unique, end;
    bool replace;
    int64_t run_at, priority, count;
};
static const struct bp_field order_rows[] = {BP_TEXT(struct order, kind, .def = "jobber.work"),
                                             BP_TEXT(struct order, name, .def = ""),
                                             BP_TEXT(struct order, mode, .def = ""),
                                             BP_TEXT(struct order, unique, .def = ""),
                                             BP_TEXT(struct order, end, .def = ""),
                                             BP_BOOL(struct order, replace, .def = "false"),
                                             BP_I64(struct order, run_at, .def = "0"),
                                             BP_I64(struct order, priority, .def = "0"),
                                             BP_I64(struct order, count, .def = "1"),
                                             BP_END};
struct made {
    bp_uuid id;
};
static const struct bp_field made_rows[] = {BP_UUID(struct made, id), BP_END};
struct found {
    bool found;
};
static const struct bp_field found_rows[] = {BP_BOOL(struct found, found), BP_END};

static int enqueue_all(const struct jobber *jobber, struct bp_tx *tx, const struct order *order, bp_uuid *ret_id)
{
    struct work what = {.name = order->name, .mode = order->mode};
    bp_str kind = bp_arena_copy(bp_fiber_arena(), order->kind);
    int status = 0;
    for (int64_t i = 0; i < order->count && status == 0; i++)
        status = bp_enqueue(jobber->queue, tx,
                            &BP_JOB(.kind = kind.ptr, .payload = bp_str_is(kind, "jobber.noop") ? NULL : &what,
                                    .unique = order->unique, .replace = order->replace, .run_at = order->run_at,
                                    .priority = (int32_t)order->priority),
                            ret_id);
    return status;
}

static int post(struct bp_request *rq, void *self, const void *stage)
{
    const struct jobber *jobber = self;
    struct order order;
    struct made made;
    struct bp_tx *tx = NULL;
    (void)stage;
    int status = bp_body_object(rq, order_rows, &order);
    if (status == 0 && order.end.len > 0)
        status = bp_db_begin(jobber->db, &tx);
    if (status == 0)
        status = enqueue_all(jobber, tx, &order, &made.id);
    if (tx && status == 0 && bp_str_is(order.end, "commit"))
        status = bp_db_commit(jobber->db, tx);
    else if (tx)
        bp_db_rollback(jobber->db, tx);
    return status != 0 ? status : bp_reply_object(rq, 201, "Enqueued", made_rows, &made);
}

static int cancel(struct bp_request *rq, void *self, const void *stage)
{
    const struct jobber *jobber = self;
    struct order order;
    struct found found;
    (void)stage;
    int status = bp_body_object(rq, order_rows, &order);
    if (status == 0)
        status = bp_job_cancel(jobber->queue, NULL, "jobber.work", order.unique, &found.found);
    return status != 0 ? status : bp_reply_object(rq, 200, "Cancelled", found_rows, &found);
}

struct noops_said {
    int64_t done, nanoseconds, ended;
};
static const struct bp_field noops_rows[] = {BP_I64(struct noops_said, done), BP_I64(struct noops_said, nanoseconds),
                                             BP_I64(struct noops_said, ended), BP_END};

/* How many no-op jobs were run, how long that took from the last POST on, and when the last one was. */
static int noops_get(struct bp_request *rq, void *self, const void *stage)
{
    const struct jobber *jobber = self;
    (void)stage;
    struct noops_said said = {.done = (int64_t)atomic_load(&jobber->noops->done),
                              .nanoseconds = atomic_load(&jobber->noops->ended) - atomic_load(&jobber->noops->begun),
                              .ended = atomic_load(&jobber->noops->ended)};
    return bp_reply_object(rq, 200, "Counted", noops_rows, &said);
}

static const struct bp_statement insert_noops =
    BP_STATEMENT(.name = "jobber.noops",
                 .sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) "
                        "INSERT INTO jobs (id, kind, queue, state, priority, attempts, enqueued_at, run_at) "
                        "SELECT randomblob(16), 'jobber.noop', 'default', 'waiting', 0, 20, $2, $2 FROM n",
                 .sql_postgres =
                     "INSERT INTO jobs (id, kind, queue, state, priority, attempts, enqueued_at, run_at) "
                     "SELECT (lpad(to_hex((extract(epoch FROM $2::timestamptz) * 1000)::bigint), 12, '0') || '7' || "
                     "lpad(to_hex(i % 4096), 3, '0') || '8' || substr(md5(i::text), 1, 15))::uuid, 'jobber.noop', "
                     "'default', 'waiting', 0, 20, $2::timestamptz, "
                     "$2::timestamptz FROM generate_series(1, $1::bigint) AS n (i)");

/* Writes so many of them but one at once, and begins to count anew; the last one, enqueued as any other, wakes the workers. */
static int noops_post(struct bp_request *rq, void *self, const void *stage)
{
    const struct jobber *jobber = self;
    struct order order;
    (void)stage;
    bp_uuid id;
    int status = bp_body_object(rq, order_rows, &order);
    atomic_store(&jobber->noops->done, 0);
    if (status == 0 && order.count > 1)
        status = bp_db_query(jobber->db, NULL, &insert_noops,
                             BP_VALUES(bp_db_i64(order.count - 1), bp_db_date(bp_date_now())), NULL, NULL);
    atomic_store(&jobber->noops->begun, bp_clock());
    if (status == 0 && order.count > 0)
        status = bp_enqueue(jobber->queue, NULL, &BP_JOB(.kind = "jobber.noop"), &id);
    return status != 0 ? status : bp_reply_message(rq, 201, "Enqueued");
}

static const struct bp_route routes[] = {
    BP_ROUTE(.method = BP_POST, .path = "/jobs", .name = "jobber.post", .handler = post),
    BP_ROUTE(.method = BP_POST, .path = "/jobs/cancel", .name = "jobber.cancel", .handler = cancel),
    BP_ROUTE(.method = BP_GET, .path = "/noops", .name = "jobber.noops", .handler = noops_get),
    BP_ROUTE(.method = BP_POST, .path = "/noops", .name = "jobber.noops_post", .handler = noops_post), BP_ROUTE_END};

static int init(struct bp_host *host, void *self)
{
    struct jobber *jobber = self;
    jobber->host = host;
    snprintf(jobber->cron_text, sizeof(jobber->cron_text), "%" BP_STR_FMT, BP_STR_ARG(jobber->cron));
    const struct bp_job_kind ticks[] = {BP_JOB_KIND(.name = "jobber.tick", .doc = "Comes again and again.",
                                                    .cron = jobber->cron_text, .skip_missed = jobber->skip_missed,
                                                    .run = tick),
                                        BP_JOB_KIND_END};
    const struct bp_job_kind kinds[] = {
        BP_JOB_KIND(.name = "jobber.work", .doc = "Does as it is told.", .payload = work_rows,
                    .payload_size = sizeof(struct work), .run = work, .attempts = jobber->attempts,
                    .retry_after = jobber->retry_after, .retry_at_most = jobber->retry_at_most,
                    .timeout = jobber->timeout, .max_age = jobber->max_age),
        BP_JOB_KIND(.name = "jobber.few", .doc = "The same, in a queue of its own.", .queue = "few",
                    .payload = work_rows, .payload_size = sizeof(struct work), .run = work),
        BP_JOB_KIND(.name = "jobber.noop", .doc = "Does nothing.", .run = noop), BP_JOB_KIND_END};
    int status = bp_jobs_add(host, jobber->queue, kinds, jobber);
    return status == 0 && jobber->cron.len > 0 ? bp_jobs_add(host, jobber->queue, ticks, jobber) : status;
}

static int start(struct bp_host *host, void *self)
{
    struct jobber *jobber = self;
    jobber->noops = bp_shared(host, "jobber.noops", 1, sizeof(struct noops));
    return jobber->noops ? 0 : BP_NOMEM;
}

BP_PLUGIN(.name = "jobber", .version = "1.0.0", .doc = "Runs jobs as it is told.", .self_size = sizeof(struct jobber),
          .options = options, .needs = needs, .routes = routes, .migrations = migrations, .init = init, .start = start);
