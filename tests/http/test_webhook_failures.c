/* SPDX-License-Identifier: MIT */
/* Receivers that are slow, broken, full, gone or hostile. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_info.h"
#include "mailbox.h"
#include "tests/support/database.h"
#include "tests/support/service.h"
#include "webhook_site.h"

#define NOT_PUBLIC "the host has no address of the public internet"

TestSuite(webhook_failures, .timeout = 120);

/* ---- names ---- */

static char names[64];

static void say_names(const char *text)
{
    FILE *file = fopen(names, "w");
    cr_assert(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void start_with_names(void)
{
    static char file[100], preload[300], sanitizers[600];
    const char *given = getenv("ASAN_OPTIONS");
    snprintf(names, sizeof(names), "/tmp/backplane-names-XXXXXX");
    int fd = mkstemp(names);
    cr_assert_geq(fd, 0);
    say_names("private.test 10.0.0.1\nmetadata.test 169.254.169.254\nself.test 127.0.0.2\nallowed.test 127.0.0.3\n"
              "rebound.test 127.0.0.3\nnobody.invalid -\n");
    snprintf(file, sizeof(file), "FAKE_NAMES=%s", names);
    snprintf(preload, sizeof(preload), "LD_PRELOAD=" BACKPLANE_BUILD_ROOT "/tests/support/fake_names.so");
    snprintf(sanitizers, sizeof(sanitizers), "%s%sverify_asan_link_order=0", given ? given : "", given ? ":" : "");
    setenv("ASAN_OPTIONS", sanitizers, 1);
    site_start((const char *[]){file, preload, NULL}, NULL);
}

static void stop_with_names(void)
{
    site_stop();
    unlink(names);
}

/* ---- what fails ---- */

/* Each has failed once, with the reason that its owner sees, and its job waits as long as it should. */
Test(webhook_failures, hostile, .init = start_with_names, .fini = stop_with_names)
{
    static const struct {
        const char *target, *error;
        long long status;
    } cases[] = {
        {"/silent", "no complete response within 10", -1},
        {"/dribble", "no complete response within 10", -1},
        {"/reset", "Recv failure: Connection reset by peer", -1},
        {"/garbage", "Received HTTP/0.9 when not allowed", -1},
        {"/redirect", "HTTP status 302", 302},
        {"/status/500", "HTTP status 500", 500},
        {"/status/404", "HTTP status 404", 404},
        {"http://127.0.0.1:1/", "Failed to connect to 127.0.0.1 port 1", -1},
        {"http://nobody.invalid/", "Could not resolve host: nobody.invalid", -1},
        {"http://169.254.169.254/latest/meta-data/", NOT_PUBLIC, -1},
        {"http://10.0.0.1/", NOT_PUBLIC, -1},
        {"http://127.0.0.2:%d/ok/a", NOT_PUBLIC, -1},
        {"http://2130706434:%d/ok/b", NOT_PUBLIC, -1},
        {"http://0x7f.2:%d/ok/c", NOT_PUBLIC, -1},
        {"http://0.0.0.0:%d/ok/d", NOT_PUBLIC, -1},
        {"http://[::1]:%d/ok/e", NOT_PUBLIC, -1},
        {"http://[::ffff:127.0.0.2]:%d/ok/f", NOT_PUBLIC, -1},
        {"http://[fe80::1]:%d/", NOT_PUBLIC, -1},
        {"https://127.0.0.2:%d/", NOT_PUBLIC, -1},
    };
    char ids[LENGTH(cases)][40], url[200];
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const char *mark = strstr(cases[i].target, "%d");
        if (mark)
            snprintf(url, sizeof(url), "%.*s%d%s", (int)(mark - cases[i].target), cases[i].target, receiver_port,
                     mark + 2);
        else
            snprintf(url, sizeof(url), "%s", cases[i].target);
        add_webhook(ada, url, NULL, ids[i]);
        send_test(ada, ids[i]);
    }
    for (size_t i = 0; i < LENGTH(cases); i++) {
        json_t *root = wait_delivery(ada, ids[i], "pending", 1);
        const char *error = http_json_text(root, "data.error");
        cr_expect_eq(strncmp(error, cases[i].error, strlen(cases[i].error)), 0, "%s: %s", cases[i].target, error);
        cr_expect_eq(http_json_integer(root, "data.responseStatus"), cases[i].status, "%s", cases[i].target);
        long long wait = span_of(root, "data.lastAttemptAt", "data.nextAttemptAt");
        long long spent = http_json_integer(root, "data.durationMs");
        cr_expect(wait >= 5000 + spent && wait <= 10000 + spent, "%s: %lld ms behind %lld", cases[i].target, wait,
                  spent);
        cr_expect_lt(spent, 3000, "%s", cases[i].target);
        json_decref(root);
    }
    const char *const inside[] = {"/ok/a", "/ok/b", "/ok/c", "/ok/d", "/ok/e", "/ok/f"};
    for (size_t i = 0; i < LENGTH(inside); i++)
        cr_expect_eq(receiver_count(inside[i]), 0, "%s", inside[i]);
    /* Their jobs are done, and followed by others. */
    for (long long begun = 0;
         database_integer(&server, "SELECT count(*) FROM jobs JOIN webhook_deliveries ON run_at = "
                                   "next_attempt_at WHERE jobs.state = 'scheduled'") < (long long)LENGTH(cases);)
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "jobs do not wait for the next attempts");
}

/* What is too long is cut, whatever its head said. */
Test(webhook_failures, long_answers, .init = site_start_plain, .fini = site_stop)
{
    static const struct {
        const char *target;
        char letter;
    } cases[] = {{"/huge", 'h'}, {"/large", 'l'}};
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char id[40];
        add_webhook(ada, cases[i].target, NULL, id);
        send_test(ada, id);
        json_t *root = wait_delivery(ada, id, "delivered", 1);
        const char *body = http_json_text(root, "data.responseBody");
        cr_expect_eq(strlen(body), 4096, "%zu", strlen(body));
        cr_expect_eq(body[4095], cases[i].letter);
        json_decref(root);
    }
}

Test(webhook_failures, retry_after, .init = site_start_plain, .fini = site_stop)
{
    static const struct {
        const char *target;
        long long least, most; /* seconds */
    } cases[] = {{"/later/120", 120, 120},
                 {"/later/1", 5, 10},
                 {"/later/soon", 5, 10},
                 {"/later/Thu,_01_Jan_2015_00:00:00_GMT", 5, 10},
                 {"/later/Fri,_31_Dec_9999_23:59:59_GMT", 86400, 86400},
                 {"/later/99999999", 86400, 86400}};
    for (size_t i = 0; i < LENGTH(cases); i++) {
        char id[40];
        add_webhook(ada, cases[i].target, NULL, id);
        send_test(ada, id);
        json_t *root = wait_delivery(ada, id, "pending", 1);
        long long wait = span_of(root, "data.lastAttemptAt", "data.nextAttemptAt");
        cr_expect_str_eq(http_json_text(root, "data.error"), "HTTP status 429");
        wait -= http_json_integer(root, "data.durationMs");
        cr_expect(wait >= cases[i].least * 1000 && wait <= cases[i].most * 1000, "%s: %lld", cases[i].target, wait);
        json_decref(root);
    }
}

/* Tried again until there are no more attempts; and once more when its owner says so. */
Test(webhook_failures, attempts, .init = site_start_plain, .fini = site_stop)
{
    static struct receiver_request first, last;
    char id[40], more[120], delivery[40];
    add_webhook(ada, "/switch", NULL, id);
    send_test(ada, id);
    for (long long attempt = 1; attempt < 3; attempt++) {
        json_decref(wait_delivery(ada, id, "pending", attempt));
        hurry();
    }
    json_t *root = wait_delivery(ada, id, "failed", 3);
    cr_expect_str_eq(http_json_text(root, "data.responseBody"), "unwell");
    cr_expect(json_is_null(http_json_at(root, "data.nextAttemptAt")));
    snprintf(delivery, sizeof(delivery), "%s", http_json_text(root, "data.id"));
    json_decref(root);
    receiver_wait("/switch", 3, &first);
    wait_count("SELECT count(*) FROM jobs WHERE kind = 'webhooks.deliver' AND state = 'done'", 1);
    receiver_heal();
    snprintf(more, sizeof(more), "/deliveries/%s/redeliver", delivery);
    root = call(ada, "POST", webhook_path(id, more), NULL, 202);
    cr_expect_str_eq(http_json_text(root, "message"), "Delivery is on its way again");
    json_decref(root);
    json_decref(wait_delivery(ada, id, "delivered", 4));
    receiver_wait("/switch", 4, &last);
    snprintf(more, sizeof(more), "%s", receiver_field(&first, "webhook-id"));
    cr_expect_str_eq(receiver_field(&last, "webhook-id"), more);
    cr_expect_str_eq(first.body, last.body);
    wait_count("SELECT failures FROM webhooks", 0);
}

static void wait_mail(const char *why)
{
    static const char subject[] = "A webhook was switched off";
    static struct mailbox box;
    mailbox_read(&server, &box);
    for (long long begun = 0; mailbox_count(&box, subject) == 0; mailbox_read(&server, &box))
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "no message");
    cr_expect_eq(mailbox_count(&box, subject), 1);
    for (size_t i = 0; i < box.count; i++) {
        if (strcmp(box.mails[i].subject, subject) != 0)
            continue;
        cr_expect_str_eq(box.mails[i].to, "ada@example.com");
        cr_expect(strstr(box.mails[i].text, why), "%s", box.mails[i].text);
    }
}

static void wait_disabled(const char *id, const char *reason)
{
    for (long long begun = 0;;) {
        json_t *root = call(ada, "GET", webhook_path(id, ""), NULL, 200);
        bool done = json_is_false(http_json_at(root, "data.enabled"));
        if (done) {
            cr_expect_str_eq(http_json_text(root, "data.disabledReason"), reason);
            cr_expect_eq(strlen(http_json_text(root, "data.disabledAt")), 24);
            cr_expect_eq(http_json_integer(root, "data.version"), 2);
        }
        json_decref(root);
        if (done)
            break;
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "%s is enabled", id);
    }
    cr_expect(server_wait_output(&server, "\"event\":\"webhooks.disabled\""));
    wait_mail(strcmp(reason, "gone") == 0 ? "It has answered \"410 Gone\"" : "Too many deliveries to it have failed");
}

Test(webhook_failures, gone, .init = site_start_plain, .fini = site_stop)
{
    char id[40], other[40], todo[80];
    add_webhook(ada, "/gone", NULL, id);
    add_webhook(ada, "/ok/other", NULL, other);
    add_todo(ada, "{\"title\":\"x\"}", todo);
    json_t *root = wait_delivery(ada, id, "failed", 1);
    cr_expect_str_eq(http_json_text(root, "data.error"), "HTTP status 410");
    cr_expect_str_eq(http_json_text(root, "data.responseBody"), "for ever");
    json_decref(root);
    wait_disabled(id, "gone");
    add_todo(ada, "{\"title\":\"y\"}", todo);
    receiver_wait("/ok/other", 2, NULL);
    cr_expect_eq(receiver_count("/gone"), 1);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM webhook_deliveries"), 3);
    root = call(ada, "PATCH", webhook_path(id, ""), "{\"enabled\":true}", 200);
    cr_expect(json_is_null(http_json_at(root, "data.disabledReason")));
    cr_expect(json_is_null(http_json_at(root, "data.disabledAt")));
    json_decref(root);
}

/* What an attempt came to is noted with what it means for the endpoint, and the message to its owner, or not at all. */
Test(webhook_failures, at_once_or_not_at_all, .init = site_start_plain, .fini = site_stop)
{
    char id[40];
    add_webhook(ada, "/gone", NULL, id);
    database_execute(&server, "ALTER TABLE users RENAME COLUMN email TO hidden"); /* nobody can be told */
    send_test(ada, id);
    cr_assert(server_wait_output(&server, "\"event\":\"queue.job_failed\""));
    cr_expect_eq(receiver_count("/gone"), 1);
    wait_count("SELECT count(*) FROM webhooks WHERE enabled AND disabled_reason IS NULL", 1);
    wait_count("SELECT attempts FROM webhook_deliveries WHERE state = 'pending'", 0);
    database_execute(&server, "ALTER TABLE users RENAME COLUMN hidden TO email");
    hurry();
    json_decref(wait_delivery(ada, id, "failed", 1));
    wait_disabled(id, "gone");
    cr_expect_eq(receiver_count("/gone"), 2);
}

/* Who asks for time is not sent other messages meanwhile either, but for what its owner asks for. */
Test(webhook_failures, asked_to_wait, .init = site_start_plain, .fini = site_stop)
{
    char id[40], todo[80];
    add_webhook(ada, "/later/120", NULL, id);
    send_test(ada, id);
    json_decref(wait_delivery(ada, id, "pending", 1));
    add_todo(ada, "{\"title\":\"x\"}", todo);
    wait_count("SELECT count(*) FROM webhook_deliveries WHERE attempts = 0 AND next_attempt_at > "
               "(SELECT paused_until FROM webhooks)",
               1);
    cr_expect_eq(receiver_count("/later/120"), 1);
    wait_count("SELECT count(*) FROM webhooks WHERE paused_until = (SELECT max(next_attempt_at) FROM "
               "webhook_deliveries WHERE attempts = 1)",
               1);
    send_test(ada, id);
    receiver_wait("/later/120", 2, NULL);
}

Test(webhook_failures, failing, .init = site_start_plain, .fini = site_stop)
{
    char id[40], todo[80];
    add_webhook(ada, "/status/500", NULL, id);
    for (int i = 0; i < 4; i++)
        add_todo(ada, "{\"title\":\"x\"}", todo);
    /* After the third failure it is asked less often. */
    for (long long begun = 0; database_integer(&server, "SELECT failures FROM webhooks") < 3;)
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "it does not fail");
    wait_count("SELECT count(*) FROM webhooks WHERE paused_until > failing_since", 1);
    for (long long begun = 0; database_integer(&server, "SELECT failures FROM webhooks") < 4;) {
        hurry();
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "it is not tried again");
    }
    wait_disabled(id, "failing");
    struct http_reply reply;
    http_call(server.port, "GET", "/metrics", NULL, NULL, &reply);
    const char *line = strstr(reply.body, "\nbackplane_webhook_deliveries_total{outcome=\"retried\"} ");
    cr_expect(line && atoi(strchr(line, '}') + 2) >= 4, "%s", reply.body);
    http_reply_free(&reply);
}

/* Another process, which knows nothing of what names were. */
static void replace_jobs_worker(void)
{
    pid_t pid;
    cr_assert_eq(server_job_workers(&server, &pid, 1), 1);
    cr_assert_eq(kill(pid, SIGKILL), 0);
    for (long long begun = 0; kill(pid, 0) == 0;)
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "%d is left", (int)pid);
}

/* The same message again: nobody knows what became of the first one. */
Test(webhook_failures, a_worker_dies, .init = site_start_plain, .fini = site_stop)
{
    static struct receiver_request first, second;
    char id[40], name[64];
    add_webhook(ada, "/silent", NULL, id);
    send_test(ada, id);
    receiver_wait("/silent", 1, &first);
    replace_jobs_worker();
    receiver_wait("/silent", 2, &second);
    snprintf(name, sizeof(name), "%s", receiver_field(&first, "webhook-id"));
    cr_expect_str_eq(receiver_field(&second, "webhook-id"), name);
    cr_expect_str_eq(first.body, second.body);
    json_decref(wait_delivery(ada, id, "pending", 1)); /* the one that was cut off was not counted */
}

/* Who never answers holds up his own events and no others. */
Test(webhook_failures, one_slow_endpoint, .init = site_start_plain, .fini = site_stop)
{
    static const char todo[] = "{\"op\":\"create\",\"data\":{\"title\":\"x\"}}";
    char slow[40], quick[40], body[4096] = "{\"operations\":[", path[80];
    add_webhook(ada, "/silent", NULL, slow);
    add_webhook(bob, "/ok/quick", NULL, quick);
    for (int i = 0; i < 60; i++)
        snprintf(body + strlen(body), sizeof(body) - strlen(body), "%s%s", i > 0 ? "," : "", todo);
    snprintf(body + strlen(body), sizeof(body) - strlen(body), "]}");
    json_decref(call(ada, "POST", TODOS "/bulk", body, 200));
    receiver_wait("/silent", 1, NULL);
    add_todo(bob, "{\"title\":\"x\"}", path);
    receiver_wait("/ok/quick", 1, NULL);
    cr_expect_leq(receiver_count("/silent"), 10, "%u", receiver_count("/silent"));
    json_decref(wait_delivery(bob, quick, "delivered", 1));
}

/* What a name resolves to is looked at for each connection: one that was public once is not trusted for it. */
Test(webhook_failures, names, .init = start_with_names, .fini = stop_with_names)
{
    static const char *const inside[] = {"private.test", "metadata.test", "self.test"};
    char url[100], id[40];
    for (size_t i = 0; i < LENGTH(inside); i++) {
        snprintf(url, sizeof(url), "http://%s:%d/ok/inside", inside[i], receiver_port);
        add_webhook(ada, url, NULL, id);
        send_test(ada, id);
        json_t *root = wait_delivery(ada, id, "pending", 1);
        cr_expect_str_eq(http_json_text(root, "data.error"), NOT_PUBLIC);
        json_decref(root);
    }
    snprintf(url, sizeof(url), "http://allowed.test:%d/ok/allowed", receiver_port);
    add_webhook(ada, url, NULL, id);
    send_test(ada, id);
    receiver_wait("/ok/allowed", 1, NULL);
    snprintf(url, sizeof(url), "http://rebound.test:%d/ok/rebound", receiver_port);
    add_webhook(ada, url, NULL, id);
    send_test(ada, id);
    receiver_wait("/ok/rebound", 1, NULL);
    json_decref(wait_delivery(ada, id, "delivered", 1));
    say_names("rebound.test 127.0.0.2\n");
    replace_jobs_worker();
    send_test(ada, id);
    json_t *root = wait_delivery(ada, id, "pending", 1);
    cr_expect_str_eq(http_json_text(root, "data.error"), NOT_PUBLIC);
    json_decref(root);
    cr_expect_eq(receiver_count("/ok/rebound"), 1);
    cr_expect_eq(receiver_count("/ok/inside"), 0);
}
