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

/* The endpoint of traces as it is; else the general one with "/v1/traces", unless that is there. */
static int read_url(struct tracing *tracing, struct bp_host *host)
{
    static const bp_str path = BP_STR_INIT("/v1/traces");
    bool own = tracing->traces_endpoint.len > 0;
    bp_str base = own ? tracing->traces_endpoint : tracing->endpoint;
    const char *option = own ? "traces_endpoint" : "endpoint";
    if (base.len == 0 || tracing->disabled)
        return 0;
    if (!is_http(base))
        return bp_config_error(host, option, "must be a URL that begins with http:// or https://");
    if (memchr(base.ptr, ' ', base.len))
        return bp_config_error(host, option, "must be a URL: it holds a space");
    if (!tracing->client.vtable)
        return bp_config_error(host, option, "needs an instance of http_client: add { use = \"http_client\"; }");
    if (!own && !ends_with(base, path))
        while (base.ptr[base.len - 1] == '/')
            base.len--;
    tracing->url = malloc(base.len + path.len + 1);
    if (!tracing->url)
        return BP_NOMEM;
    memcpy(tracing->url, base.ptr, base.len);
    tracing->url[base.len] = '\0';
    if (!own && !ends_with(base, path))
        memcpy(tracing->url + base.len, path.ptr, path.len + 1);
    tracing->exports = true;
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
    int status = read_url(tracing, host);
    if (status == 0)
        status = read_pairs(host, "headers", tracing->headers, true, &tracing->header_pairs);
    if (status == 0)
        status = read_pairs(host, "resource_attributes", tracing->resource_attributes, false, &tracing->resource_pairs);
    if (status == 0 && tracing->batch_spans > tracing->queue_spans)
        status = bp_config_error(host, "batch_spans", "must not be above queue_spans (%u)", tracing->queue_spans);
    return status;
}

void settings_deinit(struct tracing *tracing)
{
    free(tracing->url);
    tracing->url = NULL;
    pairs_deinit(&tracing->header_pairs);
    pairs_deinit(&tracing->resource_pairs);
}
