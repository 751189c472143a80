/* SPDX-License-Identifier: MIT */
#include "lane.h"

#include <stdlib.h>

#include "connection.h"

static const char *const names[LANES] = {"read", "write", "replica"};

int lane_start(struct database *database, enum lane_kind kind, unsigned connections)
{
    struct lane *lane = &database->lanes[kind];
    bp_str labels[2] = {bp_instance_name(database->host), bp_str_of(names[kind])};
    *lane = (struct lane){.database = database, .kind = kind, .name = names[kind]};
    lane->waiting = bp_series(database->waiting, labels);
    lane->connections = calloc(connections, sizeof(*lane->connections));
    if (!lane->connections)
        return BP_NOMEM;
    for (unsigned i = 0; i < connections; i++) {
        struct connection *connection =
            connection_create(database, lane, kind == LANE_REPLICA ? &database->replica : &database->target);
        if (!connection)
            return BP_NOMEM;
        lane->connections[lane->connection_count++] = connection;
        if (connection_start(connection) != 0)
            return BP_NOMEM;
    }
    return 0;
}

void lane_free(struct lane *lane)
{
    for (unsigned i = 0; i < lane->connection_count; i++)
        connection_destroy(lane->connections[i]);
    free(lane->connections);
    job_list_fail(&lane->queue, BP_BUSY);
    job_list_fail(&lane->urgent, BP_BUSY);
    *lane = (struct lane){0};
}

void lane_wake(struct lane *lane)
{
    for (unsigned i = 0; i < lane->connection_count; i++) {
        struct connection *connection = lane->connections[i];
        if (connection->ready && !connection_busy(connection)) {
            connection_wake(connection);
            return;
        }
    }
}

static void show_waiting(struct lane *lane)
{
    bp_metric_set(lane->waiting, lane->queue.len);
}

/* Time to wait for its turn is up, or its fiber is to end. True when nothing of it will run any more. */
static bool give_up(struct lane *lane, struct job *job)
{
    if (job->state == JOB_QUEUED) {
        job_remove(job);
        show_waiting(lane);
        return true;
    }
    if (job->state == JOB_SENT && job_reads(job)) {
        batch_forget_job(job);
        return true;
    }
    return false;
}

static int wait_for(struct lane *lane, struct job *job, bp_span timeout)
{
    bp_time begun = bp_clock();
    int status = bp_event_wait(&job->event, timeout);
    if (status == BP_TIMEOUT && timeout != BP_FOREVER && bp_clock() - begun >= timeout) {
        if (job->state == JOB_QUEUED && give_up(lane, job))
            return job_status(job, BP_BUSY);
        status = bp_event_wait(&job->event, BP_FOREVER);
    }
    if (status != 0 && give_up(lane, job))
        return job_status(job, status);
    /* A write that was sent: what becomes of it must be known. */
    bp_event_wait_always(&job->event);
    return job->status;
}

static int enqueue(struct lane *lane, struct job *job)
{
    if (lane->away || lane->queue.len >= lane->database->queue)
        return BP_BUSY;
    bp_event_init(&job->event);
    job_list_add(&lane->queue, job);
    show_waiting(lane);
    if (lane->database->schema.state == SCHEMA_READY)
        lane_wake(lane);
    return 0;
}

int lane_run(struct lane *lane, struct job *job, bp_span timeout)
{
    int status = enqueue(lane, job);
    return status != 0 ? status : wait_for(lane, job, timeout);
}

int lane_run_within(struct lane *lane, struct job *job, bp_span timeout)
{
    int status = enqueue(lane, job);
    if (status != 0)
        return status;
    status = bp_event_wait(&job->event, timeout);
    if (status != 0 && give_up(lane, job))
        return status;
    bp_event_wait_always(&job->event);
    return job->status;
}

int lane_run_urgent(struct lane *lane, struct job *job)
{
    bp_event_init(&job->event);
    job_list_add(&lane->urgent, job);
    lane_wake(lane);
    return wait_for(lane, job, BP_FOREVER);
}

struct job_list *lane_next(struct lane *lane)
{
    if (lane->urgent.head)
        return &lane->urgent;
    if (!lane->queue.head || lane->database->schema.state != SCHEMA_READY)
        return NULL;
    return &lane->queue;
}

/* What a replica cannot answer, the primary does. */
static struct lane *fallback(struct lane *lane)
{
    return lane->kind == LANE_REPLICA ? &lane->database->lanes[LANE_READ] : lane;
}

void lane_put_back(struct lane *lane, struct job *job)
{
    lane = fallback(lane);
    if (lane->away) {
        job_fail(job, BP_BUSY);
        return;
    }
    job_list_add_first(&lane->queue, job);
    show_waiting(lane);
    lane_wake(lane);
}

void lane_connected(struct lane *lane)
{
    struct database *database = lane->database;
    lane->away = false;
    if (lane->ready++ > 0)
        return;
    bp_log(database->host, BP_LOG_INFO, lane->was_ready ? "postgres.back" : "postgres.connected",
           lane->was_ready ? "The database is back" : "The database is connected", bp_log_cstr("for", lane->name));
    lane->was_ready = true;
    lane_wake(lane);
}

void lane_lost(struct lane *lane, const char *why)
{
    if (--lane->ready > 0 || !lane->database->running)
        return;
    bp_log(lane->database->host, BP_LOG_WARN, "postgres.lost", "The connection to the database was lost",
           bp_log_cstr("for", lane->name), bp_log_cstr("reason", why));
}

static void refuse_waiting(struct lane *lane)
{
    struct lane *other = fallback(lane);
    while (lane != other && lane->queue.tail) {
        struct job *job = lane->queue.tail;
        job_remove(job);
        lane_put_back(other, job);
    }
    job_list_fail(&lane->queue, BP_BUSY);
    show_waiting(lane);
}

void lane_unreachable(struct lane *lane, const char *why)
{
    struct database *database = lane->database;
    bool primary = lane->kind != LANE_REPLICA;
    if (lane->ready > 0)
        return;
    /* Said once, and again when the reason is another. */
    if (!lane->away || (primary && strcmp(database->why, why) != 0))
        bp_log(database->host, BP_LOG_WARN, "postgres.unreachable", "The database cannot be reached",
               bp_log_cstr("for", lane->name), bp_log_cstr("reason", why));
    if (primary)
        memcpy(database->why, why, strnlen(why, sizeof(database->why) - 1) + 1);
    lane->away = true;
    refuse_waiting(lane);
}
