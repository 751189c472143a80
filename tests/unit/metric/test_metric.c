/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "core/base/arena.h"
#include "core/metric/metric.h"
#include "core/supervisor/shared.h"

#define SIZE ((size_t)64 << 20)

static struct shared *shared;

static void setup(void)
{
    cr_assert_eq(shared_private(SIZE, &shared), 0);
}

static void teardown(void)
{
    shared = shared_free(shared);
}

TestSuite(metric, .init = setup, .fini = teardown);

static struct bp_metric *define(const struct bp_metric_def *def)
{
    const char *error = NULL;
    struct bp_metric *metric = metric_new(shared, def, &error);
    cr_assert(metric, "%s", error ? error : "");
    return metric;
}

static void expect_as(enum bp_metric_format format, const char *text)
{
    struct buffer out = {0};
    metrics_write(shared, format, &out);
    buffer_add_char(&out, '\0');
    cr_assert_str_eq(out.ptr, text);
    buffer_deinit(&out);
}

static void expect(const char *text)
{
    expect_as(BP_METRIC_TEXT, text);
}

#define DEF(...) (&(const struct bp_metric_def){.size = sizeof(struct bp_metric_def), __VA_ARGS__})

Test(metric, a_counter_shows_its_value)
{
    struct bp_metric *metric = define(DEF(.type = BP_COUNTER, .name = "jobs_total", .help = "Jobs done."));
    expect("# HELP jobs_total Jobs done.\n# TYPE jobs_total counter\njobs_total 0\n");
    bp_metric_add(bp_series(metric, NULL), 3);
    bp_metric_add(bp_series(metric, NULL), -2); /* counters only grow */
    bp_metric_set(bp_series(metric, NULL), 9);  /* and are not set */
    bp_metric_observe(bp_series(metric, NULL), 9);
    expect("# HELP jobs_total Jobs done.\n# TYPE jobs_total counter\njobs_total 3\n");
}

Test(metric, label_values_and_help_are_escaped)
{
    struct bp_metric *metric =
        define(DEF(.type = BP_GAUGE, .name = "a", .help = "One\\two\nthree \"four\"", .labels = {"x", "y"}));
    bp_metric_set(bp_series(metric, (const bp_str[]){BP_STR("q\"b\\n\nz"), BP_STR("")}), -4);
    expect("# HELP a One\\\\two\\nthree \"four\"\n# TYPE a gauge\na{x=\"q\\\"b\\\\n\\nz\",y=\"\"} -4\n");
}

Test(metric, buckets_are_cumulative)
{
    static const double buckets[] = {0.25, 1, 2.5};
    struct bp_metric *metric = define(DEF(.type = BP_HISTOGRAM, .name = "h_seconds", .help = "H.", .labels = {"l"},
                                          .buckets = buckets, .bucket_count = 3));
    const bp_str label = BP_STR("v");
    static const double values[] = {0.125, 0.25, 0.5, 2, 100};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        bp_metric_observe(bp_series(metric, &label), values[i]);
    bp_metric_observe(bp_series(metric, &label), NAN);
    bp_metric_add(bp_series(metric, &label), 5);
    expect("# HELP h_seconds H.\n# TYPE h_seconds histogram\n"
           "h_seconds_bucket{l=\"v\",le=\"0.25\"} 2\n"
           "h_seconds_bucket{l=\"v\",le=\"1\"} 3\n"
           "h_seconds_bucket{l=\"v\",le=\"2.5\"} 4\n"
           "h_seconds_bucket{l=\"v\",le=\"+Inf\"} 5\n"
           "h_seconds_sum{l=\"v\"} 102.875\n"
           "h_seconds_count{l=\"v\"} 5\n");
}

Test(metric, openmetrics_has_names_units_and_an_end_of_its_own)
{
    static const double buckets[] = {0.25, 1, 1e6};
    const bp_str label = BP_STR("q\"b\\n\nz");
    expect_as(BP_METRIC_OPENMETRICS, "# EOF\n");
    bp_metric_add(bp_series(define(DEF(.type = BP_COUNTER, .name = "jobs_total", .help = "Jobs \"done\".")), NULL), 3);
    bp_metric_add(bp_series(define(DEF(.type = BP_COUNTER, .name = "seen", .help = "S.")), NULL), 4);
    bp_metric_add(
        bp_series(define(DEF(.type = BP_COUNTER, .name = "cpu_seconds_total", .help = "C.", .scale = 0.001)), NULL),
        1250);
    bp_metric_set(
        bp_series(define(DEF(.type = BP_GAUGE, .name = "stock_items", .help = "G.", .labels = {"l"}, .unit = "items")),
                  &label),
        -4);
    bp_metric_observe(bp_series(define(DEF(.type = BP_HISTOGRAM, .name = "h_seconds", .help = "H.", .buckets = buckets,
                                           .bucket_count = 3, .exemplars = 1)),
                                NULL),
                      0.5);
    expect_as(BP_METRIC_OPENMETRICS, "# HELP jobs Jobs \\\"done\\\".\n# TYPE jobs counter\njobs_total 3\n"
                                     "# HELP seen S.\n# TYPE seen counter\nseen_total 4\n"
                                     "# HELP cpu_seconds C.\n# TYPE cpu_seconds counter\n# UNIT cpu_seconds seconds\n"
                                     "cpu_seconds_total 1.25\n"
                                     "# HELP stock_items G.\n# TYPE stock_items gauge\n# UNIT stock_items items\n"
                                     "stock_items{l=\"q\\\"b\\\\n\\nz\"} -4\n"
                                     "# HELP h_seconds H.\n# TYPE h_seconds histogram\n# UNIT h_seconds seconds\n"
                                     "h_seconds_bucket{le=\"0.25\"} 0\n"
                                     "h_seconds_bucket{le=\"1.0\"} 1\n"
                                     "h_seconds_bucket{le=\"1000000.0\"} 1\n"
                                     "h_seconds_bucket{le=\"+Inf\"} 1\n"
                                     "h_seconds_sum 0.5\nh_seconds_count 1\n# EOF\n");
}

Test(metric, a_bucket_keeps_one_example_a_second_of_what_is_sampled)
{
    static const double buckets[] = {1};
    struct bp_metric *metric = define(
        DEF(.type = BP_HISTOGRAM, .name = "h", .help = "H.", .buckets = buckets, .bucket_count = 1, .exemplars = 1));
    struct bp_metric *without =
        define(DEF(.type = BP_HISTOGRAM, .name = "w", .help = "W.", .buckets = buckets, .bucket_count = 1));
    struct bp_trace_context sampled = {.trace_id = {0x12, 0x34}, .span_id = {0xab}, .flags = BP_TRACE_SAMPLED};
    struct bp_trace_context ignored = sampled, later = sampled;
    ignored.flags = 0;
    later.trace_id[15] = 7;

    bp_metric_observe_traced(bp_series(metric, NULL), 0.5, NULL, 1000);
    bp_metric_observe_traced(bp_series(metric, NULL), 0.5, &ignored, 1000);
    bp_metric_observe_traced(bp_series(metric, NULL), 0.75, &sampled, 5678901);
    bp_metric_observe_traced(bp_series(metric, NULL), 0.5, &later, 5679900); /* within the second */
    bp_metric_observe_traced(bp_series(metric, NULL), 2, &sampled, 5678000);
    bp_metric_observe_traced(bp_series(metric, NULL), 3, &later, 5679000);
    bp_metric_observe_traced(bp_series(metric, NULL), NAN, &later, 9679000);
    bp_metric_observe_traced(bp_series(without, NULL), 2, &sampled, 5678000);
    expect_as(BP_METRIC_OPENMETRICS,
              "# HELP h H.\n# TYPE h histogram\n"
              "h_bucket{le=\"1.0\"} 4 # "
              "{trace_id=\"12340000000000000000000000000000\",span_id=\"ab00000000000000\"} 0.75 5678.901\n"
              "h_bucket{le=\"+Inf\"} 6 # "
              "{trace_id=\"12340000000000000000000000000007\",span_id=\"ab00000000000000\"} 3 5679.000\n"
              "h_sum 7.25\nh_count 6\n"
              "# HELP w W.\n# TYPE w histogram\nw_bucket{le=\"1.0\"} 0\nw_bucket{le=\"+Inf\"} 1\nw_sum 2\nw_count 1\n"
              "# EOF\n");
    expect("# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 4\nh_bucket{le=\"+Inf\"} 6\nh_sum 7.25\nh_count 6\n"
           "# HELP w W.\n# TYPE w histogram\nw_bucket{le=\"1\"} 0\nw_bucket{le=\"+Inf\"} 1\nw_sum 2\nw_count 1\n");

    /* What two processes wrote at once is not shown. */
    struct metric_exemplar *place = metric_region_exemplar(metric->region, 0, 0);
    struct exemplar read;
    cr_assert(exemplar_load(place, &read));
    atomic_fetch_xor(&place->words[EXEMPLAR_SPAN], 1);
    cr_assert_not(exemplar_load(place, &read));
}

Test(metric, a_label_that_is_no_text_becomes_one)
{
    static const struct {
        const char *value, *shown;
    } cases[] = {{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
                 {"\xff\xfe", "??"},
                 {"a\rb\tc\x01\x7f", "a?b?c??"},
                 {"\xc0\xaf", "??"},
                 {"\xed\xa0\x80", "???"},
                 {"\xf4\x90\x80\x80", "????"},
                 {"\xe2\x82", "??"},
                 {"x\xc3", "x?"}};
    struct bp_metric *metric = define(DEF(.type = BP_COUNTER, .name = "c", .help = "C.", .labels = {"a"}));
    struct buffer expected = {0};
    buffer_add(&expected, BP_STR("# HELP c C.\n# TYPE c counter\n"));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const bp_str value = bp_str_of(cases[i].value), shown = bp_str_of(cases[i].shown);
        struct bp_series *series = bp_series(metric, &value);
        cr_expect_eq(series, bp_series(metric, &value), "case %zu", i);
        cr_expect_eq(series, bp_series(metric, &shown), "case %zu", i);
        if (strcmp(cases[i].shown, "??") != 0 || i == 1)
            buffer_printf(&expected, "c{a=\"%s\"} 0\n", cases[i].shown);
    }
    buffer_add_char(&expected, '\0');
    expect(expected.ptr);
    buffer_deinit(&expected);
    const bp_str nul = bp_str_n("a\0b", 3), mark = BP_STR("a?b");
    cr_assert_eq(bp_series(metric, &nul), bp_series(metric, &mark));
}

Test(metric, scale_turns_units_into_the_metric_s_own)
{
    struct bp_metric *metric =
        define(DEF(.type = BP_COUNTER, .name = "cpu_seconds_total", .help = "C.", .scale = 0.000001));
    bp_metric_add(bp_series(metric, NULL), 1250000);
    expect("# HELP cpu_seconds_total C.\n# TYPE cpu_seconds_total counter\ncpu_seconds_total 1.25\n");
}

Test(metric, workers_are_summed_and_the_dead_one_s_gauges_are_zero)
{
    struct bp_metric *counter = define(DEF(.type = BP_COUNTER, .name = "c", .help = "C."));
    struct bp_metric *gauge = define(DEF(.type = BP_GAUGE, .name = "g", .help = "G.", .labels = {"l"}));
    struct bp_metric *most = define(DEF(.type = BP_GAUGE, .name = "m", .help = "M.", .aggregate = BP_METRIC_MAX));
    const bp_str label = BP_STR("v");

    static const unsigned slots[] = {0, 63, 64, BP_WORKER_SLOTS - 1};
    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        unsigned slot = slots[i];
        shared_set_slot(shared, slot);
        cr_assert_eq(bp_worker_slot(), slot);
        bp_metric_add(bp_series(counter, NULL), 10);
        bp_metric_add(bp_series(gauge, &label), 5);
        bp_metric_add(bp_series(gauge, &label), -2);
        bp_metric_set(bp_series(most, NULL), 100 + slot);
    }
    expect("# HELP c C.\n# TYPE c counter\nc 40\n# HELP g G.\n# TYPE g gauge\ng{l=\"v\"} 12\n# HELP m M.\n# TYPE m "
           "gauge\nm 227\n");
    metrics_reap(shared, BP_WORKER_SLOTS - 1);
    metrics_reap(shared, 5); /* never wrote */
    expect("# HELP c C.\n# TYPE c counter\nc 40\n# HELP g G.\n# TYPE g gauge\ng{l=\"v\"} 9\n# HELP m M.\n# TYPE m "
           "gauge\nm 164\n");
}

Test(metric, what_is_too_much_goes_to_the_overflow_series)
{
    struct bp_metric *metric =
        define(DEF(.type = BP_COUNTER, .name = "c", .help = "C.", .labels = {"a", "b"}, .max_series = 2));
    struct bp_series *series[4];
    for (int i = 0; i < 4; i++) {
        char text[8];
        bp_str value = bp_str_n(text, (size_t)snprintf(text, sizeof(text), "%d", i));
        series[i] = bp_series(metric, (const bp_str[]){value, BP_STR("z")});
        bp_metric_add(series[i], 1);
    }
    cr_assert_neq(series[0], series[1]);
    cr_assert_eq(series[2], series[3]);
    cr_assert_eq(bp_series(metric, (const bp_str[]){BP_STR("1"), BP_STR("z")}), series[1]);
    expect("# HELP c C.\n# TYPE c counter\nc{a=\"_overflow\",b=\"_overflow\"} 2\nc{a=\"0\",b=\"z\"} "
           "1\nc{a=\"1\",b=\"z\"} 1\n");
}

Test(metric, long_values_are_cut_between_characters)
{
    struct bp_metric *metric = define(DEF(.type = BP_COUNTER, .name = "c", .help = "C.", .labels = {"a"}));
    char text[METRIC_LABEL_MAX + 10];
    memset(text, 'x', sizeof(text));
    memcpy(text + METRIC_LABEL_MAX - 1, "\xc3\xa9", 2); /* half of it would not fit */
    const bp_str value = bp_str_n(text, sizeof(text)), kept = bp_str_n(text, METRIC_LABEL_MAX - 1);
    cr_assert_eq(bp_series(metric, &value), bp_series(metric, &kept));
}

Test(metric, two_that_define_the_same_share_it)
{
    static const double a[] = {1, 2}, b[] = {1, 3};
    const char *error = NULL;
    struct bp_metric *first =
        define(DEF(.type = BP_HISTOGRAM, .name = "h", .help = "H.", .buckets = a, .bucket_count = 2));
    cr_assert_eq(
        define(DEF(.type = BP_HISTOGRAM, .name = "h", .help = "Other words.", .buckets = a, .bucket_count = 2)), first);
    cr_assert_null(metric_new(
        shared, DEF(.type = BP_HISTOGRAM, .name = "h", .help = "H.", .buckets = b, .bucket_count = 2), &error));
    cr_assert_str_eq(error, "another plugin defines the same name differently");
    cr_assert_null(metric_new(shared, DEF(.type = BP_GAUGE, .name = "h", .help = "H."), &error));
}

Test(metric, a_malformed_definition_is_refused)
{
    static const double falling[] = {2, 1};
    const struct {
        const struct bp_metric_def *def;
        const char *error;
    } cases[] = {
        {DEF(.type = BP_COUNTER, .help = ""), "its name is not one of Prometheus"},
        {DEF(.type = BP_COUNTER, .name = "9a", .help = ""), "its name is not one of Prometheus"},
        {DEF(.type = BP_COUNTER, .name = "a-b", .help = ""), "its name is not one of Prometheus"},
        {DEF(.type = BP_COUNTER, .name = "a"), "it has no help text"},
        {DEF(.type = 7, .name = "a", .help = ""), "it has no known type"},
        {DEF(.type = BP_COUNTER, .name = "a", .help = "", .aggregate = BP_METRIC_MAX),
         "only a gauge can be the largest of what workers say"},
        {DEF(.type = BP_COUNTER, .name = "a", .help = "", .max_series = 1000000), "it wants too many series"},
        {DEF(.type = BP_COUNTER, .name = "a_total", .help = "", .unit = "items"), "its name does not end in its unit"},
        {DEF(.type = BP_GAUGE, .name = "aitems", .help = "", .unit = "items"), "its name does not end in its unit"},
        {DEF(.type = BP_GAUGE, .name = "items", .help = "", .unit = "items"), "its name does not end in its unit"},
        {DEF(.type = BP_GAUGE, .name = "a_", .help = "", .unit = ""), "its name does not end in its unit"},
        {DEF(.type = BP_COUNTER, .name = "a", .help = "", .exemplars = 1), "exemplars are kept of histograms only"},
        {DEF(.type = BP_COUNTER, .name = "a", .help = "", .labels = {"b:c"}),
         "one of its labels has no name of Prometheus"},
        {DEF(.type = BP_COUNTER, .name = "a", .help = "", .labels = {"le"}),
         "one of its labels has no name of Prometheus"},
        {DEF(.type = BP_HISTOGRAM, .name = "a", .help = ""), "buckets belong to a histogram, from 1 to 64"},
        {DEF(.type = BP_COUNTER, .name = "a", .help = "", .buckets = falling, .bucket_count = 2),
         "buckets belong to a histogram, from 1 to 64"},
        {DEF(.type = BP_HISTOGRAM, .name = "a", .help = "", .buckets = falling, .bucket_count = 2),
         "its buckets do not ascend"},
        {&(const struct bp_metric_def){.size = 8}, "its size field is too small"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *error = NULL;
        cr_assert_null(metric_new(shared, cases[i].def, &error), "case %zu", i);
        cr_assert_str_eq(error, cases[i].error, "case %zu", i);
    }
    cr_assert_null(metrics_first(shared));
}

Test(metric, without_memory_nothing_is_counted_and_nothing_breaks)
{
    struct shared *small;
    const char *error = NULL;
    cr_assert_eq(shared_private(16384, &small), 0);
    struct bp_metric *metric = metric_new(
        small, DEF(.type = BP_COUNTER, .name = "c", .help = "C.", .labels = {"a"}, .max_series = 1000), &error);
    cr_assert_not_null(metric);
    const bp_str label = BP_STR("v");
    bp_metric_add(bp_series(metric, &label), 1);
    struct buffer out = {0};
    metrics_write(small, BP_METRIC_TEXT, &out);
    cr_assert_eq(out.len, 0);
    buffer_deinit(&out);
    shared_free(small);
}

Test(metric, the_public_reading_shows_the_current_memory)
{
    struct bp_arena *arena = arena_new();
    bp_metric_add(bp_series(define(DEF(.type = BP_COUNTER, .name = "c", .help = "C.")), NULL), 1);
    bp_str text = bp_metrics_render(arena, BP_METRIC_TEXT);
    cr_assert(bp_str_is(text, "# HELP c C.\n# TYPE c counter\nc 1\n"));
    arena_free(arena);
}

/* 100 series of 17 samples and 300 of one, of four workers. */
static void fill(void)
{
    static const double buckets[] = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};
    struct bp_metric *histogram = define(DEF(.type = BP_HISTOGRAM, .name = "h_seconds", .help = "H.", .labels = {"l"},
                                             .buckets = buckets, .bucket_count = 14, .exemplars = 1));
    struct bp_metric *counter =
        define(DEF(.type = BP_COUNTER, .name = "c_total", .help = "C.", .labels = {"l"}, .max_series = 300));
    for (unsigned slot = 0; slot < 4; slot++) {
        shared_set_slot(shared, slot);
        for (int i = 0; i < 300; i++) {
            char text[32];
            const bp_str label = bp_str_n(text, (size_t)snprintf(text, sizeof(text), "/api/v1/todos/%d", i));
            bp_metric_add(bp_series(counter, &label), i + 1);
            if (i < 100)
                bp_metric_observe(bp_series(histogram, &label), 0.0013 * i);
        }
    }
}

Test(metric, every_sample_is_written_in_both_formats)
{
    fill();
    for (int format = BP_METRIC_TEXT; format <= BP_METRIC_OPENMETRICS; format++) {
        struct buffer out = {0};
        size_t samples = 0;
        metrics_write(shared, (enum bp_metric_format)format, &out);
        for (size_t at = 0; at < out.len; at++)
            samples += (at == 0 || out.ptr[at - 1] == '\n') && out.ptr[at] != '#';
        buffer_deinit(&out);
        cr_assert_eq(samples, 2000);
    }
}
