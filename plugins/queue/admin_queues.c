/* SPDX-License-Identifier: MIT */
#include "admin.h"
#include "job.h"

#define QUEUES_SHOWN 1000

struct page {
    bool success;
    bp_str message;
    struct bp_array data;
};

const struct bp_field admin_queues_reply[] = {
    BP_BOOL(struct page, success), BP_TEXT(struct page, message),
    BP_ARRAY(struct page, data, struct depth, depth_rows, .max = QUEUES_SHOWN), BP_END};

const struct bp_field admin_queue_params[] = {BP_TEXT(struct admin_queue_params, name, .flags = BP_REQUIRED, .min = 1,
                                                      .max = QUEUE_NAME_MAX, .doc = "The name of the queue."),
                                              BP_END};

struct named {
    bp_str name;
    bool paused;
};
const struct bp_field admin_queue_reply[] = {
    BP_TEXT(struct named, name), BP_BOOL(struct named, paused, .doc = "Whether none of its jobs is begun."), BP_END};

const struct bp_answer admin_queue_answers[] = {
    BP_ANSWER(.status = 404, .code = "queue.not_found", .message = "Queue not found"), BP_ANSWER_END};

int admin_queues_list(struct bp_request *rq, void *self, const void *stage)
{
    struct page page = {.success = true, .message = BP_STR("Queues retrieved successfully")};
    struct depth *depths;
    (void)stage;
    int status = depth_list(self, BP_STR(""), bp_arena(rq), &depths, &page.data.len);
    if (status < 0)
        return bp_trace(status);
    page.data.ptr = depths;
    return bp_reply_json(rq, 200, admin_queues_reply, &page);
}

static int set(struct bp_request *rq, void *self, bool paused)
{
    struct named named = {.name = bp_param(rq, "name"), .paused = paused};
    int status = depth_pause(self, named.name, paused);
    if (status == JOB_E_MISSING)
        return bp_fail(rq, 404, "queue.not_found", "Queue not found");
    if (status < 0)
        return bp_trace(status);
    admin_audit(self, rq, paused ? "queue.paused" : "queue.resumed",
                paused ? "An administrator paused a queue" : "An administrator resumed a queue", "queue", named.name);
    return bp_reply_object(rq, 200, paused ? "Queue is paused" : "Queue goes on", admin_queue_reply, &named);
}

int admin_queue_pause(struct bp_request *rq, void *self, const void *stage)
{
    (void)stage;
    return set(rq, self, true);
}

int admin_queue_resume(struct bp_request *rq, void *self, const void *stage)
{
    (void)stage;
    return set(rq, self, false);
}
