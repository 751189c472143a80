/* SPDX-License-Identifier: MIT */
/* An instance of the plugin, and what its files have in common. */
#ifndef PLUGINS_WEBHOOKS_H
#define PLUGINS_WEBHOOKS_H

#include "backplane/backplane.h"
#include "backplane/iface/database.h"
#include "backplane/iface/events.h"
#include "backplane/iface/http_client.h"
#include "backplane/iface/identity.h"
#include "backplane/iface/mailer.h"
#include "backplane/iface/queue.h"
#include "backplane/resource.h"

#define WEBHOOKS_DELIVER "webhooks.deliver"
#define WEBHOOKS_FAILING 3           /* failures in a row: from then on an endpoint is asked less */
#define WEBHOOKS_TEST "webhook.test" /* the type of test events */

enum http_rule { HTTP_IN_DEVELOPMENT, HTTP_ALWAYS, HTTP_NEVER };
/* What an attempt comes to. */
enum outcome { OUTCOME_DELIVERED, OUTCOME_RETRIED, OUTCOME_FAILED, OUTCOME_GONE, OUTCOME_COUNT };

struct webhooks {
    struct bp_service db, identity, events, queue, http_client, mailer;
    /* options */
    uint32_t allow_http; /* enum http_rule */
    uint32_t endpoints;
    bp_span timeout;
    uint32_t attempts, at_a_time, at_a_time_of_user;
    bp_span retry_after, retry_at_most;
    uint32_t failures;
    bp_span failing_for, secret_overlap, retention;
    uint64_t response_max;
    /* state */
    struct bp_host *host;
    struct bp_job_kind kinds[3]; /* made of the options; the last one ends them */
    struct flight *flights;      /* of this worker */
    struct bp_metric *deliveries_metric, *duration_metric;
    struct bp_series *outcomes[OUTCOME_COUNT], *duration;
};

/* A line of the audit log about an endpoint. */
void webhooks_audit(const struct webhooks *self, const char *event, const char *message, const bp_uuid *user_id,
                    const bp_uuid *webhook_id);

/* consume.c: makes deliveries of events; see bp_events_function. */
int webhooks_consume(struct bp_tx *tx, const struct bp_events_item *items, size_t count, void *argument);
/* deliver.c: one attempt; see bp_job_function. */
int webhooks_deliver(struct bp_job *job, void *argument);
/* delivery.c: forgets old ones. */
int webhooks_prune(struct bp_job *job, void *argument);

/* The payload of WEBHOOKS_DELIVER. */
struct delivery_job {
    bp_uuid delivery_id;
    bool asked;     /* by its owner: a pause of the endpoint does not matter */
    uint32_t turns; /* how often it has waited for its turn since the last attempt */
};
extern const struct bp_field delivery_job_rows[];
/* Enqueues it in tx, in place of the one that there is, to be run at this moment; 0: now. */
int webhooks_enqueue(const struct webhooks *self, struct bp_tx *tx, const struct delivery_job *job, bp_date run_at);
/* bp_backoff(), by chance. */
bp_span webhooks_wait(uint32_t attempt, bp_span first, bp_span most);
/* Whether URLs may begin with http://. */
bool webhooks_allow_http(const struct webhooks *self);

/* endpoints.c, deliveries.c */
extern const struct bp_resource webhooks_resource;
bp_handler webhooks_create, webhooks_delete, webhooks_secret, webhooks_rotate;
bp_handler webhooks_test, deliveries_list, deliveries_get, deliveries_redeliver;
extern const struct bp_field webhook_params[], webhook_body[], webhook_created_reply[], webhook_secret_reply[];
extern const struct bp_field delivery_params[], deliveries_query[], deliveries_reply[], delivery_fields[];
struct webhook_params {
    bp_uuid id, delivery;
};
struct deliveries_query {
    uint64_t set, null;
    uint32_t limit;
    bp_uuid before;
    uint32_t state;
};
/* 404, recorded. */
int webhook_missing(struct bp_request *rq);

#endif
