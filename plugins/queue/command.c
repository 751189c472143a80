/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <stdio.h>
#include <unistd.h>

#include "job.h"

static const struct bp_statement list = BP_STATEMENT(
        .name = "queue.list", .flags = BP_SQL_READ,
        .sql = "SELECT id, kind, queue, state, priority, attempt, attempts, unique_key, reason, worker, cancelled, "
               "enqueued_at, run_at, expires_at, started_at, finished_at FROM jobs WHERE ($1 = '' OR state = $1) "
               "ORDER BY id DESC LIMIT 100",
        .rows = job_list_rows, .row_size = sizeof(struct job));

static int unusable(int status)
{
    fprintf(stderr, "the database cannot be used (%s): is its schema up to date (backplane migrate status)?\n",
            bp_status_name(status));
    return 1;
}

static const char *date_text(bp_date date, char space[BP_DATE_LEN + 1])
{
    space[0] = '\0';
    if (date != 0) {
        bp_date_format(date, space);
        space[BP_DATE_LEN] = '\0';
    }
    return space;
}

static int list_jobs(struct bp_host *host, void *self, const char *const *arguments, size_t count)
{
    const struct queue *queue = self;
    bp_str state = count > 0 ? bp_str_of(arguments[0]) : BP_STR("");
    struct bp_result result;
    bool known = state.len == 0;
    (void)host;
    for (size_t i = 0; job_states[i]; i++)
        known = known || bp_str_is(state, job_states[i]);
    if (count > 1 || !known) {
        fputs("a state may be given: scheduled, waiting, running, done, dead or cancelled\n", stderr);
        return 1;
    }
    int status = bp_db_query(queue->db, NULL, &list, BP_VALUES(bp_db_text(state)), bp_fiber_arena(), &result);
    if (status != 0)
        return unusable(status);
    const struct job *jobs = result.rows;
    for (size_t i = 0; i < result.len; i++) {
        char id[BP_UUID_LEN], run_at[BP_DATE_LEN + 1];
        bp_uuid_format(&jobs[i].id, id);
        printf("%.*s  %-9s  %-24.*s  %-12.*s  %3lld/%-3lld  %s  %.*s\n", BP_UUID_LEN, id, job_states[jobs[i].state],
               BP_STR_ARG(jobs[i].kind), BP_STR_ARG(jobs[i].queue), (long long)jobs[i].attempt,
               (long long)jobs[i].attempts, date_text(jobs[i].run_at, run_at), BP_STR_ARG(jobs[i].reason));
    }
    return 0;
}

static void print_job(const struct job *job)
{
    bp_str json = bp_object_encode(job_rows, job, bp_fiber_arena());
    printf("%.*s\n", BP_STR_ARG(json));
}

/* Does it to the job whose id was given. */
static int one(struct queue *queue, const char *const *arguments, size_t count,
               int (*function)(struct queue *queue, const bp_uuid *id, struct bp_arena *arena, struct job *ret_job))
{
    bp_uuid id;
    struct job job;
    if (count != 1 || !bp_uuid_parse(bp_str_of(arguments[0]), &id)) {
        fputs("the id of a job is needed\n", stderr);
        return 1;
    }
    int status = function(queue, &id, bp_fiber_arena(), &job);
    if (status < 0)
        return unusable(status);
    if (status > 0) {
        fprintf(stderr, "%s\n",
                status == JOB_E_MISSING  ? "there is no such job"
                : status == JOB_E_UNIQUE ? "another job with its key waits or runs"
                                         : "the job is in no state for that: see show");
        return 1;
    }
    print_job(&job);
    return 0;
}

static int find(struct queue *queue, const bp_uuid *id, struct bp_arena *arena, struct job *ret_job)
{
    return job_find(queue, id, arena, ret_job);
}

static int cancel(struct queue *queue, const bp_uuid *id, struct bp_arena *arena, struct job *ret_job)
{
    return job_cancel(queue, id, arena, ret_job);
}

static int show_job(struct bp_host *host, void *self, const char *const *arguments, size_t count)
{
    (void)host;
    return one(self, arguments, count, find);
}

/* As of an administrator, but by the system's user. */
static void audit(struct bp_host *host, const char *event, const char *message, const char *target_name,
                  const char *target)
{
    bp_audit(host, event, message, bp_log_cstr("outcome", "ok"), bp_log_cstr(target_name, target),
             bp_log_int("uid", getuid()));
}

static int retry_job(struct bp_host *host, void *self, const char *const *arguments, size_t count)
{
    int failed = one(self, arguments, count, job_retry);
    if (!failed)
        audit(host, "queue.job_retried", "A command had a job run again", "job_id", arguments[0]);
    return failed;
}

static int cancel_job(struct bp_host *host, void *self, const char *const *arguments, size_t count)
{
    int failed = one(self, arguments, count, cancel);
    if (!failed)
        audit(host, "queue.job_cancelled", "A command cancelled a job", "job_id", arguments[0]);
    return failed;
}

static int list_queues(struct bp_host *host, void *self, const char *const *arguments, size_t count)
{
    struct depth *depths;
    size_t depth_count;
    (void)host, (void)arguments;
    if (count != 0) {
        fputs("nothing is needed behind it\n", stderr);
        return 1;
    }
    int status = depth_list(self, BP_STR(""), bp_fiber_arena(), &depths, &depth_count);
    if (status < 0)
        return unusable(status);
    for (size_t i = 0; i < depth_count; i++)
        printf("%-24.*s  %-6s  waiting %lld  scheduled %lld  running %lld  dead %lld  oldest %.1f s\n",
               BP_STR_ARG(depths[i].name), depths[i].paused ? "paused" : "", (long long)depths[i].waiting,
               (long long)depths[i].scheduled, (long long)depths[i].running, (long long)depths[i].dead,
               depths[i].oldest);
    return 0;
}

static int set_paused(struct queue *queue, const char *const *arguments, size_t count, bool paused)
{
    if (count != 1) {
        fputs("the name of a queue is needed\n", stderr);
        return 1;
    }
    int status = depth_pause(queue, bp_str_of(arguments[0]), paused);
    if (status < 0)
        return unusable(status);
    if (status == JOB_E_MISSING) {
        fprintf(stderr, "there is no queue %s\n", arguments[0]);
        return 1;
    }
    audit(queue->host, paused ? "queue.paused" : "queue.resumed",
          paused ? "A command paused a queue" : "A command resumed a queue", "queue", arguments[0]);
    printf("%s %s\n", arguments[0], paused ? "is paused" : "goes on");
    return 0;
}

static int pause_queue(struct bp_host *host, void *self, const char *const *arguments, size_t count)
{
    (void)host;
    return set_paused(self, arguments, count, true);
}

static int resume_queue(struct bp_host *host, void *self, const char *const *arguments, size_t count)
{
    (void)host;
    return set_paused(self, arguments, count, false);
}

const struct bp_command command_rows[] = {
    BP_COMMAND(.name = "list", .doc = "The newest 100 jobs, or those of a state.", .run = list_jobs),
    BP_COMMAND(.name = "show", .doc = "One job, by its id, as JSON.", .run = show_job),
    BP_COMMAND(.name = "retry", .changes = 1, .doc = "Runs a job that is dead, cancelled or scheduled, now.",
               .run = retry_job),
    BP_COMMAND(.name = "cancel", .changes = 1, .doc = "Cancels a job.", .run = cancel_job),
    BP_COMMAND(.name = "queues", .doc = "The queues, and how much is in each.", .run = list_queues),
    BP_COMMAND(.name = "pause", .changes = 1, .doc = "Begins no job of a queue any more, in any replica.",
               .run = pause_queue),
    BP_COMMAND(.name = "resume", .changes = 1, .doc = "Goes on with a queue.", .run = resume_queue),
    BP_COMMAND_END};
