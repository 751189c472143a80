/* SPDX-License-Identifier: MIT */
/* Every series as it is, for who passes them on. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "core/metric/metric.h"
#include "core/supervisor/shared.h"

#define SIZE ((size_t)64 << 20)
#define DEF(...) (&(const struct bp_metric_def){.size = sizeof(struct bp_metric_def), __VA_ARGS__})

static struct shared *shared;

static void setup(void)
{
    cr_assert_eq(shared_private(SIZE, &shared), 0);
}

static void teardown(void)
{
    shared = shared_free(shared);
}

TestSuite(reading, .init = setup, .fini = teardown);

static struct bp_metric *define(const struct bp_metric_def *def)
{
    const char *error = NULL;
    struct bp_metric *metric = metric_new(shared, def, &error);
    cr_assert(metric, "%s", error ? error : "");
    return metric;
}

struct seen {
    char text[2000];
    size_t len, exemplars;
};

static void __attribute__((format(printf, 2, 3))) put(struct seen *seen, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    seen->len += (size_t)vsnprintf(seen->text + seen->len, sizeof(seen->text) - seen->len, format, arguments);
    va_end(arguments);
    cr_assert_lt(seen->len, sizeof(seen->text));
}

/* "name label=value … (overflow) [buckets] sum or value; " */
static void visit(void *argument, const struct bp_metric_reading *reading)
{
    struct seen *seen = argument;
    const struct bp_metric_def *def = reading->def;
    cr_assert_eq(reading->size, sizeof(*reading));
    put(seen, "%s", def->name);
    for (uint32_t i = 0; i < reading->label_count; i++)
        put(seen, " %s=%.*s", def->labels[i], BP_STR_ARG(reading->labels[i]));
    put(seen, "%s", reading->overflow ? " (overflow)" : "");
    if (def->type == BP_HISTOGRAM) {
        for (uint32_t i = 0; i <= def->bucket_count; i++) {
            put(seen, "%s%lld", i > 0 ? "," : " [", (long long)reading->buckets[i]);
            seen->exemplars += reading->exemplars && reading->exemplars[i].date != 0;
        }
        put(seen, "] %g; ", reading->sum);
    } else {
        put(seen, " %lld; ", (long long)reading->value);
    }
}

static void expect(const char *text)
{
    struct seen seen = {.len = 0};
    bp_metrics_each(visit, &seen);
    cr_expect_str_eq(seen.text, text);
    cr_expect_eq(seen.exemplars, 0);
}

Test(reading, all_workers_together)
{
    static const double buckets[] = {0.1, 1};
    struct bp_metric *counter = define(DEF(.type = BP_COUNTER, .name = "c_total", .help = "C.", .scale = 0.001));
    struct bp_metric *gauge = define(DEF(.type = BP_GAUGE, .name = "g", .help = "G.", .labels = {"a", "b"}));
    struct bp_metric *most = define(DEF(.type = BP_GAUGE, .name = "m", .help = "M.", .aggregate = BP_METRIC_MAX));
    struct bp_metric *histogram = define(
        DEF(.type = BP_HISTOGRAM, .name = "h", .help = "H.", .buckets = buckets, .bucket_count = 2, .exemplars = 1));
    for (unsigned slot = 0; slot < 2; slot++) {
        shared_set_slot(shared, slot);
        bp_metric_add(bp_series(counter, NULL), 20 + slot);
        bp_metric_add(bp_series(gauge, (const bp_str[]){BP_STR("x"), BP_STR("y")}), -3);
        bp_metric_set(bp_series(most, NULL), 7 + slot);
        bp_metric_observe(bp_series(histogram, NULL), slot ? 0.5 : 2);
        bp_metric_observe(bp_series(histogram, NULL), 0.1);
    }
    /* A series of no values yet is not there; a scale is the reader's. */
    expect("c_total 41; g a=x b=y -6; m 8; h [2,1,1] 2.7; ");
}

Test(reading, what_is_beyond_the_bound_has_no_labels)
{
    struct bp_metric *metric =
        define(DEF(.type = BP_COUNTER, .name = "c_total", .help = "C.", .labels = {"a", "b"}, .max_series = 1));
    for (int i = 0; i < 3; i++) {
        char text[8];
        bp_str value = bp_str_n(text, (size_t)snprintf(text, sizeof(text), "%d", i));
        bp_metric_add(bp_series(metric, (const bp_str[]){value, BP_STR("z")}), 1);
        if (i == 0)
            expect("c_total a=0 b=z 1; ");
    }
    expect("c_total (overflow) 2; c_total a=0 b=z 1; ");
}

Test(reading, examples)
{
    static const double buckets[] = {1};
    struct bp_metric *histogram = define(
        DEF(.type = BP_HISTOGRAM, .name = "h", .help = "H.", .buckets = buckets, .bucket_count = 1, .exemplars = 1));
    const struct bp_trace_context sampled = {.trace_id = {1}, .span_id = {2}, .flags = BP_TRACE_SAMPLED};
    struct seen seen = {.len = 0};
    bp_metric_observe_traced(bp_series(histogram, NULL), 0.5, &sampled, 1000);
    bp_metrics_each(visit, &seen);
    cr_expect_str_eq(seen.text, "h [1,0] 0.5; ");
    cr_expect_eq(seen.exemplars, 1);
}
