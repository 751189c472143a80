/* SPDX-License-Identifier: MIT */
/* What is measured of the outbox and of consumers. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "events_site.h"

TestSuite(event_metrics, .timeout = 120);

Test(event_metrics, show_events_and_consumers, .init = site_start, .fini = site_stop)
{
    static const char *const lines[] = {"\nbackplane_events_total{type=\"todo.created\"} 3\n",
                                        "\nbackplane_events_total{type=\"todo.deleted\"} 1\n",
                                        "\nbackplane_events_outbox_length 4\n",
                                        "\nbackplane_events_consumer_lag{consumer=\"first\"} 4\n",
                                        "\nbackplane_events_consumer_lag{consumer=\"second\"} 0\n",
                                        "\nbackplane_events_consumer_lag_seconds{consumer=\"second\"} 0\n"};
    char id[40], target[100];
    site_touch("fail");
    for (int i = 0; i < 3; i++)
        site_add(ada, TODOS, "{\"title\":\"x\"}", id);
    snprintf(target, sizeof(target), TODOS "/%s", id);
    site_do(ada, "DELETE", target, NULL, 200);
    for (size_t i = 0; i < LENGTH(lines); i++)
        site_await_metric(lines[i]);
    cr_expect(!site_shows("\nbackplane_events_consumer_lag_seconds{consumer=\"first\"} 0\n"));
    site_remove("fail");
    site_await_metric("\nbackplane_events_consumer_lag_seconds{consumer=\"first\"} 0\n");
}

/* Of a plugin that was taken out: nobody would ever go on for it. */
Test(event_metrics, who_is_not_loaded_is_not_measured, .init = site_start, .fini = site_stop)
{
    char id[40];
    site_await_metric("\nbackplane_events_consumer_lag{consumer=\"first\"} 0\n");
    database_execute(&site, "INSERT INTO event_consumers (name, position) VALUES ('gone', 0)");
    site_add(ada, TODOS, "{\"title\":\"x\"}", id);
    site_await_metric("\nbackplane_events_outbox_length 1\n"); /* measured since */
    site_await("first", 1);
    cr_expect(site_shows("backplane_events_consumer_lag{consumer=\"second\"}"));
    cr_expect_not(site_shows("consumer=\"gone\""));
}
