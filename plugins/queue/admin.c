/* SPDX-License-Identifier: MIT */
#include "admin.h"

#include "backplane/resource.h"
#include "job.h"

static const struct bp_resource jobs =
    BP_RESOURCE(.name = "job", .plural = "jobs", .table = "jobs", .fields = job_list_rows,
                .object_size = sizeof(struct job), .db = offsetof(struct queue, db), .sort = "-id");

static const struct bp_field params[] = {BP_UUID(struct bp_resource_params, id, .flags = BP_REQUIRED,
                                                 .invalid = "Invalid job ID format", .doc = "The identifier."),
                                         BP_END};

void admin_audit(const struct queue *queue, struct bp_request *rq, const char *event, const char *message,
                 const char *target_name, bp_str target)
{
    char id[BP_UUID_LEN];
    bp_uuid_format(&bp_identity(rq)->user_id, id);
    bp_audit(queue->host, event, message, bp_log_cstr("outcome", "ok"), bp_log_str("user_id", bp_str_n(id, sizeof(id))),
             bp_log_str(target_name, target));
}

static void audit_job(const struct queue *queue, struct bp_request *rq, const char *event, const char *message,
                      const bp_uuid *id)
{
    char text[BP_UUID_LEN];
    bp_uuid_format(id, text);
    admin_audit(queue, rq, event, message, "job_id", bp_str_n(text, sizeof(text)));
}

static int refuse(struct bp_request *rq, int status, const char *state_message)
{
    if (status == JOB_E_MISSING)
        return bp_fail(rq, 404, "job.not_found", "Job not found");
    if (status == JOB_E_UNIQUE)
        return bp_fail(rq, 409, "job.superseded", "Another job with its key waits or runs");
    return status == JOB_E_STATE ? bp_fail(rq, 409, "job.state", state_message) : bp_trace(status);
}

static int get(struct bp_request *rq, void *self, const void *stage)
{
    struct job job;
    (void)stage;
    int status = job_find(self, bp_param_uuid(rq, "id"), bp_arena(rq), &job);
    return status == 0 ? bp_reply_object(rq, 200, "Job retrieved successfully", job_rows, &job)
                       : refuse(rq, status, "");
}

#define RETRY_STATE "Only a job that is dead, cancelled or scheduled can be retried"
#define CANCEL_STATE "The job has ended"

static int retry(struct bp_request *rq, void *self, const void *stage)
{
    struct job job;
    (void)stage;
    int status = job_retry(self, bp_param_uuid(rq, "id"), bp_arena(rq), &job);
    if (status != 0)
        return refuse(rq, status, RETRY_STATE);
    audit_job(self, rq, "queue.job_retried", "An administrator had a job run again", &job.id);
    return bp_reply_object(rq, 200, "Job is run again", job_rows, &job);
}

static int cancel(struct bp_request *rq, void *self, const void *stage)
{
    struct job job;
    (void)stage;
    int status = job_cancel(self, bp_param_uuid(rq, "id"), bp_arena(rq), &job);
    if (status != 0)
        return refuse(rq, status, CANCEL_STATE);
    audit_job(self, rq, "queue.job_cancelled", "An administrator cancelled a job", &job.id);
    return bp_reply_object(rq, 200, "Job is cancelled", job_rows, &job);
}

#define MISSING BP_ANSWER(.status = 404, .code = "job.not_found", .message = "Job not found")
static const struct bp_answer get_answers[] = {MISSING, BP_ANSWER_END};
static const struct bp_answer retry_answers[] = {
    MISSING, BP_ANSWER(.status = 409, .code = "job.state", .message = RETRY_STATE),
    BP_ANSWER(.status = 409, .code = "job.superseded", .message = "Another job with its key waits or runs"),
    BP_ANSWER_END};
static const struct bp_answer cancel_answers[] = {
    MISSING, BP_ANSWER(.status = 409, .code = "job.state", .message = CANCEL_STATE), BP_ANSWER_END};

#define JOB_ROUTE(METHOD, PATH, HANDLER, NAME, DOC, ANSWERS)                                                           \
    BP_ROUTE(.method = METHOD, .path = "/api/v1/admin/jobs/{id}" PATH, .handler = HANDLER, .name = "admin.jobs_" NAME, \
             .doc = DOC, .role = "admin", .params = params, .params_size = sizeof(struct bp_resource_params),          \
             .reply = job_rows, .answers = ANSWERS)

/* Never cached: jobs change by themselves. */
const struct bp_route admin_routes[] = {
    BP_ROUTE(.method = BP_GET, .path = "/api/v1/admin/jobs", .handler = bp_resource_list, .resource = &jobs,
             .name = "admin.jobs_list", .doc = "A page of the jobs, newest first.", .role = "admin", .cache_tag = ""),
    JOB_ROUTE(BP_GET, "", get, "get", "One job.", get_answers),
    JOB_ROUTE(BP_POST, "/retry", retry, "retry", "Runs a job that is dead, cancelled or scheduled, now.",
              retry_answers),
    JOB_ROUTE(BP_POST, "/cancel", cancel, "cancel",
              "Cancels a job: one that waits is not run, one that runs is not tried again.", cancel_answers),
    BP_ROUTE(.method = BP_GET, .path = "/api/v1/admin/queues", .handler = admin_queues_list,
             .name = "admin.queues_list", .doc = "The queues, and how much is in each.", .role = "admin",
             .reply = admin_queues_reply, .reply_form = BP_REPLY_BARE),
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/admin/queues/{name}/pause", .handler = admin_queue_pause,
             .name = "admin.queues_pause", .doc = "Begins no job of a queue any more, in any replica.", .role = "admin",
             .params = admin_queue_params, .params_size = sizeof(struct admin_queue_params), .reply = admin_queue_reply,
             .answers = admin_queue_answers),
    BP_ROUTE(.method = BP_POST, .path = "/api/v1/admin/queues/{name}/resume", .handler = admin_queue_resume,
             .name = "admin.queues_resume", .doc = "Goes on with a queue.", .role = "admin",
             .params = admin_queue_params, .params_size = sizeof(struct admin_queue_params), .reply = admin_queue_reply,
             .answers = admin_queue_answers),
    BP_ROUTE_END};
