/* SPDX-License-Identifier: MIT */
/* compress: smaller replies, for clients that take them. */
#include "compress.h"

#define S struct compress_stage

static void check_type(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    bp_str type = *(const bp_str *)value;
    const char *slash = memchr(type.ptr, '/', type.len), *star = memchr(type.ptr, '*', type.len);
    if (!slash || slash == type.ptr || memchr(type.ptr, ';', type.len) || memchr(type.ptr, ' ', type.len) ||
        (star && star != type.ptr + type.len - 1))
        bp_problem_add(problems, row, "compress.type", "must be a media type: \"application/json\", \"text/*\"");
}

static const struct bp_field type_rows[] = {
    {.name = "", .type = BP_TYPE_TEXT, .min = 3, .max = 200, .check = check_type}, BP_END};

static const struct bp_field options[] = {
    BP_SIZE(S, min_size, .flags = BP_STAGE, .def = "1KiB", .min = 0, .max = INT64_C(1) << 30,
            .doc = "A smaller body is sent as it is."),
    BP_SIZE(S, max_size, .flags = BP_STAGE, .def = "16MiB", .min = 0, .max = INT64_C(1) << 31,
            .doc = "A larger body is sent as it is."),
    BP_SIZE(S, offload, .flags = BP_STAGE, .def = "64KiB", .min = 0, .max = INT64_C(1) << 31,
            .doc = "A larger body is compressed on the offload pool, so that it holds up nobody."),
    BP_ARRAY(S, types, bp_str, type_rows, .flags = BP_STAGE, .max = 64, .example = "application/json",
             .doc =
                 "Media types that are compressed, \"text/*\" for all of a kind. Empty: text/*, JSON, problem details, "
                 "OpenAPI, OpenMetrics, JavaScript, XML and SVG."),
    BP_U32(S, gzip, .flags = BP_STAGE, .def = "5", .max = 9, .doc = "Level of gzip; 0: not offered."),
    BP_U32(S, brotli, .flags = BP_STAGE, .def = "4", .max = 11, .doc = "Level of brotli; 0: not offered."),
    BP_BOOL(S, secrets, .flags = BP_STAGE, .def = "false",
            .doc = "Whether replies with Cache-Control: no-store are compressed, too. See BREACH below."),
    BP_END};

static const struct bp_field request_fields[] = {
    BP_HEADER_FIELD("Accept-Encoding", BP_TYPE_TEXT, .example = "br, gzip", .doc = "How the reply may be compressed."),
    BP_END};
static const struct bp_field reply_fields[] = {
    BP_HEADER_FIELD("Content-Encoding", BP_TYPE_TEXT, .doc = "How the body is compressed: gzip or br."), BP_END};
static const struct bp_answer answers[] = {BP_ANSWER(.request = request_fields, .headers = reply_fields),
                                           BP_ANSWER_END};

BP_PLUGIN(.name = "compress", .version = "1.0.0", .doc = "Compresses replies by gzip and brotli.",
          .stage_size = sizeof(struct compress_stage), .options = options, .phase = BP_PHASE_ANY, .answers = answers,
          .middleware = compress_serve);
