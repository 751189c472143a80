/* SPDX-License-Identifier: MIT */
/* What the encoders write, byte for byte. Another program's decoder reads it in tests/tracing. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "batch.h"

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
    otlp_protobuf.request(&request, &source, bp_str_n(out.ptr, 2));
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
    otlp_json.request(&request, &source, bp_str_n(out.ptr, out.len));
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
                 {&otlp_json, BP_STR_INIT("\"rejectedSpans\""), 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(cases[i].encoder->rejected(cases[i].response), cases[i].rejected, "%zu", i);
}

Test(otlp, batches)
{
    struct batches batches = {.encoder = &otlp_json, .batch_spans = 2, .max_spans = 5, .max_bytes = 1 << 20};
    struct span_link link;
    struct span span = sample(&link);
    cr_expect_null(batches_take(&batches));
    cr_expect_not(batches_ready(&batches));
    for (unsigned i = 0; i < 7; i++) {
        cr_expect_eq(batches_add(&batches, &span, 0), i < 5, "%u", i);
        cr_expect_eq(batches_ready(&batches), i >= 1);
    }
    for (unsigned i = 0; i < 3; i++) {
        struct batch *batch = batches_take(&batches);
        cr_assert(batch);
        cr_expect_eq(batch->spans, i < 2 ? 2 : 1);
        bytes_add_char(&batch->bytes, ']');
        struct bytes array = {0};
        bytes_add_char(&array, '[');
        bytes_add(&array, batch->bytes.ptr, batch->bytes.len);
        json_t *root = load(&array);
        cr_expect_eq(json_array_size(root), batch->spans);
        json_decref(root);
        bytes_deinit(&array);
        batch_free(batch);
    }
    cr_expect(batches.spans == 0 && batches.bytes == 0 && !batches_take(&batches));
    /* Bytes bound them, too: a span that does not fit leaves nothing behind. */
    batches.max_bytes = 1000;
    cr_expect(batches_add(&batches, &span, 0));
    size_t bytes = batches.bytes;
    cr_expect_not(batches_add(&batches, &span, 0));
    cr_expect_eq(batches.bytes, bytes);
    cr_expect_eq(batches.first->bytes.len, bytes);
    batches_deinit(&batches);
}
