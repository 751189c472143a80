/* SPDX-License-Identifier: MIT */
/* The job: one attempt of one delivery. */
#include "blame.h"
#include "delivery.h"
#include "excerpt.h"
#include "flight.h"
#include "signature.h"

#define FIELDS 4
/* Until the turn of what was one too many comes; doubled each time that it does not. */
#define TURN_FIRST (2 * BP_SECOND)
#define TURN_MOST (5 * BP_MINUTE)
#define WHY_NOT_PUBLIC "the host has no address of the public internet"

const struct bp_field delivery_job_rows[] = {
    BP_UUID(struct delivery_job, delivery_id, .flags = BP_REQUIRED, .doc = "What to deliver."),
    BP_BOOL(struct delivery_job, asked, .def = "false", .doc = "Its owner has asked for it."),
    BP_U32(struct delivery_job, turns, .def = "0", .doc = "How often it has waited for its turn."), BP_END};

int webhooks_enqueue(const struct webhooks *self, struct bp_tx *tx, const struct delivery_job *job, bp_date run_at)
{
    char key[BP_UUID_LEN];
    bp_uuid_format(&job->delivery_id, key);
    int status = bp_enqueue(
        self->queue, tx,
        &BP_JOB(.kind = WEBHOOKS_DELIVER, .payload = job, .unique = {key, sizeof(key)}, .replace = 1, .run_at = run_at),
        NULL);
    return status > 0 ? BP_ERROR : bp_trace(status);
}

bp_span webhooks_wait(uint32_t attempt, bp_span first, bp_span most)
{
    uint32_t random;
    bp_random(&random, sizeof(random));
    return bp_backoff(attempt, first, most, random);
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
    const uint32_t flags =
        BP_HTTP_GUARDED | BP_HTTP_CUT | BP_HTTP_AT_ONCE | (webhooks_allow_http(self) ? 0 : BP_HTTP_TLS_ONLY);
    return bp_http_send(self->http_client,
                        &BP_HTTP_REQUEST(.method = BP_STR_INIT("POST"), .url = due->url, .headers = headers,
                                         .header_count = FIELDS, .body = due->body, .timeout = self->timeout,
                                         .response_max = self->response_max, .flags = flags),
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

/* The struct, of what bp_http_send() returned. BP_NOMEM or 0. */
static int judge(const struct webhooks *self, const struct due *due, int status,
                 const struct bp_http_response *response, struct attempt *attempt)
{
    struct bp_arena *arena = bp_fiber_arena();
    const bp_date now = attempt->at + attempt->duration / BP_MILLISECOND;
    uint32_t number = (uint32_t)due->tries + 1;
    attempt->status = status == 0 ? response->status : 0;
    if (attempt->status >= 200 && attempt->status < 300)
        attempt->outcome = OUTCOME_DELIVERED;
    else if (attempt->status == 410)
        attempt->outcome = OUTCOME_GONE;
    else
        attempt->outcome = number < self->attempts ? OUTCOME_RETRIED : OUTCOME_FAILED;
    if (attempt->status == 0 ||
        !bp_retry_after_parse(bp_http_header(response, BP_STR("retry-after")), now, &attempt->asked))
        attempt->asked = 0;
    attempt->next = now + webhooks_wait(number, self->retry_after, self->retry_at_most) / BP_MILLISECOND;
    if (attempt->asked > attempt->next)
        attempt->next = attempt->asked;
    attempt->body = excerpt(response->body, (size_t)self->response_max, arena);
    attempt->error = reason_of(status, response, arena);
    return attempt->body.ptr && attempt->error.ptr ? 0 : BP_NOMEM;
}

static int finish(const struct webhooks *self, struct bp_tx *tx, int status)
{
    if (status == 0)
        return bp_db_commit(self->db, tx);
    bp_db_rollback(self->db, tx);
    return status;
}

/* In tx: the endpoint before the delivery, as where it is deleted, so that nobody waits for each other. */
static int note_in(const struct webhooks *self, struct bp_tx *tx, const struct delivery_job *job, const struct due *due,
                   const struct attempt *attempt, bool *ret_disabled)
{
    const struct delivery_job again = {.delivery_id = job->delivery_id};
    bool current = false;
    int status = blame(self, tx, due, attempt, ret_disabled);
    if (status == 0)
        status = delivery_note(self, tx, &job->delivery_id, due, attempt, &current);
    return status == 0 && current && attempt->outcome == OUTCOME_RETRIED
               ? webhooks_enqueue(self, tx, &again, attempt->next)
               : status;
}

/* What it came to: of the delivery, its next attempt and its endpoint at once, or not at all. */
static int note(const struct webhooks *self, const struct delivery_job *job, const struct due *due,
                const struct attempt *attempt)
{
    struct bp_tx *tx;
    bool disabled, current;
    if (attempt->outcome == OUTCOME_DELIVERED && due->failures == 0)
        return delivery_note(self, NULL, &job->delivery_id, due, attempt, &current);
    int status = bp_db_begin(self->db, &tx);
    if (status != 0)
        return status;
    status = finish(self, tx, note_in(self, tx, job, due, attempt, &disabled));
    if (status == 0 && disabled)
        webhooks_audit(self, "webhooks.disabled", "A webhook was switched off by the server", &due->user_id,
                       &due->webhook_id);
    return status;
}

/* It is no attempt: again later, not before from. */
static int wait_turn(const struct webhooks *self, const struct delivery_job *job, const struct due *due, bp_date from)
{
    struct delivery_job again = *job;
    again.turns += again.turns < UINT32_MAX;
    bp_date until = from + webhooks_wait(again.turns, TURN_FIRST, TURN_MOST) / BP_MILLISECOND;
    struct bp_tx *tx;
    bool current = false;
    int status = bp_db_begin(self->db, &tx);
    if (status != 0)
        return status;
    status = delivery_postpone(self, tx, &job->delivery_id, due, until, &current);
    if (status == 0 && current)
        status = webhooks_enqueue(self, tx, &again, until);
    return finish(self, tx, status);
}

static int try_once(const struct webhooks *self, const struct delivery_job *job, const struct due *due)
{
    struct attempt attempt = {.at = bp_date_now()};
    struct bp_http_response response = {.status = 0};
    bp_time began = bp_clock();
    int status = send(self, &job->delivery_id, due, attempt.at, &response);
    if (status == BP_BUSY)
        return wait_turn(self, job, due, attempt.at);
    if (status < 0 && status != BP_TIMEOUT)
        return status; /* our own trouble, or the end of this worker: says nothing of the endpoint */
    attempt.duration = bp_clock() - began;
    status = judge(self, due, status, &response, &attempt);
    if (status == 0)
        status = note(self, job, due, &attempt);
    if (status != 0)
        return status;
    bp_metric_add(self->outcomes[attempt.outcome], 1);
    bp_metric_observe(self->duration, (double)attempt.duration / (double)BP_SECOND);
    return 0;
}

static int try_in_turn(struct webhooks *self, const struct delivery_job *job, const struct due *due)
{
    struct flight flight = {.webhook_id = due->webhook_id, .user_id = due->user_id};
    bp_date now = bp_date_now();
    if (!job->asked && due->paused_until > now)
        return wait_turn(self, job, due, due->paused_until);
    if (!flight_begin(&self->flights, &flight, due->failures < WEBHOOKS_FAILING ? self->at_a_time : 1,
                      self->at_a_time_of_user))
        return wait_turn(self, job, due, now);
    int status = try_once(self, job, due);
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
    /* It was switched off meanwhile; a test event goes to it all the same. */
    if (!due.enabled && !bp_str_is(due.type, WEBHOOKS_TEST))
        return delivery_give_up(self, &payload->delivery_id, &due, BP_STR("the webhook is not enabled"));
    return try_in_turn(self, payload, &due);
}
