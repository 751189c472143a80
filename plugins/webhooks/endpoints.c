/* SPDX-License-Identifier: MIT */
/* POST /api/v1/webhooks, DELETE of one, and its secrets; what else there is to do with them is that of every resource. */
#include "endpoint.h"
#include "signature.h"
#include "types.h"
#include "url.h"

#define URL_ROW                                                                                                      \
    BP_TEXT(struct endpoint, url, .label = "URL", .flags = BP_REQUIRED | BP_TRIM, .min = 1, .max = URL_MAX,          \
            .check = url_check, .patterns = url_patterns, .example = "https://example.com/hooks/todos",              \
            .doc = "Where events are sent to, by POST: https://, without user name, password and fragment. http:// " \
                   "only where the server says so.")
#define TYPES_ROW                                                                                                   \
    BP_ARRAY(struct endpoint, types, bp_str, type_rows, .max = TYPES_MAX,                                           \
             .doc = "The types of events that are sent: todo.created, todo.updated, todo.completed, todo.deleted, " \
                    "list.created …; todo.* is all of todos. None: all.")
#define ENABLED_ROW                                                      \
    BP_BOOL(struct endpoint, enabled, .def = "true", .flags = BP_FILTER, \
            .doc = "Whether events are sent. The server sets it to false when the endpoint wants no more or fails.")
#define DESCRIPTION_ROW \
    BP_TEXT(struct endpoint, description, .flags = BP_NULLABLE | BP_TRIM, .max = 500, .doc = "What it is for.")
#define MEMBER_ROWS                                                                                               \
    BP_UUID(struct endpoint, id, .flags = BP_READ_ONLY),                                                          \
        BP_UUID(struct endpoint, user_id, .flags = BP_READ_ONLY, .doc = "Whose it is."), URL_ROW, TYPES_ROW,      \
        ENABLED_ROW, DESCRIPTION_ROW,                                                                             \
        BP_TEXT(struct endpoint, disabled_reason, .flags = BP_NULLABLE | BP_READ_ONLY,                            \
                .doc = "Why the server has disabled it: gone, it has answered 410; failing, too many deliveries " \
                       "have failed in a row."),                                                                  \
        BP_DATE(struct endpoint, disabled_at, .flags = BP_NULLABLE | BP_READ_ONLY, .doc = "When that was."),      \
        BP_DATE(struct endpoint, created_at, .flags = BP_READ_ONLY | BP_FILTER | BP_SORT),                        \
        BP_DATE(struct endpoint, updated_at, .flags = BP_READ_ONLY | BP_FILTER | BP_SORT),                        \
        BP_I64(struct endpoint, version, .flags = BP_READ_ONLY, .doc = "Counts changes; the ETag.")
enum { DESCRIPTION_BIT = 5, DISABLED_REASON_BIT, DISABLED_AT_BIT };

static const struct bp_field fields[] = {BP_PRESENCE(struct endpoint, set, null), MEMBER_ROWS, BP_END};

const struct bp_field webhook_created_reply[] = {
    BP_PRESENCE(struct endpoint, set, null), MEMBER_ROWS,
    BP_TEXT(struct endpoint, secret, .doc = "Signs what is sent to it: \"whsec_\" and a key in base64."), BP_END};

const struct bp_field webhook_body[] = {
    BP_PRESENCE(struct endpoint, set, null), URL_ROW, TYPES_ROW, ENABLED_ROW, DESCRIPTION_ROW, BP_END};

const struct bp_field webhook_secret_reply[] = {
    BP_PRESENCE(struct endpoint_secrets, set, null),
    BP_TEXT(struct endpoint_secrets, secret, .doc = "\"whsec_\" and a key in base64."),
    BP_TEXT(struct endpoint_secrets, previous, .flags = BP_NULLABLE, .doc = "The one before it, which signs, too."),
    BP_DATE(struct endpoint_secrets, previous_until, .flags = BP_NULLABLE, .doc = "Until then."),
    BP_END,
};

const struct bp_field webhook_params[] = {
    BP_UUID(struct webhook_params, id, .flags = BP_REQUIRED, .invalid = "Invalid webhook ID format",
            .doc = "The identifier."),
    BP_END,
};

bool webhooks_allow_http(const struct webhooks *self)
{
    return self->allow_http == HTTP_ALWAYS ||
           (self->allow_http == HTTP_IN_DEVELOPMENT && !bp_is_production(self->host));
}

/* Which URLs there may be depends on the server: no matter of the row. */
static int check_scheme(struct bp_request *rq, const struct webhooks *self, bp_str url)
{
    if (!url.ptr || url_is_https(url) || webhooks_allow_http(self))
        return 0;
    int status = bp_fail(rq, 400, "webhook.https_required", "URL must begin with https://");
    return status < 0 ? status : BP_REFUSED;
}

static int before_write(struct bp_request *rq, void *self, uint32_t write, const bp_uuid *id, void *object)
{
    const struct endpoint *endpoint = object;
    bp_str url = {NULL, 0};
    int status = 0;
    (void)write;
    if (endpoint && bp_is_set(fields, endpoint, "url"))
        url = endpoint->url;
    else if (endpoint && bp_is_set(fields, endpoint, "enabled") && endpoint->enabled && !webhooks_allow_http(self))
        status = endpoint_url(self, &bp_identity(rq)->user_id, id, bp_arena(rq), &url); /* from when http:// would do */
    return status == 0 ? check_scheme(rq, self, url) : status;
}

/* Neither enabled now nor led elsewhere: then it begins anew. */
#define AS_IT_WAS "enabled AND url = {url}"
static const struct bp_resource_computed computed[] = {
    BP_COMPUTED(.member = "disabled_reason", .update = "CASE WHEN NOT {enabled} THEN disabled_reason END"),
    BP_COMPUTED(.member = "disabled_at", .update = "CASE WHEN NOT {enabled} THEN disabled_at END"),
    BP_COMPUTED(.member = "failures", .update = "CASE WHEN " AS_IT_WAS " THEN failures ELSE 0 END"),
    BP_COMPUTED(.member = "failing_since", .update = "CASE WHEN " AS_IT_WAS " THEN failing_since END"),
    BP_COMPUTED(.member = "paused_until", .update = "CASE WHEN " AS_IT_WAS " THEN paused_until END"),
    BP_COMPUTED_END,
};

static const struct bp_answer write_answers[] = {
    BP_ANSWER(.status = 400, .code = "webhook.https_required", .message = "URL must begin with https://",
              .doc = "The server does not send to http://."),
    BP_ANSWER_END,
};

const struct bp_resource webhooks_resource =
    BP_RESOURCE(.name = "webhook", .plural = "webhooks", .table = "webhooks", .fields = fields,
                .object_size = sizeof(struct endpoint), .db = offsetof(struct webhooks, db),
                .identity = offsetof(struct webhooks, identity), .owner = "user_id", .version = "version",
                .created = "created_at", .updated = "updated_at", .sort = "-createdAt", .computed = computed,
                .before_write = before_write, .answers = write_answers);

int webhook_missing(struct bp_request *rq)
{
    return bp_fail(rq, 404, "webhook.not_found", "Webhook not found");
}

static int never_store(struct bp_request *rq)
{
    return bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
}

int webhooks_create(struct bp_request *rq, void *argument, const void *stage)
{
    const struct webhooks *self = argument;
    struct endpoint endpoint;
    char secret[SECRET_LEN + 1];
    (void)stage;
    int status = never_store(rq);
    if (status == 0)
        status = bp_body_object(rq, webhook_body, &endpoint);
    if (status == 0)
        status = check_scheme(rq, self, endpoint.url);
    if (status < 0)
        return bp_trace(status);
    secret_make(secret);
    endpoint.id = bp_uuid_new();
    endpoint.user_id = bp_identity(rq)->user_id;
    endpoint.created_at = endpoint.updated_at = bp_date_now();
    endpoint.version = 1;
    endpoint.secret = bp_str_n(secret, SECRET_LEN);
    status = endpoint_create(self, &endpoint, bp_arena(rq));
    if (status == ENDPOINT_E_FULL)
        return bp_fail(rq, 409, "webhook.too_many", "Too many webhooks: delete one first");
    if (status == ENDPOINT_E_NO_USER)
        return bp_identity_gone(self->identity, rq);
    if (status == 0)
        status = bp_header_set(rq, BP_STR("ETag"), BP_STR("\"1\""));
    if (status < 0)
        return bp_trace(status);
    webhooks_audit(self, "webhooks.created", "A webhook was created", &endpoint.user_id, &endpoint.id);
    endpoint.set = UINT64_MAX;
    endpoint.null = UINT64_C(1) << DISABLED_REASON_BIT | UINT64_C(1) << DISABLED_AT_BIT |
                    (uint64_t)(!endpoint.description.ptr) << DESCRIPTION_BIT;
    return bp_reply_object(rq, 201, "Webhook created successfully", webhook_created_reply, &endpoint);
}

int webhooks_delete(struct bp_request *rq, void *argument, const void *stage)
{
    const struct webhooks *self = argument;
    int status = bp_resource_delete(rq, argument, stage);
    if (status == 0 && bp_reply_status(rq) == 200)
        webhooks_audit(self, "webhooks.deleted", "A webhook was deleted", &bp_identity(rq)->user_id,
                       bp_param_uuid(rq, "id"));
    return status;
}

int webhooks_secret(struct bp_request *rq, void *argument, const void *stage)
{
    struct endpoint_secrets secrets;
    (void)stage;
    int status = never_store(rq);
    if (status == 0)
        status =
            endpoint_secrets_find(argument, &bp_identity(rq)->user_id, bp_param_uuid(rq, "id"), bp_arena(rq), &secrets);
    if (status == ENDPOINT_E_MISSING)
        return webhook_missing(rq);
    if (status < 0)
        return bp_trace(status);
    return bp_reply_object(rq, 200, "Secret retrieved successfully", webhook_secret_reply, &secrets);
}

int webhooks_rotate(struct bp_request *rq, void *argument, const void *stage)
{
    const struct webhooks *self = argument;
    struct endpoint_secrets secrets;
    char secret[SECRET_LEN + 1];
    (void)stage;
    secret_make(secret);
    int status = never_store(rq);
    if (status == 0)
        status = endpoint_rotate(self, &bp_identity(rq)->user_id, bp_param_uuid(rq, "id"), bp_str_n(secret, SECRET_LEN),
                                 bp_arena(rq), &secrets);
    if (status == ENDPOINT_E_MISSING)
        return webhook_missing(rq);
    if (status < 0)
        return bp_trace(status);
    webhooks_audit(self, "webhooks.secret_rotated", "The secret of a webhook was rotated", &bp_identity(rq)->user_id,
                   bp_param_uuid(rq, "id"));
    return bp_reply_object(rq, 200, "Secret rotated successfully", webhook_secret_reply, &secrets);
}
