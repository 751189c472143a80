/* SPDX-License-Identifier: MIT */
/* tracing: spans of requests and of what they wait for, to a collector. */
#include "backplane/iface/http_client.h"
#include "resource.h"
#include "tracing.h"

static const char *const protocols[] = {[PROTOCOL_PROTOBUF] = "http/protobuf", [PROTOCOL_JSON] = "http/json", NULL};
static const char *const compressions[] = {[COMPRESSION_NONE] = "none", [COMPRESSION_GZIP] = "gzip", NULL};
static const char *const samplers[] = {[SAMPLER_ALWAYS_ON] = "always_on",
                                       [SAMPLER_ALWAYS_OFF] = "always_off",
                                       [SAMPLER_RATIO] = "traceidratio",
                                       [SAMPLER_PARENT_ALWAYS_ON] = "parentbased_always_on",
                                       [SAMPLER_PARENT_ALWAYS_OFF] = "parentbased_always_off",
                                       [SAMPLER_PARENT_RATIO] = "parentbased_traceidratio",
                                       NULL};

static const char *const exporters[] = {[EXPORTER_NONE] = "none", [EXPORTER_OTLP] = "otlp", NULL};

#define T struct tracing

static const struct bp_field options[] = {
    BP_TEXT(T, endpoint, .def = "", .max = 2000, .example = "http://collector:4318",
            .doc = "Where the collector takes OTLP over HTTP; \"/v1/traces\" is added unless it is there. Empty: "
                   "nothing is recorded, "
                   "but trace ids are still made or taken over, so that log lines of one request are found."),
    BP_TEXT(T, traces_endpoint, .def = "", .max = 2000,
            .doc = "The same for traces alone, and used as it is. Wins over endpoint."),
    BP_TEXT(T, metrics_endpoint, .def = "", .max = 2000, .doc = "The same for metrics."),
    BP_TEXT(T, logs_endpoint, .def = "", .max = 2000, .doc = "The same for log lines."),
    BP_CHOICE(T, traces_exporter, .def = "otlp", .choices = exporters, .doc = "Whether spans are recorded and sent."),
    BP_CHOICE(T, metrics_exporter, .def = "none", .choices = exporters,
              .doc = "Whether the server's metrics are sent, too, by one of its workers for all."),
    BP_CHOICE(T, logs_exporter, .def = "none", .choices = exporters,
              .doc = "Whether the lines that workers write to the log and the audit log are sent, too."),
    BP_CHOICE(T, protocol, .def = "http/protobuf", .choices = protocols,
              .doc = "How spans, metrics and lines are encoded."),
    BP_CHOICE(T, compression, .def = "none", .choices = compressions,
              .doc = "Whether requests to the collector are compressed, on the offload pool."),
    BP_TEXT(T, headers, .def = "", .max = 16000, .flags = BP_SECRET,
            .doc = "Header fields for the collector: \"name=value,name=value\", values percent-encoded."),
    BP_TEXT(
        T, certificate, .def = "", .max = 4000,
        .doc =
            "File of the authorities (PEM) that the collector's certificate is checked against. Empty: the system's."),
    BP_SPAN(T, timeout, .def = "10s", .min = 10 * BP_MILLISECOND, .max = 10 * BP_MINUTE,
            .doc = "How long the collector may take to answer."),
    BP_TEXT(T, service_name, .def = "", .max = 255,
            .doc = "The name of this service in traces. Empty: service.name of resource_attributes, or "
                   "\"unknown_service:backplane\"."),
    BP_TEXT(
        T, resource_attributes, .def = "", .max = 16000, .example = "deployment.environment.name=staging",
        .doc = "More about this server: \"name=value,name=value\", values percent-encoded; the last of a name counts."),
    BP_CHOICE(
        T, sampler, .def = "parentbased_always_on", .choices = samplers,
        .doc =
            "Which requests are recorded. \"parentbased_…\": as whoever sent the request did; where nobody says: all, "
            "none, or the share sampler_argument."),
    BP_F64(T, sampler_argument, .def = "1", .min = 0, .max = 1,
           .doc = "Of the samplers by ratio: the share of traces that is recorded, 0.01 for one of a hundred."),
    BP_U32(T, rate, .def = "0", .max = 1000000,
           .doc = "Traces that each worker records in a second at most, whatever the sampler says. 0: any number."),
    BP_SPAN(
        T, keep_slow, .def = "0s", .min = 0, .max = BP_HOUR,
        .doc = "A request that takes so long is recorded even if the sampler did not choose it; of a stream that stays "
               "open behind its handler only what came before that counts. 0: not. All requests are then followed to "
               "their end, as if all were recorded."),
    BP_BOOL(T, keep_failed, .def = "false", .doc = "The same for requests that are answered by 5xx."),
    BP_BOOL(
        T, accept_parent, .def = "true",
        .doc =
            "Whether a request's traceparent, tracestate and baggage are believed: false where anybody may send some."),
    BP_BOOL(T, disabled, .def = "false", .doc = "Does nothing at all: not even trace ids are made."),
    BP_U32(T, spans, .def = "128", .min = 1, .max = 10000, .doc = "Spans of one request at most."),
    BP_U32(T, attributes, .def = "128", .min = 16, .max = 10000, .doc = "Attributes of one span at most."),
    BP_SIZE(T, attribute_length, .def = "4KiB", .min = 16, .max = 1 << 20,
            .doc = "Bytes of one value; what is longer is cut."),
    BP_SIZE(T, trace_bytes, .def = "256KiB", .min = 16384, .max = 16 << 20,
            .doc = "Memory for the spans of one request at most."),
    BP_U32(T, queue_spans, .def = "2048", .min = 1, .max = 1000000,
           .doc = "Spans of one worker that may wait for the collector; further ones are dropped and counted."),
    BP_SIZE(T, queue_bytes, .def = "8MiB", .min = 65536, .max = INT64_C(1) << 30,
            .doc = "The same in bytes; also of lines, and of metrics."),
    BP_U32(T, batch_spans, .def = "512", .min = 1, .max = 100000,
           .doc = "Spans of one request to the collector at most."),
    BP_SPAN(T, schedule_delay, .def = "5s", .min = 10 * BP_MILLISECOND, .max = BP_HOUR,
            .doc = "How long a span waits for others before they are sent."),
    BP_SPAN(T, metrics_interval, .def = "1m", .min = 10 * BP_MILLISECOND, .max = BP_DAY,
            .doc = "How often metrics are sent."),
    BP_SPAN(T, metrics_timeout, .def = "30s", .min = 10 * BP_MILLISECOND, .max = 10 * BP_MINUTE,
            .doc = "How long the collector may take to answer to them."),
    BP_SPAN(T, logs_delay, .def = "1s", .min = 10 * BP_MILLISECOND, .max = BP_HOUR,
            .doc = "How long a line waits for others before they are sent."),
    BP_U32(T, logs_queue, .def = "2048", .min = 1, .max = 1000000,
           .doc = "Lines of one worker that may wait for the collector; further ones are dropped and counted."),
    BP_U32(T, logs_batch, .def = "512", .min = 1, .max = 100000,
           .doc = "Lines of one request to the collector at most."),
    BP_SPAN(T, retry_time, .def = "1m", .min = 0, .max = BP_HOUR,
            .doc = "How long a batch is tried again when the collector is busy or away (with growing, random delays, "
                   "or its Retry-After)."),
    BP_SPAN(T, flush_timeout, .def = "2s", .min = 0, .max = BP_MINUTE,
            .doc = "How long a server that stops waits until the last spans are sent."),
    BP_END};

static const struct bp_metric_row metrics[] = {
    BP_METRIC(struct tracing, exported, .type = BP_COUNTER, .name = "backplane_tracing_spans_exported_total",
              .help = "Spans that the collector has taken."),
    BP_METRIC(struct tracing, dropped, .type = BP_COUNTER, .name = "backplane_tracing_spans_dropped_total",
              .help = "Spans that were recorded and lost.", .labels = {"reason"}),
    BP_METRIC(struct tracing, requests, .type = BP_COUNTER, .name = "backplane_tracing_exports_total",
              .help = "Requests to the collector.", .labels = {"result"}),
    BP_METRIC(struct tracing, waiting, .type = BP_GAUGE, .name = "backplane_tracing_spans_waiting",
              .help = "Spans that wait for the collector."),
    BP_METRIC(struct tracing, otlp_exported, .type = BP_COUNTER, .name = "backplane_otlp_exported_total",
              .help = "Points (metrics) and lines (logs) that the collector has taken.", .labels = {"signal"}),
    BP_METRIC(struct tracing, otlp_dropped, .type = BP_COUNTER, .name = "backplane_otlp_dropped_total",
              .help = "Points (metrics) and lines (logs) that were lost.", .labels = {"signal", "reason"}),
    BP_METRIC(struct tracing, otlp_requests, .type = BP_COUNTER, .name = "backplane_otlp_exports_total",
              .help = "Requests to the collector with metrics or logs.", .labels = {"signal", "result"}),
    BP_METRIC(struct tracing, otlp_waiting, .type = BP_GAUGE, .name = "backplane_otlp_waiting",
              .help = "Points (metrics) and lines (logs) that wait for the collector.", .labels = {"signal"}),
    BP_METRIC_END};

static const struct bp_tracer_vtable vtable = {.size = sizeof(vtable),
                                               .begin = record_begin,
                                               .root = tracing_root,
                                               .end = record_end,
                                               .rename = record_rename,
                                               .text = record_text,
                                               .integer = record_integer,
                                               .boolean = record_boolean,
                                               .error = record_error,
                                               .link = record_link};

static int init(struct bp_host *host, void *self)
{
    struct tracing *tracing = self;
    tracing->host = host;
    tracing->slot = bp_slot_new(host, sizeof(struct request_trace));
    if (tracing->slot < 0)
        return tracing->slot;
    return settings_read(tracing, host);
}

static int start_exporters(struct tracing *tracing)
{
    static int (*const starts[OTLP_SIGNALS])(struct tracing * tracing) = {
        [OTLP_TRACES] = spans_start, [OTLP_METRICS] = metrics_start, [OTLP_LOGS] = logs_start};
    int status = 0;
    tracing->shared = bp_shared(tracing->host, "tracing.metrics", SHARED_LAYOUT, sizeof(*tracing->shared));
    if (!tracing->shared)
        return bp_start_error(tracing->host, "shared memory is full: raise server.shared_memory");
    status = resource_new(tracing);
    for (unsigned i = 0; i < OTLP_SIGNALS && status == 0; i++)
        if (tracing->exporters[i].url)
            status = starts[i](tracing);
    return status;
}

static bool any_exporter(const struct tracing *tracing)
{
    return tracing->exporters[OTLP_TRACES].url || tracing->exporters[OTLP_METRICS].url ||
           tracing->exporters[OTLP_LOGS].url;
}

static int start(struct bp_host *host, void *self)
{
    struct tracing *tracing = self;
    struct record_limits limits = {.spans = tracing->spans,
                                   .attributes = tracing->attributes,
                                   .links = 128,
                                   .text = tracing->attribute_length,
                                   .bytes = tracing->trace_bytes};
    (void)host;
    sampler_init(&tracing->deciding, (enum sampler_kind)tracing->sampler, tracing->sampler_argument, tracing->rate);
    recorder_init(&tracing->recorder, &limits, &vtable);
    tracing->recorder.ended = tracing_root_ended;
    tracing->recorder.argument = tracing;
    tracing->started = true;
    return any_exporter(tracing) ? start_exporters(tracing) : 0;
}

static void stop(struct bp_host *host, void *self)
{
    struct tracing *tracing = self;
    (void)host;
    if (tracing->exporters[OTLP_METRICS].url)
        metrics_stop(tracing);
    /* All at once, so that one that hangs does not take the time of the others. */
    for (unsigned i = 0; i < OTLP_SIGNALS; i++)
        if (tracing->exporters[i].url)
            exporter_stop(&tracing->exporters[i]);
    bp_time until = bp_clock() + tracing->flush_timeout;
    for (unsigned i = 0; i < OTLP_SIGNALS; i++)
        if (tracing->exporters[i].url)
            exporter_finish(&tracing->exporters[i], until);
}

static void deinit(struct bp_host *host, void *self)
{
    struct tracing *tracing = self;
    (void)host;
    for (unsigned i = 0; i < OTLP_SIGNALS; i++)
        exporter_deinit(&tracing->exporters[i]);
    bytes_deinit(&tracing->log_texts);
    recorder_deinit(&tracing->recorder);
    resource_free(tracing);
    settings_deinit(tracing);
}

static const struct bp_need needs[] = {
    BP_NEED(BP_HTTP_CLIENT, BP_HTTP_CLIENT_VERSION, struct tracing, client, .optional = 1), BP_NEED_END};
static const struct bp_provide provides[] = {BP_PROVIDE(BP_TRACER, BP_TRACER_VERSION, &vtable), BP_PROVIDE_END};

BP_PLUGIN(.name = "tracing", .version = "1.0.0",
          .doc = "Makes each request a part of a trace, and hands its spans, metrics and log lines to a collector "
                 "(OpenTelemetry).",
          .self_size = sizeof(struct tracing), .options = options, .phase = BP_PHASE_OBSERVE, .needs = needs,
          .provides = provides, .metrics = metrics, .init = init, .start = start, .stop = stop, .deinit = deinit,
          .middleware = tracing_observe);
