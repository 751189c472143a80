/* SPDX-License-Identifier: MIT */
/* What the options come to. */
#include <stdlib.h>

#include "tracing.h"

static bool ends_with(bp_str text, bp_str end)
{
    return text.len >= end.len && bp_str_eq(bp_str_n(text.ptr + text.len - end.len, end.len), end);
}

static bool is_http(bp_str url)
{
    return bp_str_starts(url, BP_STR("http://")) || bp_str_starts(url, BP_STR("https://"));
}

static const char *const paths[OTLP_SIGNALS] = {
    [OTLP_TRACES] = "/v1/traces", [OTLP_METRICS] = "/v1/metrics", [OTLP_LOGS] = "/v1/logs"};

/* Without slashes at the end, and without the path of traces, with which it may have been given. */
static bp_str base_of(bp_str endpoint)
{
    bp_str traces = bp_str_of(paths[OTLP_TRACES]);
    if (ends_with(endpoint, traces))
        endpoint.len -= traces.len;
    while (endpoint.len > 0 && endpoint.ptr[endpoint.len - 1] == '/')
        endpoint.len--;
    return endpoint;
}

/* The signal's own endpoint as it is; else the general one with its path. */
static int read_url(struct tracing *tracing, struct bp_host *host, enum otlp_signal signal)
{
    const struct {
        const char *exporter, *endpoint;
        uint32_t choice;
        bp_str url;
    } options[OTLP_SIGNALS] = {
        [OTLP_TRACES] = {"traces_exporter", "traces_endpoint", tracing->traces_exporter, tracing->traces_endpoint},
        [OTLP_METRICS] = {"metrics_exporter", "metrics_endpoint", tracing->metrics_exporter, tracing->metrics_endpoint},
        [OTLP_LOGS] = {"logs_exporter", "logs_endpoint", tracing->logs_exporter, tracing->logs_endpoint}};
    bool own = options[signal].url.len > 0;
    bp_str url = own ? options[signal].url : tracing->endpoint, path = bp_str_of(own ? "" : paths[signal]);
    const char *option = own ? options[signal].endpoint : "endpoint";
    if (options[signal].choice == EXPORTER_NONE || tracing->disabled)
        return 0;
    if (url.len == 0)
        return signal == OTLP_TRACES
                   ? 0
                   : bp_config_error(host, options[signal].exporter, "needs endpoint or %s", options[signal].endpoint);
    if (!is_http(url))
        return bp_config_error(host, option, "must be a URL that begins with http:// or https://");
    if (memchr(url.ptr, ' ', url.len))
        return bp_config_error(host, option, "must be a URL: it holds a space");
    if (!tracing->client.vtable)
        return bp_config_error(host, option, "needs an instance of http_client: add { use = \"http_client\"; }");
    if (!own)
        url = base_of(url);
    char *text = malloc(url.len + path.len + 1);
    if (!text)
        return BP_NOMEM;
    memcpy(text, url.ptr, url.len);
    memcpy(text + url.len, path.ptr, path.len + 1);
    tracing->exporters[signal].url = text;
    return 0;
}

/* Names only: a value may be a secret. */
static int read_pairs(struct bp_host *host, const char *option, bp_str text, bool secret, struct pairs *pairs)
{
    bp_str wrong;
    int status = pairs_parse(text, pairs, &wrong);
    if (status == PAIRS_NOMEM)
        return BP_NOMEM;
    if (status == 0)
        return 0;
    return secret ? bp_config_error(host, option, "must be \"name=value,name=value\"")
                  : bp_config_error(host, option, "must be \"name=value,name=value\", has \"%" BP_STR_FMT "\"",
                                    BP_STR_ARG(wrong));
}

int settings_read(struct tracing *tracing, struct bp_host *host)
{
    int status = 0;
    for (unsigned i = 0; i < OTLP_SIGNALS && status == 0; i++)
        status = read_url(tracing, host, (enum otlp_signal)i);
    tracing->exports = tracing->exporters[OTLP_TRACES].url;
    if (status == 0)
        status = read_pairs(host, "headers", tracing->headers, true, &tracing->header_pairs);
    if (status == 0)
        status = read_pairs(host, "resource_attributes", tracing->resource_attributes, false, &tracing->resource_pairs);
    if (status == 0 && tracing->batch_spans > tracing->queue_spans)
        status = bp_config_error(host, "batch_spans", "must not be above queue_spans (%u)", tracing->queue_spans);
    if (status == 0 && tracing->logs_batch > tracing->logs_queue)
        status = bp_config_error(host, "logs_batch", "must not be above logs_queue (%u)", tracing->logs_queue);
    return status;
}

void settings_deinit(struct tracing *tracing)
{
    for (unsigned i = 0; i < OTLP_SIGNALS; i++) {
        free(tracing->exporters[i].url);
        tracing->exporters[i].url = NULL;
    }
    pairs_deinit(&tracing->header_pairs);
    pairs_deinit(&tracing->resource_pairs);
}
