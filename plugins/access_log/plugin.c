/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "backplane/backplane.h"
#include "line.h"
#include "sink.h"
#include "slow.h"

enum format { FORMAT_AUTO, FORMAT_JSON, FORMAT_TEXT };

struct access_log {
    bp_str output;
    uint32_t format;
    uint32_t fields;
    struct bp_array headers, redact; /* bp_str */
    double sample;
    bp_span slow;
    uint64_t buffer_size;
    bp_span flush_interval;
    struct bp_host *host;
    struct sink sink;
    bool open;
    bool text;
    double owed;           /* of the next success that is to be written */
    uint64_t dropped_said; /* of sink.dropped, already in the log */
};

static const char *const formats[] = {"auto", "json", "text", NULL};

static const char *const field_names[] = {"plain", "otel", NULL};

static const struct bp_field header_rows[] = {{.name = "", .type = BP_TYPE_TEXT, .max = 64, .label = "Header field"},
                                              BP_END};
static const struct bp_field redact_rows[] = {{.name = "", .type = BP_TYPE_TEXT, .max = 64, .label = "Name"}, BP_END};

static const struct bp_field options[] = {
    BP_TEXT(struct access_log, output, .def = "stdout", .min = 1, .max = 4000,
            .doc = "\"stdout\", \"stderr\", or a file (relative to the data folder), opened again on SIGUSR1."),
    BP_CHOICE(
        struct access_log, format, .def = "auto", .choices = formats,
        .doc = "\"json\": one object a line; \"text\": coloured, for people; \"auto\": text on a terminal, else json."),
    BP_CHOICE(struct access_log, fields, .def = "plain", .choices = field_names,
              .doc = "How the members of an object are named: \"plain\" as in the server's log, \"otel\" as attributes "
                     "of OpenTelemetry."),
    BP_ARRAY(struct access_log, headers, bp_str, header_rows, .max = ACCESS_HEADERS, .example = "referer",
             .doc = "Header fields of the request that are written, too, in lower case."),
    BP_ARRAY(struct access_log, redact, bp_str, redact_rows, .max = 64, .example = "email",
             .doc = "Query parameters and header fields whose values are written as [redacted], besides those that "
                    "speak of secrets."),
    BP_F64(struct access_log, sample, .def = "1",
           .doc = "The part of the successes that is written, from 0 to 1. Replies from 400 on, clients that left, and "
                  "slow requests always are."),
    BP_SPAN(struct access_log, slow, .def = "0s", .max = BP_HOUR,
            .doc = "From this duration on a request gets a second line, http.slow, with what it waited for and the "
                   "texts of its statements; 0s: none does. Of a stream that stays open behind its handler only what "
                   "came before "
                   "that counts."),
    BP_SIZE(struct access_log, buffer_size, .def = "64KiB", .min = 16384, .max = 16 << 20,
            .doc = "Bytes gathered per worker before they are written."),
    BP_SPAN(struct access_log, flush_interval, .def = "1s", .min = 10 * BP_MILLISECOND, .max = BP_MINUTE,
            .doc = "How long a line may wait in the buffer."),
    BP_END};

static void flush(void *argument)
{
    struct access_log *log = argument;
    int error = sink_flush(&log->sink);
    if (log->sink.dropped != log->dropped_said) {
        bp_log(log->host, BP_LOG_ERROR, "access_log.dropped", "Lines of the access log could not be written",
               bp_log_int("lines", (int64_t)(log->sink.dropped - log->dropped_said)), bp_log_int("errno", error));
        log->dropped_said = log->sink.dropped;
    }
}

static void reopen(void *argument)
{
    struct access_log *log = argument;
    int error = sink_reopen(&log->sink);
    if (error)
        bp_log(log->host, BP_LOG_ERROR, "access_log.reopen_failed",
               "The access log could not be opened again; the old file stays", bp_log_cstr("file", log->sink.path),
               bp_log_cstr("error", strerror(error)));
}

static int start(struct bp_host *host, void *self)
{
    struct access_log *log = self;
    char path[4096];
    bool standard = bp_str_is(log->output, "stdout") || bp_str_is(log->output, "stderr");
    bp_str folder = standard || log->output.ptr[0] == '/' ? BP_STR("") : bp_data_dir(host);
    int len = snprintf(path, sizeof(path), "%" BP_STR_FMT "%s%" BP_STR_FMT, BP_STR_ARG(folder), folder.len ? "/" : "",
                       BP_STR_ARG(log->output));
    if (len < 0 || (size_t)len >= sizeof(path))
        return bp_start_error(host, "the path of the access log is too long");
    if (!(log->sample >= 0 && log->sample <= 1))
        return bp_start_error(host, "sample must be from 0 to 1");
    log->host = host;
    int error = sink_open(&log->sink, path, log->buffer_size);
    log->open = true;
    if (error)
        return bp_start_error(host, "cannot open the access log %s: %s", path, strerror(error));
    log->text = log->format == FORMAT_TEXT || (log->format == FORMAT_AUTO && isatty(log->sink.fd));
    if (!bp_timer_every(host, log->flush_interval, flush, log))
        return BP_NOMEM;
    return bp_on_reopen(host, reopen, log);
}

static void stop(struct bp_host *host, void *self)
{
    (void)host;
    flush(self);
}

static void deinit(struct bp_host *host, void *self)
{
    struct access_log *log = self;
    (void)host;
    if (log->open)
        sink_close(&log->sink);
}

/* One of several workers; each writes its part of what it serves. */
static bool is_written(struct access_log *log, const struct bp_done *done, bool slow)
{
    if (log->sample >= 1 || slow || done->status >= 400 || done->outcome == BP_ABORTED)
        return true;
    log->owed += log->sample;
    if (log->owed < 1)
        return false;
    log->owed -= 1;
    return true;
}

static void add_headers(const struct access_log *log, struct bp_request *rq, struct access_line *line)
{
    const bp_str *names = log->headers.ptr;
    for (size_t i = 0; i < log->headers.len && i < ACCESS_HEADERS; i++) {
        line->headers[i].name = names[i];
        line->headers[i].value = bp_request_header(rq, names[i]);
    }
    line->header_count = log->headers.len;
}

struct seen {
    struct access_log *log;
    struct slow *slow; /* NULL: nothing was kept */
};

static void write_one(struct access_log *log, const struct access_line *line)
{
    char text[ACCESS_LINE_MAX];
    size_t len = log->text && !line->slow ? access_line_text(line, text) : access_line_json(line, text);
    sink_add(&log->sink, bp_str_n(text, len));
}

static void write_line(struct bp_request *rq, const struct bp_done *done, struct access_log *log,
                       const struct slow *parts)
{
    bool slow = log->slow > 0 && done->handled >= log->slow;
    if (!is_written(log, done, slow))
        return;
    const struct bp_identity *identity = bp_identity(rq);
    const struct bp_trace_context *trace = bp_request_trace(rq);
    char user_id[BP_UUID_LEN], trace_id[BP_TRACE_ID_LEN], span_id[BP_TRACE_SPAN_ID_LEN];
    struct access_line line = {
        .time = done->date,
        .method = bp_request_method_name(rq),
        .target = bp_request_target(rq),
        .route = bp_request_route(rq),
        .client = bp_request_client(rq),
        .request_id = bp_request_id(rq),
        .user_agent = bp_request_header(rq, BP_STR("user-agent")),
        .version = bp_request_http_version(rq),
        .status = done->status,
        .aborted = done->outcome == BP_ABORTED,
        .bytes = done->head_bytes + done->body_bytes,
        .duration = done->duration,
        .otel = log->fields == 1,
        .redact = log->redact.ptr,
        .redact_count = log->redact.len,
    };
    if (!bp_str_eq(line.client, bp_request_peer(rq)))
        line.peer = bp_request_peer(rq);
    if (identity) {
        bp_uuid_format(&identity->user_id, user_id);
        line.user_id = bp_str_n(user_id, sizeof(user_id));
    }
    if (trace) {
        bp_trace_id_format(trace, trace_id);
        bp_trace_span_id_format(trace, span_id);
        line.trace_id = bp_str_n(trace_id, sizeof(trace_id));
        line.span_id = bp_str_n(span_id, sizeof(span_id));
    }
    if (log->headers.len > 0)
        add_headers(log, rq, &line);
    write_one(log, &line);
    if (slow && parts) {
        line.slow = parts;
        write_one(log, &line);
    }
    if (log->text)
        flush(log); /* somebody is watching */
}

static void write_done(struct bp_request *rq, const struct bp_done *done, void *argument)
{
    write_line(rq, done, argument, NULL);
}

static void write_seen(struct bp_request *rq, const struct bp_done *done, void *argument)
{
    struct seen *seen = argument;
    write_line(rq, done, seen->log, seen->slow);
}

static int observe(struct bp_request *rq, void *self, const void *stage)
{
    struct access_log *log = self;
    int status;
    (void)stage;
    if (log->slow == 0) {
        status = bp_on_done(rq, write_done, log);
        return status < 0 ? status : bp_next(rq);
    }
    struct seen *seen = bp_arena_alloc(bp_arena(rq), sizeof(*seen));
    if (!seen)
        return BP_NOMEM;
    *seen = (struct seen){.log = log};
    status = bp_on_done(rq, write_seen, seen);
    return status < 0 ? status : slow_next(rq, &seen->slow);
}

BP_PLUGIN(.name = "access_log", .version = "1.0.0", .doc = "Writes a line for every request.",
          .self_size = sizeof(struct access_log), .options = options, .phase = BP_PHASE_OBSERVE, .start = start,
          .stop = stop, .deinit = deinit, .middleware = observe);
