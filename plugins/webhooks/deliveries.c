/* SPDX-License-Identifier: MIT */
/* What was, and is to be, sent to an endpoint: POST {id}/test, GET {id}/deliveries and one of them, POST of one of them again. */
#include "delivery.h"
#include "endpoint.h"

#define LIMIT_MAX 100

static const char *const states[] = {"pending", "delivered", "failed", NULL};

const struct bp_field delivery_params[] = {
    BP_UUID(struct webhook_params, id, .flags = BP_REQUIRED, .invalid = "Invalid webhook ID format",
            .doc = "The identifier of the webhook."),
    BP_UUID(struct webhook_params, delivery, .flags = BP_REQUIRED, .invalid = "Invalid delivery ID format",
            .doc = "That of the delivery."),
    BP_END,
};

const struct bp_field deliveries_query[] = {
    BP_PRESENCE(struct deliveries_query, set, null),
    BP_U32(struct deliveries_query, limit, .def = "20", .min = 1, .max = LIMIT_MAX, .doc = "How many at most."),
    BP_UUID(struct deliveries_query, before, .doc = "The nextBefore of the page before."),
    BP_CHOICE(struct deliveries_query, state, .choices = states, .doc = "Those in this state only."),
    BP_END,
};

struct page_meta {
    uint64_t set, null;
    bp_uuid next_before;
};
struct page {
    struct bp_array data; /* of struct delivery */
    struct page_meta meta;
};
static const struct bp_field meta_rows[] = {
    BP_PRESENCE(struct page_meta, set, null),
    BP_UUID(struct page_meta, next_before, .flags = BP_NULLABLE,
            .doc = "For the parameter before of the next page; null: there is none."),
    BP_END,
};
const struct bp_field deliveries_reply[] = {
    BP_ARRAY(struct page, data, struct delivery, delivery_fields, .max = LIMIT_MAX, .doc = "Newest first."),
    BP_OBJECT(struct page, meta, meta_rows),
    BP_END,
};

static int delivery_missing(struct bp_request *rq)
{
    return bp_fail(rq, 404, "delivery.not_found", "Delivery not found");
}

/* ENDPOINT_E_MISSING unless the endpoint of the path is the caller's. */
static int find_endpoint(struct bp_request *rq, const struct webhooks *self)
{
    struct endpoint_secrets secrets;
    return endpoint_secrets_find(self, &bp_identity(rq)->user_id, bp_param_uuid(rq, "id"), bp_arena(rq), &secrets);
}

int deliveries_list(struct bp_request *rq, void *argument, const void *stage)
{
    const struct webhooks *self = argument;
    const struct deliveries_query *query = bp_query(rq);
    bool has_before = bp_is_set(deliveries_query, query, "before");
    int state = bp_is_set(deliveries_query, query, "state") ? (int)query->state : -1;
    struct page page = {.meta = {.set = 1, .null = 1}};
    bp_uuid before;
    (void)stage;
    memset(&before, 0xff, sizeof(before));
    int status = find_endpoint(rq, self);
    if (status == ENDPOINT_E_MISSING)
        return webhook_missing(rq);
    if (status == 0)
        status = delivery_list(self, bp_param_uuid(rq, "id"), has_before ? &query->before : &before, state,
                               (int64_t)query->limit + 1, bp_arena(rq), &page.data);
    if (status < 0)
        return bp_trace(status);
    if (page.data.len > query->limit) {
        page.data.len = query->limit;
        page.meta.next_before = ((const struct delivery *)page.data.ptr)[page.data.len - 1].id;
        page.meta.null = 0;
    }
    return bp_reply_object(rq, 200, "Deliveries retrieved successfully", deliveries_reply, &page);
}

/* One of them, as it is now. */
static int reply_delivery(struct bp_request *rq, const struct webhooks *self, const bp_uuid *id, unsigned code,
                          const char *message)
{
    struct delivery delivery;
    int status = delivery_find(self, bp_param_uuid(rq, "id"), id, bp_arena(rq), &delivery);
    if (status == DELIVERY_E_MISSING)
        return delivery_missing(rq);
    return status < 0 ? bp_trace(status) : bp_reply_object(rq, code, message, delivery_fields, &delivery);
}

int deliveries_get(struct bp_request *rq, void *argument, const void *stage)
{
    (void)stage;
    int status = find_endpoint(rq, argument);
    if (status == ENDPOINT_E_MISSING)
        return webhook_missing(rq);
    return status < 0
               ? bp_trace(status)
               : reply_delivery(rq, argument, bp_param_uuid(rq, "delivery"), 200, "Delivery retrieved successfully");
}

/* With a job for it, or not at all. again: it is there. */
static int begin_delivery(struct bp_request *rq, const struct webhooks *self, const bp_uuid *id, bool again)
{
    const bp_uuid *webhook_id = bp_param_uuid(rq, "id");
    bp_date now = bp_date_now();
    char date[BP_DATE_LEN], key[BP_UUID_LEN];
    struct bp_tx *tx;
    bp_date_format(now, date);
    bp_uuid_format(webhook_id, key);
    bp_str body = bp_arena_printf(
        bp_arena(rq), "{\"type\":\"" WEBHOOKS_TEST "\",\"timestamp\":\"%.*s\",\"data\":{\"webhookId\":\"%.*s\"}}",
        BP_DATE_LEN, date, BP_UUID_LEN, key);
    if (!body.ptr)
        return BP_NOMEM;
    int status = bp_db_begin(self->db, &tx);
    if (status != 0)
        return status;
    status = again ? delivery_again(self, tx, webhook_id, id)
                   : delivery_create(self, tx, id, webhook_id, 0, BP_STR(WEBHOOKS_TEST), body, now);
    if (status == 0)
        status = webhooks_enqueue(self, tx, &(struct delivery_job){.delivery_id = *id, .asked = true}, 0);
    if (status == 0)
        return bp_db_commit(self->db, tx);
    bp_db_rollback(self->db, tx);
    return status;
}

int webhooks_test(struct bp_request *rq, void *argument, const void *stage)
{
    const bp_uuid id = bp_uuid_new();
    (void)stage;
    int status = find_endpoint(rq, argument);
    if (status == ENDPOINT_E_MISSING)
        return webhook_missing(rq);
    if (status == 0)
        status = begin_delivery(rq, argument, &id, false);
    return status < 0 ? bp_trace(status) : reply_delivery(rq, argument, &id, 202, "Test event is on its way");
}

int deliveries_redeliver(struct bp_request *rq, void *argument, const void *stage)
{
    const bp_uuid *id = bp_param_uuid(rq, "delivery");
    (void)stage;
    int status = find_endpoint(rq, argument);
    if (status == ENDPOINT_E_MISSING)
        return webhook_missing(rq);
    if (status == 0)
        status = begin_delivery(rq, argument, id, true);
    if (status == DELIVERY_E_MISSING)
        return delivery_missing(rq);
    return status < 0 ? bp_trace(status) : reply_delivery(rq, argument, id, 202, "Delivery is on its way again");
}
