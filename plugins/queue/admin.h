/* SPDX-License-Identifier: MIT */
/* /api/v1/admin/jobs and /api/v1/admin/queues: for accounts of the role admin. */
#ifndef QUEUE_ADMIN_H
#define QUEUE_ADMIN_H

#include "queue.h"

extern const struct bp_route admin_routes[];
/* Of admin_queues.c. */
extern const struct bp_field admin_queues_reply[], admin_queue_params[], admin_queue_reply[];
extern const struct bp_answer admin_queue_answers[];
#define ADMIN_QUEUE_NAME_MAX QUEUE_NAME_MAX
struct admin_queue_params {
    bp_str name;
};
int admin_queues_list(struct bp_request *rq, void *self, const void *stage);
int admin_queue_pause(struct bp_request *rq, void *self, const void *stage);
int admin_queue_resume(struct bp_request *rq, void *self, const void *stage);

/* A line of the audit log: who did what to which job or queue. */
void admin_audit(const struct queue *queue, struct bp_request *rq, const char *event, const char *message,
                 const char *target_name, bp_str target);

#endif
