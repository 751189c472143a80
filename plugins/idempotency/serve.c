/* SPDX-License-Identifier: MIT */
/* The middleware. */
#include "record.h"

static void count(const struct idempotency *self, enum result result)
{
    bp_metric_add(self->results[result], 1);
}

static bool applies(const struct bp_request *rq, const struct idempotency_stage *stage)
{
    static const bp_str writes[] = {BP_STR_INIT("POST"), BP_STR_INIT("PATCH"), BP_STR_INIT("PUT"),
                                    BP_STR_INIT("DELETE")};
    const bp_str *methods = stage->methods.len > 0 ? stage->methods.ptr : writes;
    size_t len = stage->methods.len > 0 ? stage->methods.len : sizeof(writes) / sizeof(writes[0]);
    for (size_t i = 0; i < len; i++)
        if (bp_str_eq(methods[i], bp_request_method_name(rq)))
            return bp_request_endpoint(rq) != NULL;
    return false;
}

static int refuse_in_flight(const struct idempotency *self, struct bp_request *rq)
{
    count(self, RESULT_IN_FLIGHT);
    int status = bp_header_set(rq, BP_STR("Retry-After"), BP_STR("1"));
    return status < 0
               ? bp_trace(status)
               : bp_fail(rq, 409, "idempotency.in_flight", "A request with this Idempotency-Key is being carried out");
}

static int replay(const struct idempotency *self, struct bp_request *rq, const struct ask *ask,
                  const struct record *record)
{
    if (!bp_uuid_eq(&record->fingerprint, &ask->fingerprint)) {
        count(self, RESULT_MISMATCH);
        return bp_fail(rq, 422, "idempotency.mismatch", "This Idempotency-Key was used for another request");
    }
    count(self, RESULT_REPLAYED);
    int status = bp_header_set(rq, BP_STR("Idempotent-Replayed"), BP_STR("true"));
    if (status == 0 && record->headers.len > 0)
        status = bp_header_block(rq, record->headers);
    if (status < 0)
        return bp_trace(status);
    if (!record->body.ptr)
        return bp_fail(rq, 409, "idempotency.reply_not_kept",
                       "The request with this Idempotency-Key was carried out, its reply was not kept");
    return bp_reply_body(rq, record->status, record->content_type, record->body);
}

/* Whether a repetition shall get this reply; else it is carried out again. */
static bool is_final(unsigned status)
{
    return status != 401 && status != 403 && status != 429;
}

/* Ends the transaction as the reply says. next: what bp_next returned. */
static int settle(const struct idempotency *self, const struct idempotency_stage *stage, struct bp_request *rq,
                  const struct ask *ask, struct bp_tx *tx, int next)
{
    unsigned reply = bp_reply_status(rq);
    if ((next < 0 && next != BP_REFUSED) || reply >= 500) {
        bp_db_rollback(self->db, tx);
        return next;
    }
    int status = is_final(reply) ? record_store(self, tx, ask, stage->ttl, rq) : 0;
    if (status == 0)
        status = bp_db_commit(self->db, tx);
    else
        bp_db_rollback(self->db, tx);
    /* A refusal stands whatever became of the transaction: a statement that the database refused has undone it. */
    if (status == 0 || reply >= 400)
        return next;
    return status == RECORD_E_TAKEN ? refuse_in_flight(self, rq) : bp_trace(status);
}

/* No other request of this server has the key. */
static int serve_alone(const struct idempotency *self, const struct idempotency_stage *stage, struct bp_request *rq,
                       const struct ask *ask)
{
    struct record record;
    struct bp_tx *tx;
    int status = bp_db_begin(self->db, &tx);
    if (status != 0)
        return bp_trace(status);
    status = record_find(self, tx, ask, bp_arena(rq), &record);
    if (status != 0 || !record.alone || record.status != 0) {
        bp_db_rollback(self->db, tx);
        if (status != 0)
            return bp_trace(status);
        return record.alone ? replay(self, rq, ask, &record) : refuse_in_flight(self, rq);
    }
    count(self, RESULT_NEW);
    bp_db_enlist(tx);
    status = bp_next(rq);
    bp_db_enlist(NULL);
    return settle(self, stage, rq, ask, tx, status);
}

int idempotency_serve(struct bp_request *rq, void *self, const void *stage)
{
    const struct idempotency *idempotency = self;
    const struct idempotency_stage *options = stage;
    bp_str field, key, body;
    struct ask ask;
    uint32_t cell;
    if (!applies(rq, options))
        return bp_next(rq);
    field = bp_request_header(rq, BP_STR("idempotency-key"));
    if (!field.ptr)
        return options->required ? bp_fail(rq, 400, "idempotency.key_required", "Idempotency-Key is required")
                                 : bp_next(rq);
    if (!ask_key(field, &key))
        return bp_fail(rq, 400, "idempotency.key_invalid", "Idempotency-Key must be 1 to 255 visible ASCII characters");
    /* Before the transaction: a slow client holds up nobody. */
    int status = bp_body(rq, &body);
    if (status < 0)
        return bp_trace(status);
    ask_of(rq, key, body, &ask);
    if (flights_take(idempotency->flights, ask.lock, bp_worker_slot(), &cell) == FLIGHTS_E_TAKEN)
        return refuse_in_flight(idempotency, rq);
    status = serve_alone(idempotency, options, rq, &ask);
    flights_give_back(idempotency->flights, cell);
    return status;
}
