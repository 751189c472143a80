/* SPDX-License-Identifier: MIT */
/* Accounts: what their owners and administrators do with them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "tests/support/account.h"
#include "tests/support/database.h"
#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

#define AUTH ACCOUNT_AUTH
#define ADMIN "/api/v1/admin/users"
#define ADA "{\"email\":\"ada@example.com\",\"password\":\"Passw0rd!\"}"
#define BOB "{\"email\":\"bob@example.com\",\"password\":\"Passw0rd!\"}"
#define CAROL "{\"email\":\"carol@example.com\",\"password\":\"Passw0rd!\"}"

static struct test_server server;
static int port;

static void start(void)
{
    server_start(&server, &(struct server_options){.environment = (const char *[]){"BACKPLANE_WORKERS=2", NULL}});
    port = server.port;
}

static void stop(void)
{
    server_stop(&server);
}

static void expect_member(const char *target, const struct account_client *client, const char *path, const char *value)
{
    json_t *root;
    cr_assert_eq(account_call(port, "GET", target, client, NULL, &root), 200);
    cr_expect_str_eq(http_json_text(root, path), value);
    json_decref(root);
}

/* What must not be changed by a body that says so. */
#define MASS                                                                                                        \
    ",\"id\":\"0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f\",\"role\":\"admin\",\"disabled\":true,\"passwordHash\":\"x\"," \
    "\"createdAt\":\"2000-01-01T00:00:00.000Z\",\"emailVerifiedAt\":\"2000-01-01T00:00:00.000Z\""

Test(accounts, me, .init = start, .fini = stop)
{
    struct account_client ada, bob;
    json_t *before, *after;
    account_sign_up(port, "{\"email\":\"ada@example.com\",\"password\":\"Passw0rd!\"" MASS "}", &ada);
    account_sign_up(port, BOB, &bob);
    cr_assert_eq(account_call(port, "GET", AUTH "me", &ada, NULL, &before), 200);
    cr_expect_str_eq(http_json_text(before, "message"), "Account retrieved successfully");
    cr_expect_str_eq(http_json_text(before, "data.email"), "ada@example.com");
    cr_expect_str_eq(http_json_text(before, "data.role"), "user");
    cr_expect_str_neq(http_json_text(before, "data.id"), "0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f");
    cr_expect_eq(strlen(http_json_text(before, "data.createdAt")), 24);
    cr_expect_null(http_json_at(before, "data.passwordHash"));

    static const struct {
        const char *body;
        unsigned status;
        const char *message;
    } cases[] = {
        {"{}", 400, "Validation failed: Email is required, Current password is required"},
        {"{\"email\":\"x\",\"currentPassword\":\"Passw0rd!\"}", 400, "Validation failed: Invalid email format"},
        {"{\"email\":\"new@example.com\",\"currentPassword\":\"passw0rd!\"}", 403, "Current password is incorrect"},
        {"{\"email\":\"Bob@example.com\",\"currentPassword\":\"Passw0rd!\"}", 409, "Email is already registered"},
        {"{\"email\":\"New@Example.com\",\"currentPassword\":\"Passw0rd!\"" MASS "}", 200,
         "Account updated successfully"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        account_expect(port, "PATCH", AUTH "me", &ada, cases[i].body, cases[i].status, cases[i].message);
    cr_assert_eq(account_call(port, "GET", AUTH "me", &ada, NULL, &after), 200);
    cr_expect_str_eq(http_json_text(after, "data.email"), "new@example.com");
    json_object_set_new(json_object_get(before, "data"), "email", json_string("new@example.com"));
    cr_expect(json_equal(before, after), "nothing else was changed");
    json_decref(before);
    json_decref(after);
    account_expect(port, "POST", AUTH "login", NULL, ADA, 401, "Invalid email or password");
    account_log_in(port, "{\"email\":\"new@example.com\",\"password\":\"Passw0rd!\"}", &ada);
    static const char *const methods[] = {"GET", "PATCH", "DELETE"};
    for (size_t i = 0; i < 3; i++)
        account_expect(port, methods[i], AUTH "me", NULL, NULL, 401, "Authentication required");
}

Test(accounts, password, .init = start, .fini = stop)
{
    struct account_client here, there, fresh, none;
    json_t *root;
    account_sign_up(port, ADA, &here);
    account_log_in(port, ADA, &there);
    static const struct {
        const char *body;
        unsigned status;
        const char *message;
    } cases[] = {
        {"{}", 400, "Validation failed: Current password is required, New password is required"},
        {"{\"currentPassword\":\"Passw0rd!\",\"newPassword\":\"Aa1!\"}", 400,
         "Validation failed: New password must be at least 8 characters long"},
        {"{\"currentPassword\":\"Passw0rd!\",\"newPassword\":\"passw0rd!\"}", 400,
         "Validation failed: Password must contain at least one uppercase letter"},
        {"{\"currentPassword\":\"Passw0rd?\",\"newPassword\":\"N3w-passw0rd\"}", 403, "Current password is incorrect"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        account_expect(port, "POST", AUTH "password", &here, cases[i].body, cases[i].status, cases[i].message);
    account_use_everywhere(port, &here);
    account_use_everywhere(port, &there);
    cr_assert_eq(account_call(port, "POST", AUTH "password", &here,
                              "{\"currentPassword\":\"Passw0rd!\",\"newPassword\":\"N3w-passw0rd\"}", &root),
                 200);
    long long changed = service_milliseconds();
    cr_expect_str_eq(http_json_text(root, "message"), "Password changed successfully");
    account_take_tokens(root, &fresh);
    json_decref(root);
    account_use_everywhere(port, &fresh);
    account_expect_end(port, &there, changed);
    account_expect(port, "GET", "/api/v1/todos", &here, NULL, 401, "Invalid or expired token");
    cr_expect_eq(account_refresh(port, there.refresh, &none), 401);
    cr_expect_eq(account_refresh(port, here.refresh, &none), 401);
    cr_expect_eq(account_refresh(port, fresh.refresh, &none), 200);
    account_expect(port, "POST", AUTH "login", NULL, ADA, 401, "Invalid email or password");
    account_log_in(port, "{\"email\":\"ada@example.com\",\"password\":\"N3w-passw0rd\"}", &none);
}

Test(accounts, deletion, .init = start, .fini = stop)
{
    struct account_client ada, bob;
    account_sign_up(port, ADA, &ada);
    account_sign_up(port, BOB, &bob);
    account_expect(port, "POST", "/api/v1/todos", &ada, "{\"title\":\"hers\"}", 201, "Todo created successfully");
    account_expect(port, "POST", "/api/v1/todos", &bob, "{\"title\":\"his\"}", 201, "Todo created successfully");
    account_use_everywhere(port, &ada);
    account_expect(port, "DELETE", AUTH "me", &ada, "{}", 400, "Validation failed: Current password is required");
    account_expect(port, "DELETE", AUTH "me", &ada, "{\"currentPassword\":\"wrong\"}", 403,
                   "Current password is incorrect");
    account_expect(port, "DELETE", AUTH "me", &ada, "{\"currentPassword\":\"Passw0rd!\"}", 200,
                   "Account deleted successfully");
    account_expect_end(port, &ada, service_milliseconds());
    account_expect(port, "POST", AUTH "login", NULL, ADA, 401, "Invalid email or password");
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM users"), 1);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM sessions"), 1);
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM todos"), 1);
    expect_member("/api/v1/todos", &bob, "data.data.0.title", "his");
    account_sign_up(port, ADA, &ada); /* the address is free again, and everything is new */
    expect_member("/api/v1/todos", &ada, "data.data.0.title", "");
}

/* Not even a worker that still believes in its token serves the list that was kept. */
Test(accounts, deletion_reaches_caches)
{
    struct account_client ada;
    json_t *root;
    server_start(&server, &(struct server_options){
                              .environment = (const char *[]){"BACKPLANE_WORKERS=2", NULL},
                              .arguments = (const char *[]){"--set", "plugins.auth.account_check_interval=60s", NULL}});
    port = server.port;
    account_sign_up(port, ADA, &ada);
    account_expect(port, "POST", "/api/v1/todos", &ada, "{\"title\":\"hers\"}", 201, "Todo created successfully");
    account_use_everywhere(port, &ada);
    account_expect(port, "DELETE", AUTH "me", &ada, "{\"currentPassword\":\"Passw0rd!\"}", 200,
                   "Account deleted successfully");
    for (int i = 0; i < 24; i++) {
        unsigned status = account_call(port, "GET", "/api/v1/todos", &ada, NULL, &root);
        cr_assert(status == 401 || status == 200, "%u", status);
        cr_expect_str_eq(http_json_text(root, "data.data.0.title"), "");
        json_decref(root);
    }
    server_stop(&server);
}

/* The command, run beside the server. */
static int set_role(const char *email, const char *role, char *ret_output, size_t size)
{
    char command[1024];
    size_t len = 0;
    snprintf(command, sizeof(command),
             "BACKPLANE_DATA='%s' DATABASE_URL='%s' " BACKPLANE_BUILD_ROOT "/backplane -c " BACKPLANE_SOURCE_ROOT
             "/config/backplane.cfg auth set-role '%s' '%s' 2>&1",
             server.folder, server.database, email, role);
    FILE *out = popen(command, "r");
    cr_assert(out);
    for (size_t got = 1; got > 0; len += got)
        got = fread(ret_output + len, 1, size - 1 - len, out);
    ret_output[len] = '\0';
    return pclose(out);
}

static void target_of(const struct account_client *client, char ret_target[96])
{
    json_t *root;
    cr_assert_eq(account_call(port, "GET", AUTH "me", client, NULL, &root), 200);
    snprintf(ret_target, 96, ADMIN "/%s", http_json_text(root, "data.id"));
    json_decref(root);
}

Test(accounts, roles, .init = start, .fini = stop)
{
    struct account_client ada, bob;
    char output[2048], target[96];
    account_sign_up(port, ADA, &ada);
    account_sign_up(port, BOB, &bob);
    target_of(&bob, target);
    static const struct {
        const char *method, *rest;
    } calls[] = {{"GET", ""},
                 {"GET", "/0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f"},
                 {"GET", "/x"},
                 {"PATCH", "/0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f"}};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        char path[96];
        snprintf(path, sizeof(path), ADMIN "%s", calls[i].rest);
        account_expect(port, calls[i].method, path, NULL, "{}", 401, "Authentication required");
        account_expect(port, calls[i].method, path, &ada, "{", 403, "Forbidden");
    }
    cr_expect_neq(set_role("nobody@example.com", "admin", output, sizeof(output)), 0);
    cr_expect(strstr(output, "no account has the address nobody@example.com\n"), "%s", output);
    cr_expect_neq(set_role("ada@example.com", "root", output, sizeof(output)), 0);
    cr_expect(strstr(output, "a role, user or admin, are needed\n"), "%s", output);
    cr_assert_eq(set_role("Ada@Example.com", "admin", output, sizeof(output)), 0, "%s", output);
    cr_expect(strstr(output, "ada@example.com has the role admin\n"), "%s", output);
    /* The role is the account's: the token is the one that it was, and each worker notices within a second. */
    long long changed = service_milliseconds();
    unsigned status;
    do
        status = account_call(port, "GET", ADMIN, &ada, NULL, NULL);
    while (service_milliseconds() - changed < 1200);
    cr_assert_eq(status, 200);
    account_expect(port, "PATCH", target, &ada, "{\"role\":\"admin\"}", 200, "User updated successfully");
    cr_expect_eq(database_integer(&server, "SELECT count(*) FROM users WHERE role = 'admin'"), 2);
}

static void sign_up_admin(struct account_client *ret_client)
{
    account_sign_up(port, ADA, ret_client);
    database_execute(&server, "UPDATE users SET role = 'admin' WHERE email = 'ada@example.com'");
    account_log_in(port, ADA, ret_client);
}

static void add_header(struct account_client *to, const struct account_client *client, const char *line)
{
    *to = *client;
    size_t len = strlen(to->authorization);
    cr_assert(len + strlen(line) < sizeof(to->authorization));
    strcpy(to->authorization + len, line);
}

Test(accounts, administration, .init = start, .fini = stop)
{
    struct account_client ada, bob, carol, none;
    char bobs[96], adas[96], carols[96];
    json_t *root;
    sign_up_admin(&ada);
    account_sign_up(port, BOB, &bob);
    account_sign_up(port, CAROL, &carol);
    target_of(&bob, bobs);
    target_of(&ada, adas);

    cr_assert_eq(account_call(port, "GET", ADMIN, &ada, NULL, &root), 200);
    cr_expect_str_eq(http_json_text(root, "message"), "Users retrieved successfully");
    cr_expect_eq(http_json_integer(root, "data.meta.totalItems"), 3);
    cr_expect_str_eq(http_json_text(root, "data.data.0.email"), "carol@example.com");
    cr_expect_str_eq(http_json_text(root, "data.data.2.role"), "admin");
    cr_expect_null(http_json_at(root, "data.data.0.passwordHash"));
    json_decref(root);
    static const struct {
        const char *query, *path, *value;
    } lists[] = {
        {"?role=admin", "data.data.0.email", "ada@example.com"},
        {"?role=admin", "data.data.1.email", ""},
        {"?contains=AROL", "data.data.0.email", "carol@example.com"},
        {"?contains=AROL", "data.data.1.email", ""},
        {"?email=bob@example.com", "data.data.0.email", "bob@example.com"},
        {"?disabled=true", "data.data.0.email", ""},
        {"?sort=email&limit=1&page=2", "data.data.0.email", "bob@example.com"},
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        char target[128];
        snprintf(target, sizeof(target), ADMIN "%s", lists[i].query);
        expect_member(target, &ada, lists[i].path, lists[i].value);
    }
    cr_expect_eq(account_call(port, "GET", ADMIN "?passwordHash=x", &ada, NULL, NULL), 400);
    expect_member(bobs, &ada, "data.email", "bob@example.com");
    account_expect(port, "GET", ADMIN "/0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f", &ada, NULL, 404, "User not found");
    account_expect(port, "PATCH", ADMIN "/0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f", &ada, "{\"disabled\":true}", 404,
                   "User not found");
    account_expect(port, "GET", ADMIN "/x", &ada, NULL, 400, "Validation failed: Invalid user ID format");
    cr_expect_eq(account_call(port, "PATCH", bobs, &ada, "{\"role\":\"root\"}", NULL), 400);
    cr_expect_eq(account_call(port, "DELETE", bobs, &ada, NULL, NULL), 405);
    static const char *const own[] = {"{\"role\":\"user\"}", "{\"disabled\":true}", "{\"disabled\":false}"};
    for (size_t i = 0; i < 3; i++)
        account_expect(port, "PATCH", adas, &ada, own[i], 409, "Another administrator must change your account");

    /* Only these two can be changed. */
    cr_assert_eq(account_call(port, "PATCH", bobs, &ada,
                              "{\"email\":\"x@example.com\",\"id\":\"0190a8b4-5c3e-7d21-9f60-1a2b3c4d5e6f\","
                              "\"createdAt\":\"2000-01-01T00:00:00.000Z\",\"passwordHash\":\"x\",\"role\":\"user\"}",
                              &root),
                 200);
    cr_expect_str_eq(http_json_text(root, "data.email"), "bob@example.com");
    cr_expect(strncmp(http_json_text(root, "data.createdAt"), "2000", 4) != 0);
    json_decref(root);

    /* Disabled: logged out, and not let in again. */
    account_use_everywhere(port, &bob);
    cr_assert_eq(account_call(port, "PATCH", bobs, &ada, "{\"disabled\":true}", &root), 200);
    long long disabled = service_milliseconds();
    cr_expect(json_is_true(http_json_at(root, "data.disabled")));
    json_decref(root);
    account_expect_end(port, &bob, disabled);
    cr_expect_eq(account_refresh(port, bob.refresh, &none), 401);
    account_expect(port, "POST", AUTH "login", NULL, BOB, 403, "Account is disabled");
    account_expect(port, "POST", AUTH "login", NULL, "{\"email\":\"bob@example.com\",\"password\":\"Passw0rd?\"}", 401,
                   "Invalid email or password");
    expect_member(ADMIN "?disabled=true", &ada, "data.data.0.email", "bob@example.com");
    /* The same as a repeatable write: it is a part of another transaction then. */
    struct account_client repeated;
    json_t *first;
    add_header(&repeated, &ada, "Idempotency-Key: a-key-of-its-own\r\n");
    account_log_in(port, CAROL, &none);
    target_of(&none, carols);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(account_call(port, "PATCH", carols, &repeated, "{\"disabled\":true}", i ? &root : &first), 200);
        cr_expect_eq(
            database_integer(&server, "SELECT count(*) FROM sessions, users WHERE users.id = user_id AND disabled"), 0);
    }
    cr_expect(json_equal(first, root));
    json_decref(first);
    json_decref(root);
    add_header(&repeated, &ada, "Idempotency-Key: another-key\r\n");
    account_expect(port, "PATCH", adas, &repeated, "{\"disabled\":true}", 409,
                   "Another administrator must change your account");
    account_expect(port, "PATCH", carols, &ada, "{\"disabled\":false}", 200, "User updated successfully");
    account_log_in(port, CAROL, &carol);
    /* And when it is enabled again, what was ended stays so. */
    account_expect(port, "PATCH", bobs, &ada, "{\"disabled\":false}", 200, "User updated successfully");
    account_expect(port, "GET", "/api/v1/todos", &bob, NULL, 401, "Invalid or expired token");
    cr_expect_eq(account_refresh(port, bob.refresh, &none), 401);
    account_log_in(port, BOB, &bob);
    cr_expect_eq(account_call(port, "GET", "/api/v1/todos", &bob, NULL, NULL), 200);
    cr_expect_eq(account_call(port, "GET", "/api/v1/todos", &carol, NULL, NULL), 200);
}
