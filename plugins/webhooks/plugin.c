/* SPDX-License-Identifier: MIT */
/* webhooks: tells other servers, whom users have named, what happens to what is theirs. */
#include "delivery.h"
#include "webhooks_migrations.h"

#define MARGIN (15 * BP_SECOND) /* of a job's time, for the database */

static const char *const http_rules[] = {
    [HTTP_IN_DEVELOPMENT] = "development", [HTTP_ALWAYS] = "always", [HTTP_NEVER] = "never", NULL};

static const struct bp_field options[] = {
    BP_CHOICE(struct webhooks, allow_http, .choices = http_rules, .def = "development",
              .doc = "Whether URLs may begin with http://, too: outside of production only, always, or never."),
    BP_U32(struct webhooks, endpoints, .def = "20", .min = 1, .max = 1000, .doc = "Of one user, at most."),
    BP_SPAN(struct webhooks, timeout, .def = "15s", .min = 100 * BP_MILLISECOND, .max = 5 * BP_MINUTE,
            .doc = "How long an attempt may take, from looking the name up to the end of the response."),
    BP_U32(struct webhooks, at_a_time, .def = "8", .min = 1, .max = 1000,
           .doc = "Attempts of each jobs worker for one endpoint at a time; for one that fails it is one. What is too "
                  "many comes a bit later, so that a slow endpoint holds up its own events and no others."),
    BP_U32(struct webhooks, at_a_time_of_user, .def = "16", .min = 1, .max = 1000,
           .doc = "The same for all endpoints of one user together: less than what the queue runs at a time, so that "
                  "nobody takes all of that."),
    BP_SIZE(struct webhooks, response_max, .def = "4KiB", .min = 1, .max = 65536,
            .doc = "So much of the body of a response is read and kept."),
    BP_U32(struct webhooks, attempts, .def = "20", .min = 1, .max = 100,
           .doc = "After so many a delivery has failed. With the waits below that is about three days."),
    BP_SPAN(struct webhooks, retry_after, .def = "10s", .min = BP_SECOND, .max = BP_DAY,
            .doc = "The wait before the second attempt, doubled before each further one; the waits are random ones "
                   "between half of that and all of it. Longer ones that a receiver asks for (Retry-After) are heeded, "
                   "up to a day."),
    BP_SPAN(struct webhooks, retry_at_most, .def = "12h", .min = BP_SECOND, .max = 7 * BP_DAY,
            .doc = "The longest of these waits."),
    BP_U32(struct webhooks, failures, .def = "50", .max = 1000000,
           .doc = "After so many attempts in a row that failed an endpoint is disabled, and its owner is told by mail "
                  "(with mailer); 0: never."),
    BP_SPAN(struct webhooks, failing_for, .def = "1d", .min = 0, .max = 365 * BP_DAY,
            .doc = "But not before they have failed for so long."),
    BP_SPAN(struct webhooks, secret_overlap, .def = "24h", .min = 0, .max = 30 * BP_DAY,
            .doc = "For so long a secret that was replaced signs, too."),
    BP_SPAN(struct webhooks, retention, .def = "30d", .min = BP_HOUR, .max = 3650 * BP_DAY,
            .doc = "How long deliveries are kept."),
    BP_END,
};

static const struct bp_need needs[] = {
    BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct webhooks, db),
    BP_NEED(BP_IDENTITY, BP_IDENTITY_VERSION, struct webhooks, identity),
    BP_NEED(BP_EVENTS, BP_EVENTS_VERSION, struct webhooks, events),
    BP_NEED(BP_QUEUE, BP_QUEUE_VERSION, struct webhooks, queue),
    BP_NEED(BP_HTTP_CLIENT, BP_HTTP_CLIENT_VERSION, struct webhooks, http_client),
    BP_NEED(BP_MAILER, BP_MAILER_VERSION, struct webhooks, mailer, .optional = 1),
    BP_NEED_END,
};

static const double buckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

static const struct bp_metric_row metrics[] = {
    BP_METRIC(struct webhooks, deliveries_metric, .type = BP_COUNTER, .name = "backplane_webhook_deliveries_total",
              .help =
                  "Attempts to deliver an event, by what they came to: delivered, retried, failed (for good), gone.",
              .labels = {"outcome"}),
    BP_METRIC(struct webhooks, duration_metric, .type = BP_HISTOGRAM,
              .name = "backplane_webhook_delivery_duration_seconds", .help = "How long attempts took.",
              .buckets = buckets, .bucket_count = sizeof(buckets) / sizeof(buckets[0])),
    BP_METRIC_END,
};

static const struct bp_answer create_answers[] = {
    BP_ANSWER(.status = 400, .code = "webhook.https_required", .message = "URL must begin with https://",
              .doc = "The server does not send to http://."),
    BP_ANSWER(.status = 409, .code = "webhook.too_many", .message = "Too many webhooks: delete one first"),
    BP_ANSWER_END,
};
#define NO_WEBHOOK BP_ANSWER(.status = 404, .code = "webhook.not_found", .message = "Webhook not found")
static const struct bp_answer webhook_answers[] = {NO_WEBHOOK, BP_ANSWER_END};
static const struct bp_answer delivery_answers[] = {
    NO_WEBHOOK, BP_ANSWER(.status = 404, .code = "delivery.not_found", .message = "Delivery not found"), BP_ANSWER_END};

#define PATH "/api/v1/webhooks"
#define READ "webhooks:read"
#define WRITE "webhooks:write"
#define OF_WEBHOOK .params = webhook_params, .params_size = sizeof(struct webhook_params), .answers = webhook_answers
#define OF_DELIVERY .params = delivery_params, .params_size = sizeof(struct webhook_params), .answers = delivery_answers

static const struct bp_route routes[] = {
    BP_RESOURCE_ROUTE(BP_GET, PATH, &webhooks_resource, bp_resource_list),
    BP_ROUTE(.method = BP_POST, .path = PATH, .handler = webhooks_create, .name = "webhooks.create", .doc = "Adds one.",
             .body = webhook_body, .reply = webhook_created_reply, .reply_status = 201, .answers = create_answers,
             .scope = WRITE),
    BP_RESOURCE_ROUTE(BP_GET, PATH "/{id}", &webhooks_resource, bp_resource_get),
    BP_RESOURCE_ROUTE(BP_PATCH, PATH "/{id}", &webhooks_resource, bp_resource_update),
    BP_RESOURCE_ROUTE(BP_PUT, PATH "/{id}", &webhooks_resource, bp_resource_replace),
    BP_ROUTE(.method = BP_DELETE, .path = PATH "/{id}", .handler = webhooks_delete, .resource = &webhooks_resource,
             .name = "webhooks.delete", .doc = "Removes it, and its deliveries."),
    BP_ROUTE(.method = BP_GET, .path = PATH "/{id}/secret", .handler = webhooks_secret, .name = "webhooks.secret",
             .doc = "What its deliveries are signed with.", .reply = webhook_secret_reply, .scope = WRITE, OF_WEBHOOK),
    BP_ROUTE(.method = BP_POST, .path = PATH "/{id}/rotate", .handler = webhooks_rotate, .name = "webhooks.rotate",
             .doc = "Gives it a new secret; for a while, the one before it signs, too.", .reply = webhook_secret_reply,
             .scope = WRITE, OF_WEBHOOK),
    BP_ROUTE(.method = BP_POST, .path = PATH "/{id}/test", .handler = webhooks_test, .name = "webhooks.test",
             .doc = "Sends it an event of the type " WEBHOOKS_TEST ", also when it is not enabled.",
             .reply = delivery_fields, .reply_status = 202, .scope = WRITE, OF_WEBHOOK),
    BP_ROUTE(.method = BP_GET, .path = PATH "/{id}/deliveries", .handler = deliveries_list,
             .name = "webhooks.deliveries", .doc = "What was sent to it, and is to be.", .query = deliveries_query,
             .query_size = sizeof(struct deliveries_query), .reply = deliveries_reply, .scope = READ, OF_WEBHOOK),
    BP_ROUTE(.method = BP_GET, .path = PATH "/{id}/deliveries/{delivery}", .handler = deliveries_get,
             .name = "webhooks.delivery", .doc = "One of them.", .reply = delivery_fields, .scope = READ, OF_DELIVERY),
    BP_ROUTE(.method = BP_POST, .path = PATH "/{id}/deliveries/{delivery}/redeliver", .handler = deliveries_redeliver,
             .name = "webhooks.redeliver", .doc = "Sends it again, whatever its state.", .reply = delivery_fields,
             .reply_status = 202, .scope = WRITE, OF_DELIVERY),
    BP_ROUTE_END,
};

void webhooks_audit(const struct webhooks *self, const char *event, const char *message, const bp_uuid *user_id,
                    const bp_uuid *webhook_id)
{
    char user[BP_UUID_LEN], webhook[BP_UUID_LEN];
    bp_uuid_format(user_id, user);
    bp_uuid_format(webhook_id, webhook);
    bp_audit(self->host, event, message, bp_log_cstr("outcome", "ok"),
             bp_log_str("user_id", bp_str_n(user, sizeof(user))),
             bp_log_str("webhook_id", bp_str_n(webhook, sizeof(webhook))));
}

/* What a receiver fails is tried again by another job; attempts of one are for our own trouble. */
static void describe_jobs(struct webhooks *self)
{
    self->kinds[0] = (struct bp_job_kind)BP_JOB_KIND(.name = WEBHOOKS_DELIVER, .doc = "Sends an event to a webhook.",
                                                     .queue = "webhooks", .payload = delivery_job_rows,
                                                     .payload_size = sizeof(struct delivery_job),
                                                     .timeout = self->timeout + MARGIN, .run = webhooks_deliver);
    self->kinds[1] = (struct bp_job_kind)BP_JOB_KIND(.name = "webhooks.prune", .doc = "Forgets old deliveries.",
                                                     .cron = "23 * * * *", .run = webhooks_prune);
}

static int init(struct bp_host *host, void *argument)
{
    struct webhooks *self = argument;
    self->host = host;
    if (self->retry_at_most < self->retry_after)
        return bp_config_error(host, "retry_at_most", "must not be less than retry_after");
    describe_jobs(self);
    int status = bp_jobs_add(host, self->queue, self->kinds, self);
    return status == 0 ? bp_events_consume(host, self->events, "webhooks", webhooks_consume, self) : status;
}

static int start(struct bp_host *host, void *argument)
{
    static const char *const names[OUTCOME_COUNT] = {[OUTCOME_DELIVERED] = "delivered",
                                                     [OUTCOME_RETRIED] = "retried",
                                                     [OUTCOME_FAILED] = "failed",
                                                     [OUTCOME_GONE] = "gone"};
    struct webhooks *self = argument;
    (void)host;
    for (size_t i = 0; i < OUTCOME_COUNT; i++) {
        bp_str label = bp_str_of(names[i]);
        self->outcomes[i] = bp_series(self->deliveries_metric, &label);
    }
    self->duration = bp_series(self->duration_metric, NULL);
    return 0;
}

BP_PLUGIN(.name = "webhooks", .version = "1.0.0", .doc = "Sends events to the servers that users name.",
          .self_size = sizeof(struct webhooks), .options = options, .needs = needs, .routes = routes,
          .migrations = webhooks_migrations, .metrics = metrics, .init = init, .start = start);
