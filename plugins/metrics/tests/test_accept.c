/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "plugins/metrics/accept.h"

Test(accept, the_format_that_is_asked_for)
{
    static const struct {
        const char *accept;
        enum bp_metric_format format;
    } cases[] = {
        {"", BP_METRIC_TEXT},
        {"*/*", BP_METRIC_TEXT},
        {"application/*", BP_METRIC_TEXT},
        {"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", BP_METRIC_TEXT},
        {"application/json", BP_METRIC_TEXT},
        {"application/openmetrics-text", BP_METRIC_OPENMETRICS},
        {"Application/OpenMetrics-Text; Version=1.0.0; Charset=utf-8", BP_METRIC_OPENMETRICS},
        {"application/openmetrics-text;version=1.1.0", BP_METRIC_OPENMETRICS},
        {"application/openmetrics-text;version=0.0.1", BP_METRIC_TEXT},
        {"application/openmetrics-text;version=1", BP_METRIC_TEXT},
        {"application/openmetrics-text;version=10.0.0", BP_METRIC_TEXT},
        {"application/openmetrics-text;q=0", BP_METRIC_TEXT},
        {"application/openmetrics-text;q=0.000", BP_METRIC_TEXT},
        {"application/openmetrics-text;q=0.001", BP_METRIC_OPENMETRICS},
        {"application/openmetrics-text;q=2", BP_METRIC_TEXT},
        {"application/openmetrics-text;q=1.001", BP_METRIC_TEXT},
        {"application/openmetrics-text;q=x", BP_METRIC_TEXT},
        {"application/openmetrics-text;q=", BP_METRIC_TEXT},
        {"application/openmetrics-text;q=0.5,text/plain;q=0.6", BP_METRIC_TEXT},
        {"application/openmetrics-text;q=0.5,text/plain;q=0.5", BP_METRIC_OPENMETRICS},
        {"application/openmetrics-text;q=0.5,*/*", BP_METRIC_TEXT},
        {"application/openmetrics-text;q=0.5,*/*,text/plain;q=0.1", BP_METRIC_OPENMETRICS},
        {"text/*;q=0.2,application/openmetrics-text;q=0.3,*/*;q=0.9", BP_METRIC_OPENMETRICS},
        /* what Prometheus 2.42 and 2.5 send */
        {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
         "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         BP_METRIC_OPENMETRICS},
        {"application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", BP_METRIC_TEXT},
        {",,;;=,application/openmetrics-text;;q=1;=,", BP_METRIC_OPENMETRICS},
        {";q=1", BP_METRIC_TEXT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(metrics_accepted(bp_str_of(cases[i].accept)), cases[i].format, "%s", cases[i].accept);
}
