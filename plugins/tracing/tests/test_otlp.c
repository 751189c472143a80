/* SPDX-License-Identifier: MIT */
/* What the encoders write, byte for byte. Another program's decoder reads it in tests/tracing. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "batch.h"
#include "otlp.h"
#include "semantic.h"

static struct attribute boolean = {.key = "b", .type = ATTRIBUTE_BOOLEAN, .as.boolean = true};
static struct attribute integer = {.next = &boolean, .key = "i", .type = ATTRIBUTE_INTEGER, .as.integer = -1};
static struct attribute text = {.next = &integer, .key = "t", .type = ATTRIBUTE_TEXT, .as.text = {"a\"\\\n", 4}};
static struct attribute service = {.key = "service.name", .type = ATTRIBUTE_TEXT, .as.text = {"s", 1}};
static const struct otlp_source source = {.resource = &service, .scope = {"o", 1}, .version = {"1", 1}};

static struct span sample(struct span_link *link)
{
    struct span span = {.base = {.context = {.flags = 1, .state = {"k=v", 3}}},
                        .has_parent = true,
                        .parent_is_remote = true,
                        .failed = true,
                        .kind = BP_TRACE_SERVER,
                        .name = {"n", 1},
                        .began = 1,
                        .ended = 2,
                        .attributes = &text,
                        .links = link,
                        .dropped_attributes = 300,
                        .dropped_links = 1};
    memset(span.base.context.trace_id, 0xaa, 16);
    memset(span.base.context.span_id, 0xbb, 8);
    memset(span.parent_id, 0xcc, 8);
    memset(link, 0, sizeof(*link));
    memset(link->context.trace_id, 0xdd, 16);
    memset(link->context.span_id, 0xee, 8);
    return span;
}

static char *hex(const struct bytes *bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *out = calloc(1, bytes->len * 2 + 1);
    for (size_t i = 0; i < bytes->len; i++) {
        out[2 * i] = digits[(unsigned char)bytes->ptr[i] >> 4];
        out[2 * i + 1] = digits[(unsigned char)bytes->ptr[i] & 15];
    }
    return out;
}

Test(otlp, protobuf)
{
    static const char span_hex[] = "129c01"                               /* scope_spans.spans, 156 bytes */
                                   "0a10aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* trace_id */
                                   "1208bbbbbbbbbbbbbbbb"                 /* span_id */
                                   "1a036b3d76"                           /* trace_state */
                                   "2208cccccccccccccccc"                 /* parent_span_id */
                                   "2a016e"                               /* name */
                                   "3002"                                 /* kind */
                                   "390b00000000000000"                   /* start, 1 + 10 */
                                   "410c00000000000000"                   /* end */
                                   "4a0b0a01741206"
                                   "0a0461225c0a"                         /* t */
                                   "4a100a0169120b18ffffffffffffffffff01" /* i */
                                   "4a070a016212021001"                   /* b */
                                   "50ac02"                               /* dropped attributes */
                                   "6a21"
                                   "0a10dddddddddddddddddddddddddddddddd"
                                   "1208eeeeeeeeeeeeeeee"
                                   "3500000000" /* a link */
                                   "7001"       /* dropped links */
                                   "7a021802"   /* status: error */
                                   "850101030000" /* flags */;
    struct span_link link;
    struct span span = sample(&link);
    struct bytes out = {0}, request = {0};
    otlp_protobuf.span(&out, &span, 10);
    char *got = hex(&out);
    cr_expect_str_eq(got, span_hex);
    free(got);
    otlp_protobuf.request(&request, OTLP_TRACES, &source, bp_str_n(out.ptr, 2));
    got = hex(&request);
    cr_expect_str_eq(got, "0a23"                                           /* resource_spans */
                          "0a150a130a0c736572766963652e6e616d6512030a0173" /* resource */
                          "120a0a060a016f120131"                           /* scope_spans, scope */
                          "129c");                                         /* what was given */
    free(got);
    bytes_deinit(&out);
    bytes_deinit(&request);
}

static json_t *load(const struct bytes *bytes)
{
    json_error_t error;
    json_t *root = json_loadb(bytes->ptr, bytes->len, 0, &error);
    cr_assert(root, "%s: %.*s", error.text, (int)bytes->len, bytes->ptr);
    return root;
}

Test(otlp, json)
{
    static const char expected[] =
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"s\"}"
        "}]},"
        "\"scopeSpans\":[{\"scope\":{\"name\":\"o\",\"version\":\"1\"},\"spans\":["
        "{\"traceId\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",\"spanId\":\"bbbbbbbbbbbbbbbb\",\"traceState\":\"k=v\","
        "\"parentSpanId\":\"cccccccccccccccc\",\"name\":\"n\",\"kind\":2,\"startTimeUnixNano\":\"11\","
        "\"endTimeUnixNano\":\"12\","
        "\"attributes\":[{\"key\":\"t\",\"value\":{\"stringValue\":\"a\\u0022\\u005c\\u000a\"}},"
        "{\"key\":\"i\",\"value\":{\"intValue\":\"-1\"}},{\"key\":\"b\",\"value\":{\"boolValue\":true}}],"
        "\"droppedAttributesCount\":300,\"links\":[{\"traceId\":\"dddddddddddddddddddddddddddddddd\",\"spanId\":"
        "\"eeeeeeeeeeeeeeee\","
        "\"flags\":0}],\"droppedLinksCount\":1,\"status\":{\"code\":2},\"flags\":769}]}]}]}";
    struct span_link link;
    struct span span = sample(&link);
    struct bytes out = {0}, request = {0};
    otlp_json.span(&out, &span, 10);
    otlp_json.request(&request, OTLP_TRACES, &source, bp_str_n(out.ptr, out.len));
    cr_expect(bp_str_is(bp_str_n(request.ptr, request.len), expected), "%.*s", (int)request.len, request.ptr);
    json_decref(load(&request));
    bytes_deinit(&out);
    bytes_deinit(&request);
}

Test(otlp, what_was_rejected)
{
    static const struct {
        const struct otlp_encoder *encoder;
        bp_str response;
        int64_t rejected;
    } cases[] = {{&otlp_protobuf, BP_STR_INIT(""), 0},
                 {&otlp_protobuf, BP_STR_INIT("\x0a\x02\x08\x03"), 3},
                 {&otlp_protobuf, BP_STR_INIT("\x0a\x05\x12\x01x\x08\x03"), 3},
                 {&otlp_protobuf, BP_STR_INIT("\x0a\x03\x08\x80\x02"), 256},
                 {&otlp_protobuf, BP_STR_INIT("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 0},
                 {&otlp_protobuf, BP_STR_INIT("\x0a\x63\x08\x03"), 0}, /* longer than it is */
                 {&otlp_protobuf, BP_STR_INIT("\x08\x03"), 0},
                 {&otlp_protobuf, BP_STR_INIT("\x0a\x02\x0b\x03"), 0}, /* a group */
                 {&otlp_protobuf, BP_STR_INIT("<html>what is this</html>"), 0},
                 {&otlp_protobuf, BP_STR_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 0},
                 {&otlp_json, BP_STR_INIT(""), 0},
                 {&otlp_json, BP_STR_INIT("{}"), 0},
                 {&otlp_json, BP_STR_INIT("{\"partialSuccess\":{\"rejectedSpans\":\"3\"}}"), 3},
                 {&otlp_json, BP_STR_INIT("{\"partialSuccess\": {\"rejectedSpans\" : 12}}"), 12},
                 {&otlp_json, BP_STR_INIT("{\"partialSuccess\":{\"rejectedSpans\":-3}}"), 0},
                 {&otlp_json, BP_STR_INIT("\"rejectedSpans\""), 0},
                 {&otlp_json, BP_STR_INIT("{\"partialSuccess\":{\"rejectedDataPoints\":\"3\"}}"), 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(cases[i].encoder->rejected(OTLP_TRACES, cases[i].response), cases[i].rejected, "%zu", i);
    cr_expect_eq(otlp_json.rejected(OTLP_METRICS, BP_STR("{\"partialSuccess\":{\"rejectedDataPoints\":\"3\"}}")), 3);
    cr_expect_eq(otlp_json.rejected(OTLP_LOGS, BP_STR("{\"partialSuccess\":{\"rejectedLogRecords\":\"4\"}}")), 4);
    cr_expect_eq(otlp_protobuf.rejected(OTLP_LOGS, BP_STR("\x0a\x02\x08\x03")), 3);
}

static bool add_to(struct batches *batches, const struct span *span)
{
    struct bytes item = {0};
    otlp_json.span(&item, span, 0);
    bool full = batches_full(batches), added = batches_add(batches, bp_str_n(item.ptr, item.len), 1);
    cr_expect_not(full && added);
    bytes_deinit(&item);
    return added;
}

Test(otlp, batches)
{
    struct batches batches;
    struct span_link link;
    struct span span = sample(&link);
    batches_init(&batches, otlp_json.separator, 2, 5, 1 << 20);
    cr_expect_null(batches_take(&batches));
    cr_expect_not(batches_ready(&batches));
    for (unsigned i = 0; i < 7; i++) {
        cr_expect_eq(add_to(&batches, &span), i < 5, "%u", i);
        cr_expect_eq(batches_ready(&batches), i >= 1);
    }
    for (unsigned i = 0; i < 3; i++) {
        struct batch *batch = batches_take(&batches);
        cr_assert(batch);
        cr_expect_eq(batch->items, i < 2 ? 2 : 1);
        bytes_add_char(&batch->bytes, ']');
        struct bytes array = {0};
        bytes_add_char(&array, '[');
        bytes_add(&array, batch->bytes.ptr, batch->bytes.len);
        json_t *root = load(&array);
        cr_expect_eq(json_array_size(root), batch->items);
        json_decref(root);
        bytes_deinit(&array);
        batch_free(batch);
    }
    cr_expect(batches.items == 0 && batches.bytes == 0 && !batches_take(&batches));
    /* Bytes bound them, too: a span that does not fit leaves nothing behind. */
    batches.max_bytes = 1000;
    cr_expect(add_to(&batches, &span));
    size_t bytes = batches.bytes;
    cr_expect_not(add_to(&batches, &span));
    cr_expect_eq(batches.bytes, bytes);
    cr_expect_eq(batches.first->bytes.len, bytes);
    cr_expect_eq(batches_waiting(&batches), 1);
    cr_expect_eq(batches_clear(&batches), 1);
    cr_expect_eq(batches_waiting(&batches), 0);
    cr_expect(add_to(&batches, &span));
    cr_expect_eq(batches_close(&batches), 1);
    cr_expect(batches_full(&batches));
    cr_expect_not(add_to(&batches, &span));
    batches_deinit(&batches);
}

/* --- metrics and lines; byte for byte they are compared with what another program's encoder makes in tests/tracing --- */

static const double bounds[] = {0.5, 1};
static const int64_t counts[] = {1, 2, 3};
static const struct bp_metric_exemplar exemplars[] = {{.trace_id = {0xaa}, .span_id = {0xbb}, .value = 0.25, .date = 7},
                                                      {.date = 0},
                                                      {.trace_id = {1}, .span_id = {2}, .value = 4, .date = 8}};
static const struct bp_metric_def requests = {.size = sizeof(requests),
                                              .type = BP_HISTOGRAM,
                                              .name = "http_server_request_duration_seconds",
                                              .help = "H.",
                                              .labels = {"http_request_method", "http_response_status_code", "own"},
                                              .buckets = bounds,
                                              .bucket_count = 2};
static const struct bp_metric_def cpu = {
    .size = sizeof(cpu), .type = BP_COUNTER, .name = "process_cpu_seconds_total", .help = "C.", .scale = 0.5};
static const struct bp_metric_def memory = {
    .size = sizeof(memory), .type = BP_GAUGE, .name = "process_resident_memory_bytes", .help = "M.", .labels = {"x"}};
static const struct bp_metric_def active = {
    .size = sizeof(active), .type = BP_GAUGE, .name = "http_server_active_requests", .help = "A."};

static json_t *encode_metric(const struct bp_metric_reading *readings, size_t count)
{
    struct otlp_metric metric = semantic_metric(readings->def);
    struct otlp_open open;
    struct bytes out = {0}, texts = {0};
    struct attribute attributes[BP_METRIC_LABELS];
    otlp_json.metric_begin(&out, &metric, &open);
    for (size_t i = 0; i < count; i++) {
        const struct otlp_point point = {.reading = &readings[i],
                                         .attributes = semantic_attributes(&readings[i], attributes, &texts),
                                         .began = 5,
                                         .now = 6};
        otlp_json.point(&out, &metric, &open, &point);
    }
    otlp_json.metric_end(&out, &metric, &open);
    json_t *root = load(&out);
    bytes_deinit(&texts);
    bytes_deinit(&out);
    return root;
}

static void expect_json(json_t *root, const char *expected)
{
    json_t *wanted = json_loads(expected, 0, NULL);
    cr_assert(wanted, "%s", expected);
    if (!json_equal(root, wanted)) {
        char *dump = json_dumps(root, JSON_SORT_KEYS);
        cr_expect_fail("%s", dump);
        free(dump);
    }
    json_decref(wanted);
    json_decref(root);
}

Test(otlp, metrics)
{
    const struct bp_metric_reading histogram = {.def = &requests,
                                                .label_count = 3,
                                                .labels = {BP_STR_INIT("GET"), BP_STR_INIT("200"), BP_STR_INIT("")},
                                                .buckets = counts,
                                                .sum = 9.5,
                                                .exemplars = exemplars};
    expect_json(encode_metric(&histogram, 1),
                "{\"name\":\"http.server.request.duration\",\"description\":\"H.\",\"unit\":\"s\",\"histogram\":{"
                "\"aggregationTemporality\":2,\"dataPoints\":[{\"attributes\":["
                "{\"key\":\"http.request.method\",\"value\":{\"stringValue\":\"GET\"}},"
                "{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"200\"}}],"
                "\"startTimeUnixNano\":\"5\",\"timeUnixNano\":\"6\",\"count\":\"6\",\"sum\":9.5,"
                "\"bucketCounts\":[\"1\",\"2\",\"3\"],\"explicitBounds\":[0.5,1],\"exemplars\":["
                "{\"traceId\":\"aa000000000000000000000000000000\",\"spanId\":\"bb00000000000000\",\"timeUnixNano\":"
                "\"7000000\",\"asDouble\":0.25},"
                "{\"traceId\":\"01000000000000000000000000000000\",\"spanId\":\"0200000000000000\",\"timeUnixNano\":"
                "\"8000000\",\"asDouble\":4}]}]}}");
    const struct bp_metric_reading counter = {.def = &cpu, .value = 3};
    expect_json(encode_metric(&counter, 1),
                "{\"name\":\"process_cpu_seconds_total\",\"description\":\"C.\",\"unit\":\"s\",\"sum\":{"
                "\"aggregationTemporality\":2,\"isMonotonic\":true,\"dataPoints\":[{\"attributes\":[],"
                "\"startTimeUnixNano\":\"5\",\"timeUnixNano\":\"6\",\"asDouble\":1.5}]}}");
    const struct bp_metric_reading gauges[] = {
        {.def = &memory, .label_count = 1, .labels = {BP_STR_INIT("a\xff")}, .value = -1},
        {.def = &memory, .label_count = 1, .overflow = 1, .value = INT64_MAX}};
    expect_json(encode_metric(gauges, 2),
                "{\"name\":\"process_resident_memory_bytes\",\"description\":\"M.\",\"unit\":\"By\",\"gauge\":{"
                "\"dataPoints\":[{\"attributes\":[{\"key\":\"x\",\"value\":{\"stringValue\":\"a\xef\xbf\xbd\"}}],"
                "\"timeUnixNano\":\"6\",\"asInt\":\"-1\"},"
                "{\"attributes\":[{\"key\":\"otel.metric.overflow\",\"value\":{\"boolValue\":true}}],"
                "\"timeUnixNano\":\"6\",\"asInt\":\"9223372036854775807\"}]}}");
    const struct bp_metric_reading now = {.def = &active, .value = 2};
    expect_json(encode_metric(&now, 1),
                "{\"name\":\"http.server.active_requests\",\"description\":\"A.\",\"unit\":\"\",\"sum\":{"
                "\"aggregationTemporality\":2,\"dataPoints\":[{\"attributes\":[],\"startTimeUnixNano\":\"5\","
                "\"timeUnixNano\":\"6\",\"asInt\":\"2\"}]}}");
}

Test(otlp, lines)
{
    struct attribute number = {.key = "n", .type = ATTRIBUTE_NUMBER, .as.number = 0.5};
    struct bp_trace_context context = {.flags = 1, .trace_id = {0xaa}, .span_id = {0xbb}};
    struct otlp_log log = {.date = 9,
                           .severity = 13,
                           .severity_text = "WARN",
                           .body = BP_STR("b\"\n"),
                           .attributes = &number,
                           .trace = &context};
    struct bytes out = {0};
    bytes_add_char(&out, '[');
    otlp_json.log(&out, &log);
    log.trace = NULL;
    log.attributes = NULL;
    bytes_add_str(&out, otlp_json.separator);
    otlp_json.log(&out, &log);
    bytes_add_char(&out, ']');
    expect_json(load(&out),
                "[{\"timeUnixNano\":\"9\",\"observedTimeUnixNano\":\"9\",\"severityNumber\":13,\"severityText\":"
                "\"WARN\",\"body\":{\"stringValue\":\"b\\\"\\n\"},\"attributes\":[{\"key\":\"n\",\"value\":"
                "{\"doubleValue\":0.5}}],\"traceId\":\"aa000000000000000000000000000000\",\"spanId\":"
                "\"bb00000000000000\",\"flags\":1},"
                "{\"timeUnixNano\":\"9\",\"observedTimeUnixNano\":\"9\",\"severityNumber\":13,\"severityText\":"
                "\"WARN\",\"body\":{\"stringValue\":\"b\\\"\\n\"},\"attributes\":[]}]");
    bytes_deinit(&out);
}
