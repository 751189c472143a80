/* SPDX-License-Identifier: MIT */
/* queue: jobs in the database, run by the jobs workers. */
#include "admin.h"
#include "command.h"
#include "count.h"
#include "measure.h"
#include "queue.h"

#include "queue_migrations.h"

static const struct bp_field lane_rows[] = {
    BP_TEXT(struct lane_option, name, .flags = BP_REQUIRED, .min = 1, .max = QUEUE_NAME_MAX),
    BP_U32(struct lane_option, at_a_time, .def = "0", .max = 1000),
    BP_U32(struct lane_option, limit, .def = "0", .max = 100000), BP_END};

static const struct bp_field options[] = {
    BP_U32(struct queue, at_a_time, .def = "32", .min = 1, .max = 1000,
           .doc = "Jobs of one queue that each jobs worker runs at a time."),
    BP_ARRAY(
        struct queue, queues, struct lane_option, lane_rows, .max = 64,
        .doc = "What differs for a queue, each a group of name, at_a_time (0: as above) and limit: so many of its jobs "
               "run at a time in all replicas together (0: any number)."),
    BP_SPAN(struct queue, poll, .def = "1s", .min = 10 * BP_MILLISECOND, .max = BP_MINUTE,
            .doc = "How often a jobs worker looks for jobs that nobody told it of."),
    BP_SPAN(struct queue, lease, .def = "30s", .min = BP_SECOND, .max = BP_HOUR,
            .doc = "After how long without a sign of life the jobs of a jobs worker are run by others."),
    BP_SPAN(struct queue, keep_done, .def = "1h", .min = 0, .max = 365 * BP_DAY,
            .doc = "How long jobs that are done can be looked at; 0: not at all."),
    BP_SPAN(struct queue, keep_dead, .def = "30d", .min = BP_MINUTE, .max = 3650 * BP_DAY,
            .doc = "The same of dead ones."),
    BP_SPAN(struct queue, keep_cancelled, .def = "1h", .min = 0, .max = 365 * BP_DAY,
            .doc = "The same of cancelled ones."),
    BP_SPAN(struct queue, measure, .def = "15s", .min = 10 * BP_MILLISECOND, .max = BP_HOUR,
            .doc = "How often one worker of each server counts what is in the queues, for metrics."),
    BP_END};

static const struct bp_need needs[] = {BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct queue, db), BP_NEED_END};

static const struct bp_queue_vtable vtable = {.size = sizeof(vtable),
                                              .add = kinds_add,
                                              .enqueue = enqueue,
                                              .cancel = enqueue_cancel,
                                              .reason = run_reason,
                                              .retry_at = run_retry_at};
static const struct bp_provide provides[] = {BP_PROVIDE(BP_QUEUE, BP_QUEUE_VERSION, &vtable), BP_PROVIDE_END};

static int queue_init(struct bp_host *host, void *self)
{
    struct queue *queue = self;
    queue->host = host;
    queue->settle_last = &queue->settle_first;
    return lanes_get(queue, BP_STR(QUEUE_DEFAULT)) ? 0 : BP_NOMEM;
}

static int queue_start(struct bp_host *host, void *self)
{
    struct queue *queue = self;
    const struct bp_database_vtable *database = queue->db.vtable;
    queue->started = true;
    queue->postgres = strcmp(database->system, "postgresql") == 0;
    int status = kinds_lists(queue);
    if (status == 0)
        status = wake_attach(&queue->wake, host);
    if (status < 0)
        return status;
    count_start(queue);
    status = measure_start(queue);
    return status == 0 && bp_runs_jobs() ? dispatch_start(queue) : status;
}

static void queue_stop(struct bp_host *host, void *self)
{
    (void)host;
    measure_stop(self);
    if (bp_runs_jobs())
        dispatch_stop(self);
}

static void queue_deinit(struct bp_host *host, void *self)
{
    (void)host;
    kinds_deinit(self);
}

BP_PLUGIN(.name = "queue", .version = "1.0.0", .doc = "Jobs that happen after what asked for them, at least once.",
          .self_size = sizeof(struct queue), .options = options, .needs = needs, .provides = provides,
          .migrations = queue_migrations, .metrics = count_metrics, .routes = admin_routes, .commands = command_rows,
          .init = queue_init, .start = queue_start, .stop = queue_stop, .deinit = queue_deinit);
