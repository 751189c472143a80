/* SPDX-License-Identifier: MIT */
/*
 * Sends the batches of a signal to the collector (OTLP/HTTP): one at a time, each on a fiber of its own, whose memory ends with it. While one is being
 * tried again the others gather, up to the queue's bounds; what is beyond is counted and forgotten. No request ever waits for any of it.
 */
#include "export.h"

#include "backplane/iface/http_client.h"
#include "gzip.h"
#include "tracing.h"

#define FIRST_DELAY BP_SECOND
#define LONGEST_DELAY (30 * BP_SECOND)
#define COMPLAIN_EVERY BP_MINUTE
/* What a collector has to say is short. */
#define RESPONSE_BYTES (64 * 1024)
#define HEADERS_MAX 34u

static const struct {
    const char *name, *fiber;
} signals[OTLP_SIGNALS] = {[OTLP_TRACES] = {"traces", "export spans"},
                           [OTLP_METRICS] = {"metrics", "export metrics"},
                           [OTLP_LOGS] = {"logs", "export logs"}};

/* --- what is counted and said --- */

void exporter_drop(const struct exporter *exporter, enum drop_reason reason, uint64_t items)
{
    if (items > 0 && exporter->dropped[reason])
        bp_metric_add(exporter->dropped[reason], (int64_t)items);
}

/* Spans have metrics of their own, the other signals a label. */
static struct bp_series *series_of(const struct exporter *exporter, struct bp_metric *of_spans,
                                   struct bp_metric *of_others, const char *label)
{
    const bp_str labels[2] = {bp_str_of(signals[exporter->signal].name), bp_str_of(label)};
    return exporter->signal == OTLP_TRACES ? bp_series(of_spans, &labels[1]) : bp_series(of_others, labels);
}

static void count_request(const struct exporter *exporter, const char *result)
{
    const struct tracing *tracing = exporter->tracing;
    bp_metric_add(series_of(exporter, tracing->requests, tracing->otlp_requests, result), 1);
}

void exporter_note_waiting(struct exporter *exporter)
{
    bp_metric_set(exporter->waiting, batches_waiting(&exporter->batches));
}

static void complain(struct exporter *exporter, const char *why, unsigned status)
{
    bp_time now = bp_clock();
    if (exporter->failing && now - exporter->complained < COMPLAIN_EVERY)
        return;
    exporter->failing = true;
    exporter->complained = now;
    bp_log(exporter->tracing->host, BP_LOG_WARN, "tracing.export_failed", "The collector does not take what it is sent",
           bp_log_cstr("signal", signals[exporter->signal].name), bp_log_cstr("url", exporter->url),
           bp_log_cstr("reason", why), bp_log_int("status", status));
}

static void recovered(struct exporter *exporter)
{
    if (exporter->failing)
        bp_log(exporter->tracing->host, BP_LOG_INFO, "tracing.export_recovered",
               "The collector takes what it is sent again", bp_log_cstr("signal", signals[exporter->signal].name),
               bp_log_cstr("url", exporter->url));
    exporter->failing = false;
}

/* --- what is to be sent --- */

struct bytes *exporter_item(struct exporter *exporter)
{
    exporter->item.len = 0;
    exporter->item.failed = false;
    return batches_full(&exporter->batches) ? NULL : &exporter->item;
}

bool exporter_keep(struct exporter *exporter, uint32_t items)
{
    const struct bytes *item = &exporter->item;
    if (!item->failed && item->len > 0 && batches_add(&exporter->batches, bp_str_n(item->ptr, item->len), items))
        return true;
    exporter_drop(exporter,
                  item->failed               ? DROP_MEMORY
                  : exporter->batches.closed ? DROP_STOPPED
                                             : DROP_QUEUE_FULL,
                  items);
    return false;
}

/* --- one try --- */

enum outcome { OUTCOME_TAKEN, OUTCOME_REFUSED, OUTCOME_AGAIN, OUTCOME_ENDED };

struct sending {
    struct exporter *exporter;
    struct batch *batch;
    struct bytes body;
    bool compressed;
};

/* 0: it asks for none. */
static bp_span retry_after(const struct bp_http_response *response)
{
    bp_date at, now = bp_date_now();
    bool asked = bp_retry_after_parse(bp_http_header(response, BP_STR("retry-after")), now, &at);
    return asked && at > now ? (at - now) * BP_MILLISECOND : 0;
}

static size_t fill_headers(const struct exporter *exporter, bool compressed, struct bp_http_header headers[HEADERS_MAX])
{
    const struct tracing *tracing = exporter->tracing;
    size_t count = 0;
    headers[count++] = (struct bp_http_header){BP_STR("Content-Type"), bp_str_of(exporter->encoder->content_type)};
    if (compressed)
        headers[count++] = (struct bp_http_header){BP_STR("Content-Encoding"), BP_STR("gzip")};
    for (size_t i = 0; i < tracing->header_pairs.count && count < HEADERS_MAX; i++)
        headers[count++] = (struct bp_http_header){bp_str_of(tracing->header_pairs.items[i].name),
                                                   tracing->header_pairs.items[i].value};
    return count;
}

static enum outcome judge(struct exporter *exporter, const struct batch *batch, const struct bp_http_response *response)
{
    if (response->status >= 200 && response->status < 300) {
        int64_t rejected = exporter->encoder->rejected(exporter->signal, response->body);
        if (rejected > batch->items)
            rejected = batch->items;
        exporter_drop(exporter, DROP_REJECTED, (uint64_t)rejected);
        bp_metric_add(exporter->exported, (int64_t)batch->items - rejected);
        count_request(exporter, rejected ? "partial" : "ok");
        recovered(exporter);
        return OUTCOME_TAKEN;
    }
    if (response->status == 429 || (response->status >= 502 && response->status <= 504)) {
        count_request(exporter, "retryable");
        complain(exporter, "the collector is busy", response->status);
        return OUTCOME_AGAIN;
    }
    count_request(exporter, "refused");
    complain(exporter, "the collector refuses them", response->status);
    exporter_drop(exporter, DROP_REJECTED, batch->items);
    return OUTCOME_REFUSED;
}

static enum outcome try_once(struct sending *sending, bp_span *ret_wait)
{
    struct exporter *exporter = sending->exporter;
    const struct tracing *tracing = exporter->tracing;
    struct bp_http_header headers[HEADERS_MAX];
    struct bp_http_response response = {0};
    struct bp_http_request request =
        BP_HTTP_REQUEST(.method = BP_STR("POST"), .url = bp_str_of(exporter->url), .headers = headers,
                        .header_count = fill_headers(exporter, sending->compressed, headers),
                        .body = bp_str_n(sending->body.ptr, sending->body.len), .timeout = exporter->timeout,
                        .response_max = RESPONSE_BYTES, .ca_file = tracing->certificate);
    int status = bp_http_send(tracing->client, &request, bp_fiber_arena(), &response);
    *ret_wait = 0;
    if (status == 0) {
        *ret_wait = retry_after(&response);
        return judge(exporter, sending->batch, &response);
    }
    if (status == BP_CANCELED)
        return OUTCOME_ENDED;
    count_request(exporter, status > 0 ? bp_http_condition(status) : status == BP_TIMEOUT ? "timeout" : "error");
    complain(exporter,
             status > 0             ? bp_http_condition(status)
             : status == BP_TIMEOUT ? "it does not answer in time"
                                    : bp_status_name(status),
             0);
    return OUTCOME_AGAIN;
}

/* --- until it is taken, or it has been tried long enough --- */

static bp_span delay_of(unsigned tries)
{
    uint32_t random;
    bp_random(&random, sizeof(random));
    return bp_backoff(tries, FIRST_DELAY, LONGEST_DELAY, random);
}

static void deliver(struct sending *sending)
{
    struct exporter *exporter = sending->exporter;
    bp_time until = bp_clock() + exporter->retry_time;
    for (unsigned tries = 1;; tries++) {
        bp_span wait;
        enum outcome outcome = try_once(sending, &wait);
        if (outcome == OUTCOME_TAKEN || outcome == OUTCOME_REFUSED)
            return;
        bp_span delay = delay_of(tries);
        if (wait > delay)
            delay = wait;
        if (outcome == OUTCOME_ENDED || exporter->stopping) {
            exporter_drop(exporter, DROP_STOPPED, sending->batch->items);
            return;
        }
        if (bp_clock() + delay > until) {
            exporter_drop(exporter, DROP_UNREACHABLE, sending->batch->items);
            return;
        }
        /* The end of the server wakes it for a last try. */
        bp_event_init(&exporter->wake);
        if (bp_event_wait(&exporter->wake, delay) == BP_CANCELED) {
            exporter_drop(exporter, DROP_STOPPED, sending->batch->items);
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
    struct exporter *exporter = argument;
    struct sending sending = {.exporter = exporter, .batch = batches_take(&exporter->batches)};
    exporter->fiber = bp_fiber_arena();
    exporter_note_waiting(exporter);
    if (sending.batch) {
        exporter->encoder->request(&sending.body, exporter->signal, &exporter->source,
                                   bp_str_n(sending.batch->bytes.ptr, sending.batch->bytes.len));
        bytes_deinit(&sending.batch->bytes);
        if (exporter->tracing->compression == COMPRESSION_GZIP && !sending.body.failed)
            compress(&sending);
        if (sending.body.failed)
            exporter_drop(exporter, DROP_MEMORY, sending.batch->items);
        else
            deliver(&sending);
        bytes_deinit(&sending.body);
        batch_free(sending.batch);
    }
    exporter->sending = false;
    exporter->fiber = NULL;
    if (exporter->eager || exporter->stopping || batches_ready(&exporter->batches))
        exporter_send(exporter);
    if (!exporter->sending)
        bp_event_set(&exporter->idle);
    return 0;
}

void exporter_send(struct exporter *exporter)
{
    if (exporter->sending || batches_waiting(&exporter->batches) == 0)
        return;
    exporter->sending =
        bp_spawn(exporter->tracing->host, signals[exporter->signal].fiber, send_batch, exporter, BP_FOREVER) == 0;
}

/* --- from start to stop --- */

void exporter_start(struct exporter *exporter, struct tracing *tracing, enum otlp_signal signal)
{
    static const char *const reasons[] = {[DROP_QUEUE_FULL] = "queue_full",
                                          [DROP_REJECTED] = "rejected",
                                          [DROP_UNREACHABLE] = "unreachable",
                                          [DROP_STOPPED] = "stopped",
                                          [DROP_MEMORY] = "memory"};
    exporter->tracing = tracing;
    exporter->signal = signal;
    exporter->encoder = tracing->protocol == PROTOCOL_JSON ? &otlp_json : &otlp_protobuf;
    exporter->retry_time = tracing->retry_time;
    exporter->timeout = tracing->timeout;
    for (size_t i = 0; i < DROP_REASONS; i++)
        exporter->dropped[i] = series_of(exporter, tracing->dropped, tracing->otlp_dropped, reasons[i]);
    exporter->exported = series_of(exporter, tracing->exported, tracing->otlp_exported, "");
    exporter->waiting = series_of(exporter, tracing->waiting, tracing->otlp_waiting, "");
}

void exporter_stop(struct exporter *exporter)
{
    exporter->stopping = true;
    bp_event_init(&exporter->idle);
    bp_event_set(&exporter->wake);
    exporter_send(exporter);
}

void exporter_finish(struct exporter *exporter, bp_time until)
{
    bp_time now = bp_clock();
    if (!exporter->sending) {
        bp_event_init(&exporter->idle);
        exporter_send(exporter); /* what came while others were waited for */
    }
    if (exporter->sending)
        (void)bp_event_wait(&exporter->idle, until > now ? until - now : 0);
    exporter_drop(exporter, DROP_STOPPED, batches_close(&exporter->batches));
}

void exporter_deinit(struct exporter *exporter)
{
    batches_deinit(&exporter->batches);
    bytes_deinit(&exporter->item);
}
