/* SPDX-License-Identifier: MIT */
/* API keys: made, shown once, limited to their scopes, deleted. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http.h"
#include "tests/support/server.h"
#include "tests/support/service.h"

#define KEYS "/api/v1/auth/keys"
#define TODOS "/api/v1/todos"

static struct test_server server;

static void start(void)
{
    server_start(&server, &(struct server_options){.environment = (const char *[]){"BACKPLANE_WORKERS=2", NULL}});
}

static void stop(void)
{
    server_stop(&server);
}

/* The reply's status; its body in *ret_root. */
static unsigned call(const char *method, const char *target, const char *headers, const char *body, json_t **ret_root)
{
    struct http_reply reply;
    http_call(server.port, method, target, headers, body, &reply);
    unsigned status = reply.status;
    *ret_root = http_json(&reply);
    http_reply_free(&reply);
    return status;
}

static unsigned status_of(const char *method, const char *target, const char *headers, const char *body)
{
    json_t *root;
    unsigned status = call(method, target, headers, body, &root);
    json_decref(root);
    return status;
}

static void expect(const char *method, const char *target, const char *headers, const char *body, unsigned status,
                   const char *message)
{
    json_t *root;
    unsigned seen = call(method, target, headers, body, &root);
    cr_expect_eq(seen, status, "%s %s %s: %u %s", method, target, body ? body : "", seen,
                 http_json_text(root, "message"));
    cr_expect_str_eq(http_json_text(root, "message"), message);
    json_decref(root);
}

/* The line that sends a new key, and its identifier. */
static char *make_key(const char *login, const char *body, bool own_field, char id[64])
{
    json_t *root;
    char *line;
    cr_assert_eq(call("POST", KEYS, login, body, &root), 201);
    const char *key = http_json_text(root, "data.key");
    cr_assert_eq(strlen(key), 56, "%s", key);
    cr_expect_eq(strncmp(key, "bpk_", 4), 0);
    cr_expect_eq(strncmp(key + 4, http_json_text(root, "data.prefix"), 8), 0);
    cr_assert(asprintf(&line, own_field ? "X-API-Key: %s\r\n" : "Authorization: Bearer %s\r\n", key) > 0);
    (void)snprintf(id, 64, "%s", http_json_text(root, "data.id"));
    json_decref(root);
    return line;
}

Test(keys, scopes, .init = start, .fini = stop)
{
    char *login = http_login(server.port, "ada@example.com"), id[64], other[64], target[128];
    char *reader = make_key(login, "{\"name\":\" Reader \",\"scopes\":[\"todos:read\"]}", false, id);
    char *writer = make_key(login, "{\"name\":\"Writer\",\"scopes\":[\"todos:read\",\"todos:write\"]}", true, other);
    cr_expect_eq(status_of("GET", TODOS, reader, NULL), 200);
    cr_expect_eq(status_of("POST", TODOS, writer, "{\"title\":\"By key\"}"), 201);
    expect("POST", TODOS, reader, "{\"title\":\"No\"}", 403, "Forbidden");
    /* What no scope stands for a key may not do: least of all make keys. */
    expect("GET", KEYS, writer, NULL, 403, "Forbidden");
    expect("POST", KEYS, writer, "{\"name\":\"x\",\"scopes\":[\"todos:read\"]}", 403, "Forbidden");
    expect("GET", "/api/v1/auth/me", reader, NULL, 403, "Forbidden");

    /* The list shows what is known, and neither key nor hash. */
    json_t *root;
    cr_expect_eq(call("GET", KEYS, login, NULL, &root), 200);
    cr_expect_eq(json_array_size(http_json_at(root, "data")), 2);
    cr_expect_str_eq(http_json_text(root, "data.1.id"), id);
    cr_expect_str_eq(http_json_text(root, "data.1.name"), "Reader");
    cr_expect_str_eq(http_json_text(root, "data.0.scopes.1"), "todos:write");
    cr_expect(json_is_null(http_json_at(root, "data.1.expiresAt")));
    const json_t *entry = http_json_at(root, "data.1");
    cr_expect_eq(json_object_size(entry), 7);
    cr_expect_null(json_object_get(entry, "key"));
    json_decref(root);

    /* Others neither see nor delete it. */
    char *stranger = http_login(server.port, "eve@example.com");
    (void)snprintf(target, sizeof(target), KEYS "/%s", id);
    expect("DELETE", target, stranger, NULL, 404, "Key not found");
    cr_expect_eq(status_of("GET", TODOS, reader, NULL), 200);
    expect("DELETE", target, login, NULL, 200, "Key deleted successfully");
    expect("GET", TODOS, reader, NULL, 401, "Invalid or expired token");
    expect("DELETE", target, login, NULL, 404, "Key not found");
    expect("DELETE", KEYS "/x", login, NULL, 400, "Validation failed: Invalid key ID format");
    free(stranger);
    free(login);
    free(reader);
    free(writer);
}

Test(keys, use_is_noted, .init = start, .fini = stop)
{
    char *login = http_login(server.port, "ada@example.com"), id[64];
    char *key = make_key(login, "{\"name\":\"Key\",\"scopes\":[\"todos:read\"]}", false, id);
    bool noted = false;
    cr_expect_eq(status_of("GET", TODOS, key, NULL), 200);
    for (long long begun = 0; !noted && service_patience(&begun, 4000);) {
        json_t *root;
        cr_expect_eq(call("GET", KEYS, login, NULL, &root), 200);
        noted = json_is_string(http_json_at(root, "data.0.lastUsedAt"));
        json_decref(root);
    }
    cr_expect(noted);
    free(login);
    free(key);
}

Test(keys, forged_and_refused, .init = start, .fini = stop)
{
    char *login = http_login(server.port, "ada@example.com"), id[64];
    char *key = make_key(login, "{\"name\":\"Key\",\"scopes\":[\"todos:read\"]}", true, id);
    size_t len = strlen(key) - 2; /* without the line's end */
    for (size_t i = len - 1; i > strlen("X-API-Key: "); i -= 5) {
        char *changed = strdup(key);
        changed[i] = changed[i] == 'a' ? 'b' : 'a';
        expect("GET", TODOS, changed, NULL, 401, "Invalid or expired token");
        free(changed);
    }
    static const char *const others[] = {
        "X-API-Key: x\r\n",
        "X-API-Key: bpk_\r\n",
        "Authorization: Bearer bpk_\r\n",
        "Authorization: Bearer bpk_00000000_\r\n",
        "Authorization: Bearer bpk_00000000_0123456789012345678901234567890123456789012\r\n",
        "Authorization: Bearer bpk_'; DROP_0123456789012345678901234567890123456789012\r\n",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        expect("GET", TODOS, others[i], NULL, 401, "Invalid or expired token");

    static const struct {
        const char *body, *message;
    } bad[] = {
        {"{}", "Validation failed: Name is required, Scopes is required"},
        {"{\"name\":\"x\",\"scopes\":[\"todos\"]}", "Validation failed: Scopes must look like todos:read"},
        {"{\"name\":\"x\",\"scopes\":[\"todos:read todos:write\"]}",
         "Validation failed: Scopes must look like todos:read"},
        {"{\"name\":\"x\",\"scopes\":[\"todos:read\"],\"expiresAt\":\"2020-01-01T00:00:00.000Z\"}",
         "Validation failed: Expires at must be in the future"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        expect("POST", KEYS, login, bad[i].body, 400, bad[i].message);
    cr_expect_eq(status_of("POST", KEYS, login, "{\"name\":\"x\",\"scopes\":[]}"), 400);
    expect("GET", KEYS, NULL, NULL, 401, "Authentication required");
    free(login);
    free(key);
}
