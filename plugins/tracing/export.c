/* SPDX-License-Identifier: MIT */
/*
 * Sends batches to the collector (OTLP/HTTP): one at a time, each on a fiber of its own, whose memory ends with it. While one is being tried
 * again the others gather, up to the queue's bounds; what is beyond is counted and forgotten. No request ever waits for any of it.
 */
#include "export.h"

#include <stdlib.h>
#include <time.h>

#include "backplane/iface/http_client.h"
#include "gzip.h"
#include "resource.h"
#include "tracing.h"

#define FIRST_DELAY BP_SECOND
#define LONGEST_DELAY (30 * BP_SECOND)
#define COMPLAIN_EVERY BP_MINUTE
/* What a collector has to say is short. */
#define RESPONSE_BYTES (64 * 1024)
#define HEADERS_MAX 34u

static void send_next(struct tracing *tracing);

/* --- what is counted and said --- */

void tracing_drop(struct tracing *tracing, enum drop_reason reason, uint64_t spans)
{
    if (spans > 0 && tracing->dropped_series[reason])
        bp_metric_add(tracing->dropped_series[reason], (int64_t)spans);
}

static void count_request(struct tracing *tracing, const char *result)
{
    bp_str label = bp_str_of(result);
    bp_metric_add(bp_series(tracing->requests, &label), 1);
}

static void note_waiting(struct tracing *tracing)
{
    bp_metric_set(tracing->waiting_series, tracing->batches.spans);
}

static void complain(struct tracing *tracing, const char *why, unsigned status)
{
    bp_time now = bp_clock();
    if (tracing->failing && now - tracing->complained < COMPLAIN_EVERY)
        return;
    tracing->failing = true;
    tracing->complained = now;
    bp_log(tracing->host, BP_LOG_WARN, "tracing.export_failed", "Spans could not be handed to the collector",
           bp_log_cstr("url", tracing->url), bp_log_cstr("reason", why), bp_log_int("status", status));
}

static void recovered(struct tracing *tracing)
{
    if (tracing->failing)
        bp_log(tracing->host, BP_LOG_INFO, "tracing.export_recovered", "The collector takes spans again",
               bp_log_cstr("url", tracing->url));
    tracing->failing = false;
}

/* --- one try --- */

enum outcome { OUTCOME_TAKEN, OUTCOME_REFUSED, OUTCOME_AGAIN, OUTCOME_ENDED };

struct sending {
    struct tracing *tracing;
    struct batch *batch;
    struct bytes body;
    bool compressed;
};

/* Retry-After in seconds (RFC 9110 10.2.3); 0: none, or a date, which the usual delay stands for. */
static bp_span retry_after(const struct bp_http_response *response)
{
    uint64_t seconds;
    if (!bp_str_to_u64(bp_http_header(response, BP_STR("retry-after")), &seconds))
        return 0;
    return seconds > 86400 ? BP_DAY : (bp_span)seconds * BP_SECOND;
}

static size_t fill_headers(const struct tracing *tracing, bool compressed, struct bp_http_header headers[HEADERS_MAX])
{
    size_t count = 0;
    headers[count++] =
        (struct bp_http_header){BP_STR("Content-Type"), bp_str_of(tracing->batches.encoder->content_type)};
    if (compressed)
        headers[count++] = (struct bp_http_header){BP_STR("Content-Encoding"), BP_STR("gzip")};
    for (size_t i = 0; i < tracing->header_pairs.count && count < HEADERS_MAX; i++)
        headers[count++] = (struct bp_http_header){bp_str_of(tracing->header_pairs.items[i].name),
                                                   tracing->header_pairs.items[i].value};
    return count;
}

static enum outcome judge(struct tracing *tracing, const struct batch *batch, const struct bp_http_response *response)
{
    if (response->status >= 200 && response->status < 300) {
        int64_t rejected = tracing->batches.encoder->rejected(response->body);
        if (rejected > batch->spans)
            rejected = batch->spans;
        tracing_drop(tracing, DROP_REJECTED, (uint64_t)rejected);
        bp_metric_add(tracing->exported_series, (int64_t)batch->spans - rejected);
        count_request(tracing, rejected ? "partial" : "ok");
        recovered(tracing);
        return OUTCOME_TAKEN;
    }
    if (response->status == 429 || (response->status >= 502 && response->status <= 504)) {
        count_request(tracing, "retryable");
        complain(tracing, "the collector is busy", response->status);
        return OUTCOME_AGAIN;
    }
    count_request(tracing, "refused");
    complain(tracing, "the collector refuses them", response->status);
    tracing_drop(tracing, DROP_REJECTED, batch->spans);
    return OUTCOME_REFUSED;
}

static enum outcome try_once(struct sending *sending, bp_span *ret_wait)
{
    struct tracing *tracing = sending->tracing;
    struct bp_http_header headers[HEADERS_MAX];
    struct bp_http_response response = {0};
    struct bp_http_request request =
        BP_HTTP_REQUEST(.method = BP_STR("POST"), .url = bp_str_of(tracing->url), .headers = headers,
                        .header_count = fill_headers(tracing, sending->compressed, headers),
                        .body = bp_str_n(sending->body.ptr, sending->body.len), .timeout = tracing->timeout,
                        .response_max = RESPONSE_BYTES, .ca_file = tracing->certificate);
    int status = bp_http_send(tracing->client, &request, bp_fiber_arena(), &response);
    *ret_wait = 0;
    if (status == 0) {
        *ret_wait = retry_after(&response);
        return judge(tracing, sending->batch, &response);
    }
    if (status == BP_CANCELED)
        return OUTCOME_ENDED;
    count_request(tracing, status > 0 ? bp_http_condition(status) : status == BP_TIMEOUT ? "timeout" : "error");
    complain(tracing,
             status > 0             ? bp_http_condition(status)
             : status == BP_TIMEOUT ? "it does not answer in time"
                                    : bp_status_name(status),
             0);
    return OUTCOME_AGAIN;
}

/* --- until it is taken, or it has been tried long enough --- */

/* The delay doubles; half of it is random, so that many servers do not come at once. */
static bp_span delay_of(struct tracing *tracing, unsigned tries)
{
    bp_span delay = FIRST_DELAY;
    uint64_t random;
    for (unsigned i = 1; i < tries && delay < LONGEST_DELAY; i++)
        delay *= 2;
    recorder_identify(&tracing->recorder, (uint8_t *)&random, sizeof(random));
    return delay / 2 + (bp_span)(random % (uint64_t)(delay / 2));
}

static void deliver(struct sending *sending)
{
    struct tracing *tracing = sending->tracing;
    bp_time until = bp_clock() + tracing->retry_time;
    for (unsigned tries = 1;; tries++) {
        bp_span wait;
        enum outcome outcome = try_once(sending, &wait);
        if (outcome == OUTCOME_TAKEN || outcome == OUTCOME_REFUSED)
            return;
        bp_span delay = delay_of(tracing, tries);
        if (wait > delay)
            delay = wait;
        if (outcome == OUTCOME_ENDED || tracing->stopping) {
            tracing_drop(tracing, DROP_STOPPED, sending->batch->spans);
            return;
        }
        if (bp_clock() + delay > until) {
            tracing_drop(tracing, DROP_UNREACHABLE, sending->batch->spans);
            return;
        }
        /* The end of the server wakes it for a last try. */
        bp_event_init(&tracing->wake);
        if (bp_event_wait(&tracing->wake, delay) == BP_CANCELED) {
            tracing_drop(tracing, DROP_STOPPED, sending->batch->spans);
            return;
        }
    }
}

static void compress(struct sending *sending)
{
    struct gzip_job job = {.in = bp_str_n(sending->body.ptr, sending->body.len)};
    if (bp_offload(gzip_run, &job) == 0) {
        bytes_deinit(&sending->body);
        sending->body = job.out;
        sending->compressed = true;
    } else {
        bytes_deinit(&job.out);
    }
}

static int send_batch(void *argument)
{
    struct tracing *tracing = argument;
    struct sending sending = {.tracing = tracing, .batch = batches_take(&tracing->batches)};
    note_waiting(tracing);
    if (sending.batch) {
        tracing->batches.encoder->request(&sending.body, &tracing->source,
                                          bp_str_n(sending.batch->bytes.ptr, sending.batch->bytes.len));
        bytes_deinit(&sending.batch->bytes);
        if (tracing->compression == COMPRESSION_GZIP && !sending.body.failed)
            compress(&sending);
        if (sending.body.failed)
            tracing_drop(tracing, DROP_MEMORY, sending.batch->spans);
        else
            deliver(&sending);
        bytes_deinit(&sending.body);
        batch_free(sending.batch);
    }
    tracing->sending = false;
    if (batches_ready(&tracing->batches) || (tracing->stopping && tracing->batches.spans > 0))
        send_next(tracing);
    if (!tracing->sending)
        bp_event_set(&tracing->idle);
    return 0;
}

/* Unless one is on its way: that looks for the next. */
static void send_next(struct tracing *tracing)
{
    if (tracing->sending || tracing->batches.spans == 0)
        return;
    tracing->sending = bp_spawn(tracing->host, "export spans", send_batch, tracing, BP_FOREVER) == 0;
}

/* --- what comes in --- */

void tracing_keep(struct tracing *tracing, struct record *record)
{
    uint32_t lost = 0;
    for (struct span *span = record->root; span; span = span->next) {
        if (span->ended == 0) /* its code forgot it, or was still at it when the request ended */
            span->ended = record->root->ended;
        lost += !batches_add(&tracing->batches, span, tracing->offset);
    }
    record_free(record);
    tracing_drop(tracing, DROP_QUEUE_FULL, lost);
    if (batches_ready(&tracing->batches))
        send_next(tracing);
}

/* The wall clock may be set meanwhile: it is looked at again and again. */
static void tick(void *argument)
{
    struct tracing *tracing = argument;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    tracing->offset = (int64_t)now.tv_sec * BP_SECOND + now.tv_nsec - bp_clock();
    tracing_drop(tracing, DROP_MEMORY, tracing->recorder.dropped);
    tracing->recorder.dropped = 0;
    note_waiting(tracing);
    send_next(tracing);
}

int export_start(struct tracing *tracing)
{
    static const char *const reasons[] = {[DROP_QUEUE_FULL] = "queue_full",
                                          [DROP_REJECTED] = "rejected",
                                          [DROP_UNREACHABLE] = "unreachable",
                                          [DROP_STOPPED] = "stopped",
                                          [DROP_MEMORY] = "memory"};
    int status = resource_new(tracing);
    if (status != 0)
        return status;
    for (size_t i = 0; i < DROP_REASONS; i++) {
        bp_str label = bp_str_of(reasons[i]);
        tracing->dropped_series[i] = bp_series(tracing->dropped, &label);
    }
    tracing->exported_series = bp_series(tracing->exported, NULL);
    tracing->waiting_series = bp_series(tracing->waiting, NULL);
    tracing->batches = (struct batches){.encoder = tracing->protocol == PROTOCOL_JSON ? &otlp_json : &otlp_protobuf,
                                        .batch_spans = tracing->batch_spans,
                                        .max_spans = tracing->queue_spans,
                                        .max_bytes = tracing->queue_bytes};
    tick(tracing);
    return bp_timer_every(tracing->host, tracing->schedule_delay, tick, tracing) ? 0 : BP_NOMEM;
}

void export_stop(struct tracing *tracing)
{
    tracing->stopping = true;
    bp_event_init(&tracing->idle);
    bp_event_set(&tracing->wake);
    send_next(tracing);
    if (tracing->sending && bp_event_wait(&tracing->idle, tracing->flush_timeout) != 0) {
        tracing_drop(tracing, DROP_STOPPED, tracing->batches.spans);
        batches_deinit(&tracing->batches);
    }
}
