/* SPDX-License-Identifier: MIT */
/* What new passwords must be; and what is hashed, so that nobody learns from how long it takes which addresses have accounts. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/account.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

#define AUTH ACCOUNT_AUTH
#define BODY(email, password) "{\"email\":\"" email "\",\"password\":\"" password "\"}"

static struct test_server server;
static int port;

static void start_with(const char *const *arguments)
{
    server_start(&server, &(struct server_options){.environment = (const char *[]){"BACKPLANE_WORKERS=2", NULL},
                                                   .arguments = arguments});
    port = server.port;
}

static void stop(void)
{
    server_stop(&server);
}

/* 400 with these members of `errors`, one text each: "field pointer code message\n". */
static void expect_errors(const char *method, const char *target, const struct account_client *client, const char *body,
                          const char *errors)
{
    json_t *root, *item;
    size_t i, len = 0;
    char all[1024] = "";
    cr_expect_eq(account_call(port, method, target, client, body, &root), 400, "%s %s", target, body);
    json_array_foreach(json_object_get(root, "errors"), i, item)
    {
        len += (size_t)snprintf(all + len, sizeof(all) - len, "%s %s %s %s\n", http_json_text(item, "field"),
                                http_json_text(item, "pointer"), http_json_text(item, "code"),
                                http_json_text(item, "message"));
    }
    cr_expect_str_eq(all, errors, "%s %s: %s", target, body, all);
    json_decref(root);
}

Test(passwords, composition)
{
    struct account_client ada;
    start_with(NULL);
    account_sign_up(port, BODY("ada@example.com", "Passw0rd!"), &ada);
    expect_errors("POST", AUTH "sign-up", NULL, BODY("bob", "passw0rd!"),
                  "email /email email.invalid Invalid email format\n"
                  "password /password password.no_uppercase Password must contain at least one uppercase letter\n");
    expect_errors("POST", AUTH "sign-up", NULL, BODY("bob@example.com", "p"),
                  "password /password too_short Password must be at least 8 characters long\n"
                  "password /password password.no_uppercase Password must contain at least one uppercase letter\n"
                  "password /password password.no_digit Password must contain at least one number\n"
                  "password /password password.no_special Password must contain at least one special character\n");
    expect_errors("POST", AUTH "sign-up", NULL, "{\"email\":\"bob@example.com\"}",
                  "password /password required Password is required\n");
    expect_errors("POST", AUTH "sign-up", NULL, "{\"email\":\"bob@example.com\",\"password\":12345678}",
                  "password /password required Password is required\n");
    expect_errors("POST", AUTH "password", &ada, "{\"currentPassword\":\"Passw0rd!\",\"newPassword\":\"PASSW0RD!\"}",
                  "newPassword /newPassword password.no_lowercase Password must contain at least one lowercase "
                  "letter\n");
    expect_errors("POST", AUTH "password/reset", NULL, "{\"token\":\"x\",\"password\":\"Passwords!\"}",
                  "password /password password.no_digit Password must contain at least one number\n");
    account_expect(port, "POST", AUTH "sign-up", NULL, "[1]", 400, "Validation failed: Body must be a JSON object");
    account_expect(port, "POST", AUTH "sign-up", NULL, "{", 400,
                   "Invalid JSON at line 1, column 1: string or '}' expected");
    /* The old rule lets common ones pass unless told otherwise. */
    account_expect(port, "POST", AUTH "sign-up", NULL, BODY("bob@example.com", "P@ssw0rd"), 201,
                   "User registered successfully");
    stop();
}

/* A long phrase is enough, a common word is not. */
Test(passwords, common_instead_of_composition)
{
    static const char common[] = "password /password password.common Password is too common\n";
    struct account_client ada;
    start_with((const char *[]){"--set", "plugins.auth.password_composition=false", "--set",
                                "plugins.auth.refuse_common_passwords=true", NULL});
    account_sign_up(port, BODY("ada@example.com", "plain words are long"), &ada);
    account_expect(port, "POST", AUTH "sign-up", NULL, BODY("bob@example.com", "P@ssw0rd"), 400,
                   "Validation failed: Password is too common");
    expect_errors("POST", AUTH "sign-up", NULL, BODY("bob@example.com", "P@ssw0rd"), common);
    expect_errors("POST", AUTH "sign-up", NULL, BODY("bob", "PASSWORD"),
                  "email /email email.invalid Invalid email format\n"
                  "password /password password.common Password is too common\n");
    expect_errors("POST", AUTH "sign-up", NULL, BODY("bob@example.com", "short"),
                  "password /password too_short Password must be at least 8 characters long\n");
    expect_errors("POST", AUTH "password", &ada,
                  "{\"currentPassword\":\"plain words are long\",\"newPassword\":\"password1\"}",
                  "newPassword /newPassword password.common Password is too common\n");
    expect_errors("POST", AUTH "password/reset", NULL, "{\"token\":\"x\",\"password\":\"password1\"}", common);
    stop();
}

static long hashes(void)
{
    static const char name[] = "\nbackplane_auth_password_hashes_total ";
    struct http_reply reply;
    http_call(port, "GET", "/metrics", NULL, NULL, &reply);
    const char *line = strstr(reply.body, name);
    cr_assert(line, "%s", reply.body);
    long count = strtol(line + strlen(name), NULL, 10);
    http_reply_free(&reply);
    return count;
}

/* How many passwords each answer takes to hash: an address without an account is not told from one with. */
Test(passwords, hashed_alike)
{
    static const char wrong[] = "Invalid email or password";
    static const char sent[] = "If there is an account of that address, a message is on its way";
    static const struct {
        const char *method, *target, *body;
        unsigned status;
        const char *message;
        long hashes;
    } calls[] = {
        {"POST", "sign-up", BODY("ada@example.com", "Passw0rd!"), 201, "User registered successfully", 1},
        {"POST", "sign-up", BODY("ada@example.com", "Passw0rd!"), 409, "Email is already registered", 0},
        {"POST", "sign-up", BODY("bob@example.com", "weak"), 400, NULL, 0},
        {"POST", "login", BODY("ada@example.com", "Passw0rd!"), 200, "Login successful", 1},
        {"POST", "login", BODY("ada@example.com", "passw0rd!"), 401, wrong, 1},
        {"POST", "login", BODY("nobody@example.com", "Passw0rd!"), 401, wrong, 1},
        {"POST", "login", BODY("ada@example.com", ""), 401, wrong, 1},
        {"POST", "login", BODY("nobody@example.com", ""), 401, wrong, 1},
        {"POST", "login", "{\"email\":\"nobody@example.com\"}", 400, "Validation failed: Password is required", 0},
        {"POST", "password/forgot", "{\"email\":\"ada@example.com\"}", 202, sent, 0},
        {"POST", "password/forgot", "{\"email\":\"nobody@example.com\"}", 202, sent, 0},
        {"POST", "password/reset", "{\"token\":\"x\",\"password\":\"N3w-Passw0rd\"}", 400, "Invalid or expired token",
         0},
    };
    struct account_client ada;
    start_with(NULL);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        char target[64];
        json_t *root;
        long before = hashes();
        snprintf(target, sizeof(target), AUTH "%s", calls[i].target);
        unsigned status = account_call(port, calls[i].method, target, NULL, calls[i].body, &root);
        cr_expect_eq(status, calls[i].status, "%s %s: %u", target, calls[i].body, status);
        if (calls[i].message)
            cr_expect_str_eq(http_json_text(root, "message"), calls[i].message, "%s", target);
        cr_expect_eq(hashes() - before, calls[i].hashes, "%s %s: %ld", target, calls[i].body, hashes() - before);
        json_decref(root);
    }
    /* One to confirm, one to store. */
    account_log_in(port, BODY("ada@example.com", "Passw0rd!"), &ada);
    long before = hashes();
    account_expect(port, "POST", AUTH "password", &ada,
                   "{\"currentPassword\":\"Passw0rd!\",\"newPassword\":\"N3w-passw0rd\"}", 200,
                   "Password changed successfully");
    cr_expect_eq(hashes() - before, 2);
    stop();
}
