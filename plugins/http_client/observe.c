/* SPDX-License-Identifier: MIT */
/* Metrics, by the names of OpenTelemetry's semantic conventions. */
#include <stdio.h>

#include "client.h"

enum { METHOD_TEXT = 16 };

static const double buckets[] = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};

const struct bp_metric_row http_client_metrics[] = {
    BP_METRIC(struct http_client, duration, .type = BP_HISTOGRAM, .name = "http_client_request_duration_seconds",
              .help = "Duration of HTTP client requests.",
              .labels = {"http_request_method", "server_address", "http_response_status_code", "error_type"},
              .buckets = buckets, .bucket_count = sizeof(buckets) / sizeof(buckets[0])),
    BP_METRIC(struct http_client, active, .type = BP_GAUGE, .name = "http_client_active_requests",
              .help = "Number of HTTP client requests in flight."),
    BP_METRIC(struct http_client, refused, .type = BP_COUNTER, .name = "http_client_refused_requests_total",
              .help = "HTTP client requests that were not sent: too many waited."),
    BP_METRIC_END};

void observe_start(struct http_client *client)
{
    client->active_series = bp_series(client->active, NULL);
    client->refused_series = bp_series(client->refused, NULL);
}

/* Others would be series without end. */
static bp_str method_label(bp_str method)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    if (method.len == 0)
        return BP_STR("GET");
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (bp_str_is(method, known[i]))
            return method;
    return BP_STR("_OTHER");
}

static bp_str error_label(int status)
{
    return bp_str_of(status > 0              ? bp_http_condition(status)
                     : status == BP_TIMEOUT  ? "timeout"
                     : status == BP_CANCELED ? "canceled"
                     : status != 0           ? "_OTHER"
                                             : "");
}

struct bp_trace_span *observe_begin(const struct bp_http_request *request, bp_str host)
{
    char name[METHOD_TEXT];
    bp_str method = method_label(request->method);
    (void)snprintf(name, sizeof(name), "%" BP_STR_FMT,
                   BP_STR_ARG(bp_str_is(method, "_OTHER") ? BP_STR("HTTP") : method));
    struct bp_trace_span *span = bp_trace_begin(name, BP_TRACE_CLIENT);
    bp_trace_text(span, "http.request.method", method);
    bp_trace_text(span, "server.address", host);
    return span;
}

void observe_call(struct http_client *client, const struct bp_http_request *request, bp_str host, bp_time started,
                  int status, unsigned answer, struct bp_trace_span *span)
{
    char code[16] = "";
    if (answer > 0)
        (void)snprintf(code, sizeof(code), "%u", answer);
    bp_str error = answer >= 400 ? bp_str_of(code) : error_label(status);
    if (answer > 0)
        bp_trace_integer(span, "http.response.status_code", answer);
    if (error.len > 0)
        bp_trace_error(span, error.ptr);
    bp_trace_end(span);
    if (status == BP_BUSY) {
        bp_metric_add(client->refused_series, 1);
        return;
    }
    /* Whom guarded requests go to, users choose. */
    bp_str address = request->flags & BP_HTTP_GUARDED ? BP_STR("_OTHER") : host;
    const bp_str labels[] = {method_label(request->method), address, bp_str_of(code), error};
    bp_metric_observe(bp_series(client->duration, labels), (double)(bp_clock() - started) / (double)BP_SECOND);
}
