/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "backplane/backplane.h"
#include "line.h"
#include "sink.h"

enum format { FORMAT_AUTO, FORMAT_JSON, FORMAT_TEXT };

struct access_log {
    bp_str output;
    uint32_t format;
    uint64_t buffer_size;
    bp_span flush_interval;
    struct bp_host *host;
    struct sink sink;
    bool open;
    bool text;
    uint64_t dropped_said; /* of sink.dropped, already in the log */
};

static const char *const formats[] = {"auto", "json", "text", NULL};

static const struct bp_field options[] = {
    BP_TEXT(struct access_log, output, .def = "stdout", .min = 1, .max = 4000,
            .doc = "\"stdout\", \"stderr\", or a file (relative to the data folder), opened again on SIGUSR1."),
    BP_CHOICE(
        struct access_log, format, .def = "auto", .choices = formats,
        .doc = "\"json\": one object a line; \"text\": coloured, for people; \"auto\": text on a terminal, else json."),
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

static void write_line(struct bp_request *rq, const struct bp_done *done, void *argument)
{
    struct access_log *log = argument;
    const struct bp_identity *identity = bp_identity(rq);
    const struct bp_trace_context *trace = bp_request_trace(rq);
    char user_id[BP_UUID_LEN], trace_id[BP_TRACE_ID_LEN], span_id[BP_TRACE_SPAN_ID_LEN], text[ACCESS_LINE_MAX];
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
    size_t len = log->text ? access_line_text(&line, text) : access_line_json(&line, text);
    sink_add(&log->sink, bp_str_n(text, len));
    if (log->text)
        flush(log); /* somebody is watching */
}

static int observe(struct bp_request *rq, void *self, const void *stage)
{
    (void)stage;
    int status = bp_on_done(rq, write_line, self);
    return status < 0 ? status : bp_next(rq);
}

BP_PLUGIN(.name = "access_log", .version = "1.0.0", .doc = "Writes a line for every request.",
          .self_size = sizeof(struct access_log), .options = options, .phase = BP_PHASE_OBSERVE, .start = start,
          .stop = stop, .deinit = deinit, .middleware = observe);
