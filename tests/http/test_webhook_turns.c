/* SPDX-License-Identifier: MIT */
/* Deliveries that wait for each other, for others, or for who asks for them anew. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/database.h"
#include "tests/support/service.h"
#include "webhook_site.h"

TestSuite(webhook_turns, .timeout = 120);

#define POSTPONED "SELECT count(*) FROM webhook_deliveries WHERE attempts = 0 AND next_attempt_at > created_at"

static void start_patient(void)
{
    site_start(NULL, (const char *[]){"plugins.webhooks.timeout=60s", "plugins.webhooks.at_a_time_of_user=2", NULL});
}

/* Who has many endpoints does not take all places with them. */
Test(webhook_turns, of_one_user, .init = start_patient, .fini = site_stop)
{
    static const char *const paths[] = {"/held/1", "/held/2", "/held/3"};
    char ids[LENGTH(paths)][40], quick[40];
    unsigned begun = 0;
    for (size_t i = 0; i < LENGTH(paths); i++) {
        add_webhook(ada, paths[i], NULL, ids[i]);
        send_test(ada, ids[i]);
    }
    add_webhook(bob, "/ok/quick", NULL, quick);
    wait_count(POSTPONED, 1);
    send_test(bob, quick);
    json_decref(wait_delivery(bob, quick, "delivered", 1));
    for (size_t i = 0; i < LENGTH(paths); i++)
        begun += receiver_count(paths[i]);
    cr_expect_eq(begun, 2);
    receiver_heal();
    for (size_t i = 0; i < LENGTH(paths); i++)
        json_decref(wait_delivery(ada, ids[i], "delivered", 1));
    wait_count("SELECT sum(failures) FROM webhooks", 0);
}

/* The wait is doubled each time: what waits long is not looked at each second. */
Test(webhook_turns, waits_grow, .init = start_patient, .fini = site_stop)
{
    char first[40], second[40], third[40];
    add_webhook(ada, "/held/1", NULL, first);
    add_webhook(ada, "/held/2", NULL, second);
    add_webhook(ada, "/ok/3", NULL, third);
    send_test(ada, first);
    send_test(ada, second);
    receiver_wait("/held/1", 1, NULL);
    receiver_wait("/held/2", 1, NULL);
    send_test(ada, third);
    for (long long begun = 0;
         database_integer(&server, "SELECT count(*) FROM jobs WHERE payload LIKE '%\"turns\":5%'") == 0;) {
        database_execute(&server, "UPDATE jobs SET run_at = enqueued_at WHERE state = 'scheduled' AND payload NOT LIKE "
                                  "'%\"turns\":5%'");
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "it does not wait again and again");
    }
    json_t *root = wait_delivery(ada, third, "pending", 0);
    cr_expect_geq(span_of(root, "data.createdAt", "data.nextAttemptAt"), 16000);
    json_decref(root);
    cr_expect_eq(receiver_count("/ok/3"), 0);
    receiver_heal();
    json_decref(wait_delivery(ada, second, "delivered", 1));
    hurry();
    json_decref(wait_delivery(ada, third, "delivered", 1));
}

/* Asked for again while an attempt is on its way: that one's end is not the end of what was asked for, nor does it delay it. */
Test(webhook_turns, asked_anew, .init = start_patient, .fini = site_stop)
{
    static const struct {
        const char *path, *state;
    } cases[] = {{"/held/fine", "delivered"}, {"/held/later", "pending"}};
    char ids[LENGTH(cases)][40], more[120];
    for (size_t i = 0; i < LENGTH(cases); i++) {
        add_webhook(ada, cases[i].path, NULL, ids[i]);
        send_test(ada, ids[i]);
        receiver_wait(cases[i].path, 1, NULL);
        json_t *root = wait_delivery(ada, ids[i], "pending", 0);
        snprintf(more, sizeof(more), "/deliveries/%s/redeliver", http_json_text(root, "data.id"));
        json_decref(root);
        json_decref(call(ada, "POST", webhook_path(ids[i], more), NULL, 202));
    }
    receiver_heal();
    for (size_t i = 0; i < LENGTH(cases); i++) {
        receiver_wait(cases[i].path, 2, NULL);
        json_decref(wait_delivery(ada, ids[i], cases[i].state, 2));
    }
    wait_count("SELECT count(*) FROM jobs WHERE kind = 'webhooks.deliver' AND state IN ('waiting', 'running')", 0);
    for (size_t i = 0; i < LENGTH(cases); i++)
        cr_expect_eq(receiver_count(cases[i].path), 2, "%s", cases[i].path);
}

static void start_narrow(void)
{
    site_start(NULL, (const char *[]){"plugins.webhooks.timeout=60s", "plugins.http_client.connections=1", NULL});
}

/* Where the server itself has no place for a request, nobody has failed. */
Test(webhook_turns, of_the_client, .init = start_narrow, .fini = site_stop)
{
    char held[40], quick[40];
    add_webhook(ada, "/held", NULL, held);
    add_webhook(bob, "/ok/quick", NULL, quick);
    send_test(ada, held);
    receiver_wait("/held", 1, NULL);
    send_test(bob, quick);
    wait_count(POSTPONED, 1);
    receiver_heal();
    json_decref(wait_delivery(ada, held, "delivered", 1));
    json_decref(wait_delivery(bob, quick, "delivered", 1));
    wait_count("SELECT sum(failures) FROM webhooks", 0);
    char *output = server_output(&server);
    cr_expect_null(strstr(output, "\"event\":\"queue.job_failed\""), "%s", output);
    free(output);
}
