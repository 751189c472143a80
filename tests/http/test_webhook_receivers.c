/* SPDX-License-Identifier: MIT */
/* The receivers that docs/webhooks.md shows: they take what the server sends, and nothing else. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "build_info.h"
#include "tests/support/service.h"
#include "webhook_site.h"

#define EXAMPLES BACKPLANE_SOURCE_ROOT "/docs/examples/webhooks/"

struct language {
    char name[8], program[200], file[200];
};

static struct language languages[] = {
    {"node", "node", EXAMPLES "receiver.mjs"},
    {"python", "python3", EXAMPLES "receiver.py"},
    {"c", BACKPLANE_BUILD_ROOT "/tests/http/webhook_receiver", ""},
};

static char log_path[] = "/tmp/backplane-receiver-XXXXXX";

static pid_t run_receiver(const struct language *language, int port, const char *secret)
{
    char number[16];
    int log = mkstemp(log_path);
    cr_assert_geq(log, 0);
    snprintf(number, sizeof(number), "%d", port);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when a test fails */
        setenv("WEBHOOK_SECRET", secret, 1);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        if (language->file[0] != '\0')
            execlp(language->program, language->program, language->file, number, (char *)NULL);
        else
            execlp(language->program, language->program, number, (char *)NULL);
        _exit(127);
    }
    close(log);
    for (long long begun = 0; !service_reachable(port);)
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "the receiver in %s does not start",
                  language->name);
    return pid;
}

/* How often it says that it has received a test event. */
static unsigned received(void)
{
    char text[4096] = "";
    unsigned found = 0;
    FILE *file = fopen(log_path, "r");
    cr_assert_not_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    for (const char *at = strstr(text, "received "); at; at = strstr(at + 1, "received "))
        found += strstr(at, "webhook.test") != NULL;
    return found;
}

/* A request that nobody has signed so is refused. */
static void forge(int port, const char *id, long long timestamp, const char *signatures, unsigned expected)
{
    struct http_reply reply;
    char headers[700];
    snprintf(headers, sizeof(headers), "webhook-id: %s\r\nwebhook-timestamp: %lld\r\nwebhook-signature: %s\r\n", id,
             timestamp, signatures);
    http_call(port, "POST", "/", headers, "{\"test\": 2432232314}", &reply);
    cr_expect_eq(reply.status, expected, "%s: %u", headers, reply.status);
    http_reply_free(&reply);
}

ParameterizedTestParameters(webhook_receivers, language)
{
    return cr_make_param_array(struct language, languages, sizeof(languages) / sizeof(*languages));
}

ParameterizedTest(struct language *language, webhook_receivers, language, .init = site_start_plain, .fini = site_stop)
{
    char url[100], id[40], secret[64];
    int port = service_free_port();
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/hooks", port);
    add_webhook(ada, url, NULL, id);
    json_t *root = call(ada, "GET", webhook_path(id, "/secret"), NULL, 200);
    snprintf(secret, sizeof(secret), "%s", http_json_text(root, "data.secret"));
    json_decref(root);
    pid_t pid = run_receiver(language, port, secret);

    json_decref(call(ada, "POST", webhook_path(id, "/test"), NULL, 202));
    root = wait_delivery(ada, id, "delivered", 1);
    cr_expect_eq(http_json_integer(root, "data.responseStatus"), strcmp(language->name, "python") == 0 ? 200 : 204);
    json_decref(root);
    cr_expect_eq(received(), 1);
    /* While both secrets sign, the old one still is enough. */
    json_decref(call(ada, "POST", webhook_path(id, "/rotate"), NULL, 200));
    json_decref(call(ada, "POST", webhook_path(id, "/test"), NULL, 202));
    json_decref(wait_delivery(ada, id, "delivered", 1));
    for (long long begun = 0; received() < 2;)
        cr_assert(service_patience(&begun, SERVICE_READY_MILLISECONDS), "it was received %u times", received());

    long long now = (long long)time(NULL);
    forge(port, "msg_1", now, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", 401);
    forge(port, "msg_1", now, "v1,", 401);
    forge(port, "msg_1", now, "", 401);
    forge(port, "msg_1", now, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", 401);
    cr_expect_eq(received(), 2);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);

    /* The vector of the standard is right, and seven years too old. */
    unlink(log_path);
    snprintf(log_path, sizeof(log_path), "/tmp/backplane-receiver-XXXXXX");
    port = service_free_port();
    pid = run_receiver(language, port, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    forge(port, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", 401);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    unlink(log_path);
}
