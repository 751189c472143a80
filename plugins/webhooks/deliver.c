/* SPDX-License-Identifier: MIT */
/* The job: one attempt of one delivery. */
#include "delivery.h"
#include "disable.h"
#include "endpoint.h"
#include "excerpt.h"
#include "flight.h"
#include "retry.h"
#include "signature.h"

#define FIELDS 4
/* Of failures in a row: from then on the endpoint is asked once in a while, to see whether it works again. */
#define FAILING 3
#define PAUSE_FIRST (5 * BP_SECOND)
#define PAUSE_MOST (10 * BP_MINUTE)
#define TURN (2 * BP_SECOND) /* until the turn of what was one too many comes */
#define WHY_NOT_PUBLIC "the host has no address of the public internet"

const struct bp_field delivery_job_rows[] = {
    BP_UUID(struct delivery_job, delivery_id, .flags = BP_REQUIRED, .doc = "What to deliver."),
    BP_BOOL(struct delivery_job, asked, .def = "false", .doc = "Its owner has just asked for it."), BP_END};

int webhooks_enqueue(const struct webhooks *self, struct bp_tx *tx, const bp_uuid *delivery_id, bool asked,
                     bp_date run_at)
{
    const struct delivery_job payload = {.delivery_id = *delivery_id, .asked = asked};
    char key[BP_UUID_LEN];
    bp_uuid_format(delivery_id, key);
    int status = bp_enqueue(self->queue, tx,
                            &BP_JOB(.kind = WEBHOOKS_DELIVER, .payload = &payload, .unique = {key, sizeof(key)},
                                    .replace = 1, .run_at = run_at),
                            NULL);
    return status > 0 ? BP_ERROR : bp_trace(status);
}

/* ---- the request ---- */

/* "v1,…", and another one by the previous secret while that counts. */
static bp_str sign(const struct due *due, bp_str id, bp_date now, struct bp_arena *arena)
{
    char one[SIGNATURE_LEN + 1], two[SIGNATURE_LEN + 1];
    if (!signature_make(due->secret, id, now / 1000, due->body, one))
        return bp_str_n(NULL, 0);
    bool both = due->previous_secret.ptr && due->previous_until > now &&
                signature_make(due->previous_secret, id, now / 1000, due->body, two);
    return bp_arena_printf(arena, "%s%s%s", one, both ? " " : "", both ? two : "");
}

static int send(const struct webhooks *self, const bp_uuid *delivery_id, const struct due *due, bp_date now,
                struct bp_http_response *ret_response)
{
    struct bp_arena *arena = bp_fiber_arena();
    char key[BP_UUID_LEN];
    bp_uuid_format(delivery_id, key);
    bp_str id = bp_arena_printf(arena, "msg_%.*s", BP_UUID_LEN, key);
    bp_str timestamp = bp_arena_printf(arena, "%lld", (long long)(now / 1000));
    bp_str signature = sign(due, id, now, arena);
    if (!id.ptr || !timestamp.ptr || !signature.ptr)
        return BP_ERROR;
    const struct bp_http_header headers[FIELDS] = {{BP_STR_INIT("Content-Type"), BP_STR_INIT("application/json")},
                                                   {BP_STR_INIT("webhook-id"), id},
                                                   {BP_STR_INIT("webhook-timestamp"), timestamp},
                                                   {BP_STR_INIT("webhook-signature"), signature}};
    return bp_http_send(self->http_client,
                        &BP_HTTP_REQUEST(.method = BP_STR_INIT("POST"), .url = due->url, .headers = headers,
                                         .header_count = FIELDS, .body = due->body, .timeout = self->timeout,
                                         .response_max = self->response_max, .flags = BP_HTTP_GUARDED | BP_HTTP_CUT),
                        arena, ret_response);
}

/* ---- what it comes to ---- */

/* Where a name leads inside is nobody's business. */
static bp_str reason_of(int status, const struct bp_http_response *response, struct bp_arena *arena)
{
    if (status == 0)
        return bp_arena_printf(arena, "HTTP status %u", response->status);
    return status == BP_HTTP_E_ADDRESS ? BP_STR(WHY_NOT_PUBLIC) : excerpt(response->why, 500, arena);
}

static bp_span random_wait(uint32_t attempt, bp_span first, bp_span most)
{
    uint32_t random;
    bp_random(&random, sizeof(random));
    return bp_backoff(attempt, first, most, random);
}

static bp_date next_of(const struct webhooks *self, uint32_t attempt, const struct bp_http_response *response,
                       bp_date now)
{
    bp_date asked;
    bp_date next = now + random_wait(attempt, self->retry_after, self->retry_at_most) / BP_MILLISECOND;
    if (response->status > 0 && retry_after_parse(bp_http_header(response, BP_STR("retry-after")), now, &asked) &&
        asked > next)
        next = asked;
    return next;
}

/* The struct, of what bp_http_send() returned. BP_NOMEM or 0. */
static int judge(const struct webhooks *self, const struct due *due, int status,
                 const struct bp_http_response *response, struct attempt *attempt)
{
    struct bp_arena *arena = bp_fiber_arena();
    uint32_t number = (uint32_t)due->tries + 1;
    attempt->status = status == 0 ? response->status : 0;
    if (attempt->status >= 200 && attempt->status < 300)
        attempt->outcome = OUTCOME_DELIVERED;
    else if (attempt->status == 410)
        attempt->outcome = OUTCOME_GONE;
    else
        attempt->outcome = number < self->attempts ? OUTCOME_RETRIED : OUTCOME_FAILED;
    if (attempt->outcome == OUTCOME_RETRIED)
        attempt->next = next_of(self, number, response, bp_date_now());
    attempt->body = excerpt(response->body, (size_t)self->response_max, arena);
    attempt->error = reason_of(status, response, arena);
    return attempt->body.ptr && attempt->error.ptr ? 0 : BP_NOMEM;
}

/* What it says of the endpoint. */
static int blame(const struct webhooks *self, const struct due *due, enum outcome outcome)
{
    int64_t failures;
    bp_date since, now = bp_date_now();
    if (outcome == OUTCOME_DELIVERED)
        return due->failures > 0 ? endpoint_succeeded(self, &due->webhook_id) : 0;
    if (outcome == OUTCOME_GONE)
        return webhooks_disable(self, due, "gone");
    int status = endpoint_failed(self, &due->webhook_id, bp_fiber_arena(), &failures, &since);
    if (status == 0 && failures >= FAILING) {
        uint32_t number = failures < UINT32_MAX ? (uint32_t)failures + 1 - FAILING : UINT32_MAX;
        status =
            endpoint_pause(self, &due->webhook_id, now + random_wait(number, PAUSE_FIRST, PAUSE_MOST) / BP_MILLISECOND);
    }
    if (status != 0 || self->failures == 0 || failures < (int64_t)self->failures ||
        now - since < self->failing_for / BP_MILLISECOND)
        return status;
    return webhooks_disable(self, due, "failing");
}

/* The wait, and who ends it, or neither. */
static int note_and_wait(const struct webhooks *self, const bp_uuid *delivery_id, const struct attempt *attempt,
                         bp_date until)
{
    struct bp_tx *tx;
    int status = bp_db_begin(self->db, &tx);
    if (status != 0)
        return status;
    status = attempt ? delivery_note(self, tx, delivery_id, attempt) : delivery_postpone(self, tx, delivery_id, until);
    if (status == 0)
        status = webhooks_enqueue(self, tx, delivery_id, false, until);
    if (status == 0)
        return bp_db_commit(self->db, tx);
    bp_db_rollback(self->db, tx);
    return status;
}

static int try_once(const struct webhooks *self, const bp_uuid *delivery_id, const struct due *due)
{
    struct attempt attempt = {.at = bp_date_now()};
    struct bp_http_response response = {.status = 0};
    bp_time began = bp_clock();
    int status = send(self, delivery_id, due, attempt.at, &response);
    if (status < 0 && status != BP_TIMEOUT)
        return status; /* our own trouble, or the end of this worker: says nothing of the endpoint */
    attempt.duration = bp_clock() - began;
    status = judge(self, due, status, &response, &attempt);
    if (status == 0)
        status = attempt.outcome == OUTCOME_RETRIED ? note_and_wait(self, delivery_id, &attempt, attempt.next)
                                                    : delivery_note(self, NULL, delivery_id, &attempt);
    if (status != 0)
        return status;
    bp_metric_add(self->outcomes[attempt.outcome], 1);
    bp_metric_observe(self->duration, (double)attempt.duration / (double)BP_SECOND);
    return blame(self, due, attempt.outcome);
}

/* The endpoint was switched off meanwhile; a test event goes to it all the same. */
static int give_up(const struct webhooks *self, const bp_uuid *delivery_id)
{
    const struct attempt attempt = {
        .outcome = OUTCOME_FAILED, .at = bp_date_now(), .error = BP_STR("the webhook is not enabled")};
    bp_metric_add(self->outcomes[OUTCOME_FAILED], 1);
    return delivery_note(self, NULL, delivery_id, &attempt);
}

static int try_in_turn(struct webhooks *self, const struct delivery_job *payload, const struct due *due)
{
    struct flight flight;
    bp_date now = bp_date_now();
    bp_span turn = random_wait(1, TURN, TURN);
    if (!payload->asked && due->paused_until > now)
        return note_and_wait(self, &payload->delivery_id, NULL, due->paused_until + turn / BP_MILLISECOND);
    if (!flight_begin(&self->flights, &flight, &due->webhook_id, due->failures < FAILING ? self->at_a_time : 1))
        return note_and_wait(self, &payload->delivery_id, NULL, now + turn / BP_MILLISECOND);
    int status = try_once(self, &payload->delivery_id, due);
    flight_end(&self->flights, &flight);
    return status;
}

int webhooks_deliver(struct bp_job *job, void *argument)
{
    struct webhooks *self = argument;
    const struct delivery_job *payload = job->payload;
    struct due due;
    int status = delivery_due(self, &payload->delivery_id, bp_fiber_arena(), &due);
    if (status != 0)
        return status == DELIVERY_E_MISSING ? 0 : status;
    if (due.state != DELIVERY_PENDING)
        return 0; /* its worker died after it had been delivered and before the queue knew */
    if (!due.enabled && !bp_str_is(due.type, WEBHOOKS_TEST))
        return give_up(self, &payload->delivery_id);
    return try_in_turn(self, payload, &due);
}
