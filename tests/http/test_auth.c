/* SPDX-License-Identifier: MIT */
/* Accounts: signing up and logging in. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/http.h"
#include "tests/support/server.h"

#define SIGN_UP "/api/v1/auth/sign-up"
#define LOGIN "/api/v1/auth/login"
#define ADA "{\"email\":\"ada@example.com\",\"password\":\"Passw0rd!\"}"

static struct test_server server;

static void start(void)
{
    server_start(&server, &(struct server_options){.environment = (const char *[]){"BACKPLANE_WORKERS=2", NULL}});
}

static void stop(void)
{
    server_stop(&server);
}

static bool is_uuid(const char *text)
{
    return strlen(text) == 36 && strspn(text, "0123456789abcdef-") == 36 && text[8] == '-' && text[13] == '-' &&
           text[18] == '-' && text[23] == '-';
}

static bool is_date(const char *text)
{
    int end = 0;
    unsigned n;
    return sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u.%3uZ%n", &n, &n, &n, &n, &n, &n, &n, &end) == 7 && end == 24 &&
           text[24] == '\0';
}

/* What every error looks like. */
static void expect_error(const struct http_reply *reply, unsigned status, const char *message)
{
    json_t *root = http_json(reply);
    cr_expect_eq(reply->status, status, "%u: %s", reply->status, reply->body);
    cr_expect_str_eq(http_json_text(root, "message"), message);
    cr_expect_str_eq(http_json_text(root, "status"), status < 500 ? "fail" : "error");
    cr_expect(json_is_false(http_json_at(root, "success")));
    cr_expect_str_eq(http_json_text(root, "requestId"), http_header(reply, "X-Request-ID"));
    json_decref(root);
}

static void expect_call(const char *target, const char *body, unsigned status, const char *message)
{
    struct http_reply reply;
    http_call(server.port, "POST", target, NULL, body, &reply);
    expect_error(&reply, status, message);
    http_reply_free(&reply);
}

static unsigned status_of(const char *target, const char *body)
{
    struct http_reply reply;
    http_call(server.port, "POST", target, NULL, body, &reply);
    unsigned status = reply.status;
    http_reply_free(&reply);
    return status;
}

Test(auth, sign_up_and_login, .init = start, .fini = stop)
{
    struct http_reply reply;
    char id[64];
    http_call(server.port, "POST", SIGN_UP, NULL,
              "{\"email\":\"Ada.Lovelace@Example.COM\",\"password\":\"Passw0rd!\",\"role\":\"admin\"}", &reply);
    json_t *root = http_json(&reply);
    cr_assert_eq(reply.status, 201, "%s", reply.body);
    cr_expect(json_is_true(http_json_at(root, "success")));
    cr_expect_str_eq(http_json_text(root, "message"), "User registered successfully");
    cr_expect_str_eq(http_json_text(root, "data.email"), "ada.lovelace@example.com");
    cr_expect(is_uuid(http_json_text(root, "data.id")));
    cr_expect(is_date(http_json_text(root, "data.createdAt")));
    cr_expect_str_eq(http_header(&reply, "Cache-Control"), "no-store");
    cr_expect(!strstr(reply.body, "assw"), "no password, no hash: %s", reply.body);
    snprintf(id, sizeof(id), "%s", http_json_text(root, "data.id"));
    json_decref(root);
    http_reply_free(&reply);

    expect_call(SIGN_UP, "{\"email\":\"ADA.lovelace@example.com\",\"password\":\"0therPass!\"}", 409,
                "Email is already registered");

    http_call(server.port, "POST", LOGIN, NULL, "{\"email\":\"ADA.LOVELACE@example.com\",\"password\":\"Passw0rd!\"}",
              &reply);
    root = http_json(&reply);
    cr_assert_eq(reply.status, 200, "%s", reply.body);
    cr_expect(json_is_true(http_json_at(root, "success")));
    cr_expect_str_eq(http_json_text(root, "message"), "Login successful");
    cr_expect_str_eq(http_json_text(root, "user.id"), id);
    cr_expect_str_eq(http_json_text(root, "user.email"), "ada.lovelace@example.com");
    cr_expect_eq(json_object_size(http_json_at(root, "user")), 2);
    cr_expect(strlen(http_json_text(root, "token")) > 100);
    cr_expect_str_eq(http_header(&reply, "Cache-Control"), "no-store");
    json_decref(root);
    http_reply_free(&reply);

    /* Unknown and wrong are answered alike. */
    expect_call(LOGIN, "{\"email\":\"ada.lovelace@example.com\",\"password\":\"passw0rd!\"}", 401,
                "Invalid email or password");
    expect_call(LOGIN, "{\"email\":\"ada.lovelace@example.com\",\"password\":\"\"}", 401, "Invalid email or password");
    expect_call(LOGIN, "{\"email\":\"nobody@example.com\",\"password\":\"Passw0rd!\"}", 401,
                "Invalid email or password");
}

#define KINDS                                                                                                    \
    "Password must contain at least one uppercase letter, Password must contain at least one lowercase letter, " \
    "Password must contain at least one number, Password must contain at least one special character"

static const struct {
    const char *target, *body, *messages;
} refused[] = {
    {SIGN_UP, "{}", "Email is required, Password is required"},
    {SIGN_UP, "{\"email\":null,\"password\":null}", "Email is required, Password is required"},
    {SIGN_UP, "{\"email\":1,\"password\":[]}", "Email is required, Password is required"},
    {SIGN_UP, "{\"email\":\"\",\"password\":\"Passw0rd!\"}", "Invalid email format"},
    {SIGN_UP, "{\"email\":\"a@localhost\",\"password\":\"Passw0rd!\"}", "Invalid email format"},
    {SIGN_UP, "{\"email\":\"a@b.c\",\"password\":\"Passw0rd!\"}", "Invalid email format"},
    {SIGN_UP, "{\"email\":\" a@b.co\",\"password\":\"Passw0rd!\"}", "Invalid email format"},
    {SIGN_UP, "{\"email\":\"a@b.co\",\"password\":\"Pa0!\"}", "Password must be at least 8 characters long"},
    {SIGN_UP, "{\"email\":\"a@b.co\",\"password\":\"passw0rd!\"}",
     "Password must contain at least one uppercase letter"},
    {SIGN_UP, "{\"email\":\"a@b.co\",\"password\":\"PASSW0RD!\"}",
     "Password must contain at least one lowercase letter"},
    {SIGN_UP, "{\"email\":\"a@b.co\",\"password\":\"Password!\"}", "Password must contain at least one number"},
    {SIGN_UP, "{\"email\":\"a@b.co\",\"password\":\"Passw0rds\"}",
     "Password must contain at least one special character"},
    {SIGN_UP, "{\"email\":\"x\",\"password\":\"\"}",
     "Invalid email format, Password must be at least 8 characters long, " KINDS},
    {LOGIN, "{}", "Email is required, Password is required"},
    {LOGIN, "{\"email\":\"x\",\"password\":7}", "Invalid email format, Password is required"},
};

Test(auth, validation, .init = start, .fini = stop)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        char message[600];
        snprintf(message, sizeof(message), "Validation failed: %s", refused[i].messages);
        expect_call(refused[i].target, refused[i].body, 400, message);
    }
    struct http_reply reply;
    http_call(server.port, "POST", SIGN_UP, NULL, "{\"password\":\"Passw0rd!\"}", &reply);
    json_t *root = http_json(&reply);
    cr_expect_eq(json_array_size(http_json_at(root, "errors")), 1);
    cr_expect_str_eq(http_json_text(root, "errors.0.field"), "email");
    cr_expect_str_eq(http_json_text(root, "errors.0.pointer"), "/email");
    cr_expect_str_eq(http_json_text(root, "errors.0.message"), "Email is required");
    json_decref(root);
    http_reply_free(&reply);

    http_call(server.port, "POST", LOGIN, NULL, "{\"email\": \n oops}", &reply);
    root = http_json(&reply);
    cr_expect_eq(reply.status, 400);
    cr_expect(strstr(http_json_text(root, "message"), "line 2, column"), "%s", reply.body);
    json_decref(root);
    http_reply_free(&reply);

    http_call(server.port, "POST", LOGIN, "Content-Type: application/x-www-form-urlencoded\r\n",
              "email=a%40b.co&password=x", &reply);
    cr_expect_eq(reply.status, 415);
    http_reply_free(&reply);
}

/* 128 code points of four bytes each are a password, one more is not; and the last one counts. */
Test(auth, long_password, .init = start, .fini = stop)
{
    char password[600] = "aB3", body[800];
    for (int i = 3; i < 128; i++)
        strcat(password, "\xf0\x9f\x98\x80");
    snprintf(body, sizeof(body), "{\"email\":\"a@b.co\",\"password\":\"%s\"}", password);
    cr_expect_eq(status_of(SIGN_UP, body), 201);
    cr_expect_eq(status_of(LOGIN, body), 200);
    size_t len = strlen(body);
    memcpy(body + len - 2 - 4, "\xf0\x9f\x98\x81", 4);
    cr_expect_eq(status_of(LOGIN, body), 401);
    snprintf(body, sizeof(body), "{\"email\":\"b@b.co\",\"password\":\"%sx\"}", password);
    expect_call(SIGN_UP, body, 400, "Validation failed: Password must be less than 128 characters");
}

struct caller {
    pthread_t thread;
    const char *target, *body;
    unsigned status;
    bool retry_after;
};

static pthread_barrier_t barrier;

static void *call(void *argument)
{
    struct caller *caller = argument;
    struct http_reply reply;
    pthread_barrier_wait(&barrier);
    if (!http_try(server.port, "POST", caller->target, NULL, caller->body, &reply))
        return NULL;
    caller->status = reply.status;
    caller->retry_after = strcasestr(reply.head, "\r\nRetry-After: ") != NULL;
    http_reply_free(&reply);
    return NULL;
}

static void call_together(struct caller *callers, unsigned count)
{
    pthread_barrier_init(&barrier, NULL, count);
    for (unsigned i = 0; i < count; i++)
        cr_assert_eq(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
    for (unsigned i = 0; i < count; i++)
        pthread_join(callers[i].thread, NULL);
    pthread_barrier_destroy(&barrier);
}

Test(auth, concurrent_sign_ups, .init = start, .fini = stop)
{
    enum { CALLERS = 12 };
    struct caller callers[CALLERS];
    unsigned created = 0, taken = 0;
    for (int i = 0; i < CALLERS; i++)
        callers[i] = (struct caller){.target = SIGN_UP, .body = ADA};
    call_together(callers, CALLERS);
    for (int i = 0; i < CALLERS; i++) {
        created += callers[i].status == 201;
        taken += callers[i].status == 409;
    }
    cr_expect_eq(created, 1);
    cr_expect_eq(taken, CALLERS - 1);
    cr_expect_eq(status_of(LOGIN, ADA), 200);
}

/* One hash at a time and one in the line: the others are told to come back. */
Test(auth, hash_queue_is_bounded)
{
    enum { CALLERS = 10 };
    struct caller callers[CALLERS];
    unsigned refused_logins = 0, full = 0;
    server_start(&server,
                 &(struct server_options){.environment = (const char *[]){"BACKPLANE_WORKERS=2", NULL},
                                          .arguments = (const char *[]){"--set", "plugins.auth.hash_slots=1", "--set",
                                                                        "plugins.auth.hash_queue=1", NULL}});
    for (int i = 0; i < CALLERS; i++)
        callers[i] = (struct caller){.target = LOGIN, .body = ADA};
    call_together(callers, CALLERS);
    for (int i = 0; i < CALLERS; i++) {
        refused_logins += callers[i].status == 401;
        full += callers[i].status == 503;
        cr_expect_eq(callers[i].retry_after, callers[i].status == 503);
    }
    cr_expect_eq(refused_logins + full, CALLERS);
    cr_expect(refused_logins >= 2, "%u", refused_logins);
    cr_expect(full >= 1, "%u", full);
    cr_expect_eq(status_of(LOGIN, ADA), 401, "and all is free again");
    server_stop(&server);
}

static void expect_refusal(const char *const *environment, const char *text)
{
    char *output;
    int code = server_refuses(&(struct server_options){.environment = environment}, &output);
    cr_expect_neq(code, 0);
    cr_expect(strstr(output, text), "%s is not in: %s", text, output);
    free(output);
}

Test(auth, secret_is_required)
{
    expect_refusal((const char *[]){"NODE_ENV=production", NULL}, "set JWT_SECRET to at least 32 random characters");
    expect_refusal((const char *[]){"JWT_SECRET=0123456789abcdef0123456789abcde", NULL},
                   "must have at least 32 characters, has 31");
    expect_refusal((const char *[]){"JWT_EXPIRES_IN=soon", NULL}, "expires_in");
}

/* Made once, for its owner's eyes only, and tokens survive a restart. */
Test(auth, secret_is_made)
{
    struct stat info;
    char path[128], folder[sizeof(server.folder)];
    struct http_reply reply;
    start();
    char *header = http_login(server.port, "ada@example.com");
    snprintf(path, sizeof(path), "%s/jwt-secret", server.folder);
    cr_assert_eq(stat(path, &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0600);
    char *output = server_output(&server);
    const char *said = strstr(output, "auth.secret_made");
    cr_assert(said, "%s", output);
    cr_expect(!strstr(said + 1, "auth.secret_made"), "one worker makes it: %s", output);
    free(output);
    snprintf(folder, sizeof(folder), "%s", server.folder);
    cr_expect_eq(server_stop_keep(&server), 0);

    server_start(&server, &(struct server_options){.folder = folder});
    http_call(server.port, "GET", "/api/v1/todos", header, NULL, &reply);
    cr_expect_eq(reply.status, 200, "%s", reply.body);
    http_reply_free(&reply);
    output = server_output(&server);
    cr_expect(!strstr(output, "auth.secret_made"), "%s", output);
    free(output);
    free(header);
    server_stop(&server);
}
