/* SPDX-License-Identifier: MIT */
/* A forgotten password and a verified address, by messages that a development server writes into its data folder. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

#define FORGOT "/api/v1/auth/password/forgot"
#define RESET "/api/v1/auth/password/reset"
#define VERIFY "/api/v1/auth/verify"
#define LOGIN "/api/v1/auth/login"

static struct test_server server;

static void start(void)
{
    server_start(&server, &(struct server_options){
                              .environment = (const char *[]){"BACKPLANE_WORKERS=2", "LOGIN_MAX_FAILURES=2", NULL},
                              .arguments = (const char *[]){"--set", "plugins.auth.verify_email=true", NULL}});
}

static void stop(void)
{
    server_stop(&server);
}

static void expect(const char *target, const char *body, unsigned status, const char *message)
{
    struct http_reply reply;
    http_call(server.port, "POST", target, NULL, body, &reply);
    json_t *root = http_json(&reply);
    cr_expect_eq(reply.status, status, "%s %s: %u %s", target, body, reply.status, reply.body);
    if (message)
        cr_expect_str_eq(http_json_text(root, "message"), message);
    json_decref(root);
    http_reply_free(&reply);
}

/* The token of the message with this subject; "" while there is none. */
static void look_for_token(const char *subject, char ret_token[64])
{
    char folder[128], path[512], message[8192], text[4096];
    ret_token[0] = '\0';
    (void)snprintf(folder, sizeof(folder), "%s/mail", server.folder);
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        FILE *in = fopen(path, "r");
        cr_assert(in);
        message[fread(message, 1, sizeof(message) - 1, in)] = '\0';
        (void)fclose(in);
        const char *body = strstr(message, "\r\n\r\n");
        size_t len = 0;
        if (!strstr(message, subject) || !body)
            continue;
        cr_assert_eq(sodium_base642bin((unsigned char *)text, sizeof(text) - 1, body, strlen(body), "\r\n", &len, NULL,
                                       sodium_base64_VARIANT_ORIGINAL),
                     0);
        text[len] = '\0';
        const char *token = strstr(text, "\n\n");
        cr_assert(token && sscanf(token, " %63s", ret_token) == 1, "%s", text);
    }
    if (directory)
        closedir(directory);
}

static void wait_for_token(const char *subject, char ret_token[64])
{
    ret_token[0] = '\0';
    for (long long begun = 0; ret_token[0] == '\0'; look_for_token(subject, ret_token))
        cr_assert(service_patience(&begun, 10000), "no message \"%s\"", subject);
}

#define ADA(password) "{\"email\":\"ada@example.com\",\"password\":\"" password "\"}"

Test(recover, forgotten, .init = start, .fini = stop)
{
    static const char accepted[] = "If there is an account of that address, a message is on its way";
    char token[64], other[64], body[256];
    char *session = http_login(server.port, "ada@example.com");
    expect(FORGOT, "{\"email\":\"Ada@Example.com\"}", 202, accepted);
    expect(FORGOT, "{\"email\":\"nobody@example.com\"}", 202, accepted);
    expect(FORGOT, "{\"email\":\"nobody\"}", 400, "Validation failed: Invalid email format");
    wait_for_token("Subject: Reset your password", token);
    wait_for_token("Subject: Verify your e-mail address", other);

    /* A weak password uses nothing up; a token of the other kind, or changed, is none. */
    (void)snprintf(body, sizeof(body), "{\"token\":\"%s\",\"password\":\"weak\"}", token);
    expect(RESET, body, 400, NULL);
    (void)snprintf(body, sizeof(body), "{\"token\":\"%s\",\"password\":\"N3w-Passw0rd\"}", other);
    expect(RESET, body, 400, "Invalid or expired token");
    expect(RESET, "{\"token\":\"x\",\"password\":\"N3w-Passw0rd\"}", 400, "Invalid or expired token");
    (void)snprintf(body, sizeof(body), "{\"token\":\"%sx\",\"password\":\"N3w-Passw0rd\"}", token);
    expect(RESET, body, 400, "Invalid or expired token");

    (void)snprintf(body, sizeof(body), "{\"token\":\"%s\",\"password\":\"N3w-Passw0rd\"}", token);
    expect(RESET, body, 200, "Password reset successfully");
    expect(RESET, body, 400, "Invalid or expired token");
    expect(LOGIN, ADA("Passw0rd!"), 401, "Invalid email or password");
    expect(LOGIN, ADA("N3w-Passw0rd"), 200, "Login successful");
    /* Every session has ended, within the second that a worker believes. */
    unsigned status = 200;
    for (long long begun = 0; status == 200 && service_patience(&begun, 4000);) {
        struct http_reply reply;
        http_call(server.port, "GET", "/api/v1/todos", session, NULL, &reply);
        status = reply.status;
        http_reply_free(&reply);
    }
    cr_expect_eq(status, 401);
    free(session);
}

Test(recover, verified, .init = start, .fini = stop)
{
    char token[64], body[128];
    free(http_login(server.port, "ada@example.com"));
    wait_for_token("Subject: Verify your e-mail address", token);
    (void)snprintf(body, sizeof(body), "{\"token\":\"%s\"}", token);
    expect(VERIFY, "{\"token\":\"\"}", 400, NULL);
    expect(VERIFY, "{}", 400, "Validation failed: Token is required");
    expect(VERIFY, body, 200, "E-mail address verified successfully");
    expect(VERIFY, body, 400, "Invalid or expired token");
}
