/* SPDX-License-Identifier: MIT */
/* The middleware: how long each request took, from its complete head to the last byte of its reply, or until that was detached. */
#include "accept.h"
#include "metrics.h"

/* nginx's number for "the client closed the connection before there was a reply". */
#define CLIENT_GONE 499u

static struct bp_series *series_of(struct metrics *metrics, const struct bp_request *rq, unsigned status)
{
    bp_str route = bp_request_route(rq);
    unsigned method = bp_request_method(rq);
    struct kept_series *kept = &metrics->kept[((uintptr_t)route.ptr / 8 + method * 5 + status) % KEPT_SERIES];
    if (kept->route == route.ptr && kept->method == method && kept->status == status)
        return kept->series;
    char code[3] = {(char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10), (char)('0' + status % 10)};
    /* Anything may be sent as a method or a path: only what this server knows becomes a label. */
    const bp_str labels[] = {method ? bp_request_method_name(rq) : BP_STR("_OTHER"), route,
                             bp_str_n(code, sizeof(code))};
    *kept = (struct kept_series){route.ptr, method, status, bp_series(metrics->duration, labels)};
    return kept->series;
}

static void done(struct bp_request *rq, const struct bp_done *done_with, void *argument)
{
    struct metrics *metrics = argument;
    unsigned status = done_with->status ? done_with->status : CLIENT_GONE;

    bp_metric_add(metrics->active_now, -1);
    bp_metric_observe_traced(series_of(metrics, rq, status), (double)done_with->handled / (double)BP_SECOND,
                             bp_request_trace(rq), done_with->date);
}

int metrics_observe(struct bp_request *rq, void *self, const void *stage)
{
    struct metrics *metrics = self;
    int r = bp_on_done(rq, done, metrics);

    (void)stage;
    if (r != 0)
        return bp_trace(r);
    bp_metric_add(metrics->active_now, 1);
    return bp_next(rq);
}

int metrics_expose(struct bp_request *rq, void *self, const void *stage)
{
    static const bp_str types[] = {[BP_METRIC_TEXT] = BP_STR_INIT("text/plain; version=0.0.4; charset=utf-8"),
                                   [BP_METRIC_OPENMETRICS] =
                                       BP_STR_INIT("application/openmetrics-text; version=1.0.0; charset=utf-8")};
    enum bp_metric_format format = metrics_accepted(bp_request_header(rq, BP_STR("accept")));

    (void)stage;
    metrics_refresh(self);
    bp_str text = bp_metrics_render(bp_arena(rq), format);
    if (!text.ptr)
        return bp_trace(BP_NOMEM);
    int r = bp_header_set(rq, BP_STR("Cache-Control"), BP_STR("no-store"));
    if (r == 0)
        r = bp_header_add(rq, BP_STR("Vary"), BP_STR("Accept"));
    return r != 0 ? bp_trace(r) : bp_reply_body(rq, 200, types[format], text);
}
