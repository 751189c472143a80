/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/cli/admin.h"
#include "core/cli/top.h"

#define PLUGINS_MAX 8u
#define CALLS_MAX 6u

struct frame {
    struct buffer *out;
    unsigned width, lines, height; /* height 0: without end */
    double seconds;                /* between the samples; 0: there is only one */
};

static void __attribute__((format(printf, 2, 3))) put(struct frame *frame, const char *format, ...)
{
    char text[512];
    va_list arguments;

    if (frame->height > 0 && frame->lines == frame->height)
        return;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    size_t shown = len < 0 ? 0 : (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1;
    if (shown > frame->width)
        shown = frame->width;
    while (shown > 0 && text[shown - 1] == ' ')
        shown--;
    buffer_add(frame->out, bp_str_n(text, shown));
    buffer_add_char(frame->out, '\n');
    frame->lines++;
}

static double rate(const struct frame *frame, double before, double now)
{
    return frame->seconds > 0 && now > before ? (now - before) / frame->seconds : 0;
}

/* "1.2 ms", "-" when nothing came. */
static const char *latency(const struct top_row *before, const struct top_row *now, double quantile, char text[16])
{
    double seconds = top_quantile(before, now, quantile);
    if (seconds < 0)
        return "-";
    (void)snprintf(text, 16, seconds < 1 ? "%.1f ms" : "%.2f s", seconds < 1 ? seconds * 1e3 : seconds);
    return text;
}

static long long number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static void put_server(struct frame *frame, const json_t *status)
{
    long long up = number(status, "uptime_seconds");
    const json_t *worker;
    char line[512];
    size_t i, len = 0;

    put(frame, "Backplane %s  pid %lld  %s  up %lldd %02lld:%02lld:%02lld", cli_admin_text(status, "version"),
        number(status, "pid"), cli_admin_text(status, "state"), up / 86400, up / 3600 % 24, up / 60 % 60, up % 60);
    json_array_foreach(json_object_get(status, "workers"), i, worker) if (len < sizeof(line)) len +=
        (size_t)snprintf(line + len, sizeof(line) - len, "  %s %lld %s", cli_admin_text(worker, "kind"),
                         number(worker, "worker"), cli_admin_text(worker, "state"));
    long long restarts = 0;
    json_array_foreach(json_object_get(status, "workers"), i, worker) restarts += number(worker, "restarts");
    put(frame, "workers%s  restarts %lld", len > 0 ? line : "", restarts);
}

static void put_all(struct frame *frame, const struct top_sample *before, const struct top_sample *now)
{
    const struct top_row *old = before ? &before->all : NULL;
    char p50[16], p95[16], p99[16];
    double requests = rate(frame, old ? old->count : 0, now->all.count);
    double failures = rate(frame, old ? old->failures : 0, now->all.failures);

    if (now->all.bucket_count == 0 && now->routes.count == 0) {
        put(frame, "requests: no metrics yet (they are those of the plugin metrics)");
        return;
    }
    put(frame, "requests %.1f/s  errors %.1f/s (%.2f %%)  in flight %.0f  p50 %s  p95 %s  p99 %s", requests, failures,
        requests > 0 ? 100 * failures / requests : 0, now->active, latency(old, &now->all, 0.5, p50),
        latency(old, &now->all, 0.95, p95), latency(old, &now->all, 0.99, p99));
}

struct ranked {
    const struct top_row *before, *now;
    double busy;
};

static int busiest_first(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    if (a->busy != b->busy)
        return (a->busy < b->busy) - (a->busy > b->busy);
    return strcmp(a->now->key, b->now->key);
}

/* Those with most between the samples first. NULL: none, or out of memory. */
static struct ranked *rank(const struct top_rows *before, const struct top_rows *now)
{
    struct ranked *ranked = now->count > 0 ? calloc(now->count, sizeof(*ranked)) : NULL;
    for (size_t i = 0; ranked && i < now->count; i++) {
        const struct top_row *row = &now->items[i], *old = before ? top_find(before, row->key) : NULL;
        double count = row->count - (old ? old->count : 0), failures = row->failures - (old ? old->failures : 0);
        ranked[i] = (struct ranked){old, row, count + failures};
    }
    if (ranked)
        qsort(ranked, now->count, sizeof(*ranked), busiest_first);
    return ranked;
}

static void put_gauges(struct frame *frame, const struct top_rows *gauges)
{
    for (size_t i = 0; i < gauges->count; i++)
        if (gauges->items[i].count != 0 || frame->height == 0 ||
            strncmp(gauges->items[i].key, "redis connected", 15) == 0)
            put(frame, "  %-40s %10.0f", gauges->items[i].key, gauges->items[i].count);
}

static void put_calls(struct frame *frame, const struct top_rows *before, const struct top_rows *now)
{
    struct ranked *ranked = rank(before, now);
    char p50[16], p99[16];

    if (now->count > 0)
        put(frame, "%-42s %10s %10s %10s", "DATABASE, REDIS", "CALLS/S", "P50", "P99");
    for (size_t i = 0; ranked && i < now->count && (i < CALLS_MAX || frame->height == 0); i++)
        put(frame, "%-42s %10.1f %10s %10s", ranked[i].now->key,
            rate(frame, ranked[i].before ? ranked[i].before->count : 0, ranked[i].now->count),
            latency(ranked[i].before, ranked[i].now, 0.5, p50), latency(ranked[i].before, ranked[i].now, 0.99, p99));
    free(ranked);
}

static void put_plugins(struct frame *frame, const struct top_rows *before, const struct top_rows *now)
{
    struct ranked *ranked = rank(before, now);

    if (now->count > 0)
        put(frame, "%-42s %10s %10s %10s %10s", "PLUGIN", "CALLS/S", "BUSY", "ERRORS/S", "ERRORS");
    for (size_t i = 0; ranked && i < now->count && (i < PLUGINS_MAX || frame->height == 0); i++) {
        const struct top_row *old = ranked[i].before, *row = ranked[i].now;
        put(frame, "%-42s %10.1f %8.1f %% %10.1f %10.0f", row->key, rate(frame, old ? old->count : 0, row->count),
            100 * rate(frame, old ? old->sum : 0, row->sum), rate(frame, old ? old->failures : 0, row->failures),
            row->failures);
    }
    free(ranked);
}

static void put_routes(struct frame *frame, const struct top_rows *before, const struct top_rows *now)
{
    struct ranked *ranked = rank(before, now);
    char p50[16], p95[16], p99[16];

    if (now->count > 0)
        put(frame, "%-42s %10s %10s %10s %10s %10s", "ROUTE", "REQUESTS/S", "ERRORS/S", "P50", "P95", "P99");
    for (size_t i = 0; ranked && i < now->count; i++) {
        const struct top_row *old = ranked[i].before, *row = ranked[i].now;
        put(frame, "%-42s %10.1f %10.1f %10s %10s %10s", row->key, rate(frame, old ? old->count : 0, row->count),
            rate(frame, old ? old->failures : 0, row->failures), latency(old, row, 0.5, p50),
            latency(old, row, 0.95, p95), latency(old, row, 0.99, p99));
    }
    free(ranked);
}

void top_frame(const struct top_sample *before, const struct top_sample *now, unsigned width, unsigned height,
               struct buffer *out)
{
    struct frame frame = {.out = out, .width = width, .height = height};

    if (before && now->at > before->at)
        frame.seconds = (double)(now->at - before->at) / (double)BP_SECOND;
    put_server(&frame, now->status);
    put_all(&frame, before, now);
    put_gauges(&frame, &now->gauges);
    put_calls(&frame, before ? &before->calls : NULL, &now->calls);
    put_plugins(&frame, before ? &before->plugins : NULL, &now->plugins);
    put_routes(&frame, before ? &before->routes : NULL, &now->routes); /* they take what room is left */
}
