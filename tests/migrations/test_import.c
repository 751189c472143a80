/* SPDX-License-Identifier: MIT */
/* The old system's accounts and todos move over: once, whole, and their passwords go on working. */
#include <criterion/criterion.h>
#include <crypt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

#define ACCOUNTS "1000"
#define TODOS "4000"

/* What `prisma migrate` made of the old schema. */
static const char old_schema[] =
    "CREATE TABLE \"User\" (\"id\" TEXT NOT NULL, \"email\" TEXT NOT NULL, \"password\" TEXT NOT NULL,"
    " \"createdAt\" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, \"updatedAt\" TIMESTAMP(3) NOT NULL,"
    " CONSTRAINT \"User_pkey\" PRIMARY KEY (\"id\"));"
    "CREATE TABLE \"Todo\" (\"id\" TEXT NOT NULL, \"title\" TEXT NOT NULL, \"completed\" BOOLEAN NOT NULL DEFAULT "
    "false,"
    " \"userId\" TEXT NOT NULL, \"createdAt\" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,"
    " \"updatedAt\" TIMESTAMP(3) NOT NULL, CONSTRAINT \"Todo_pkey\" PRIMARY KEY (\"id\"));"
    "CREATE UNIQUE INDEX \"User_email_key\" ON \"User\"(\"email\");"
    "ALTER TABLE \"Todo\" ADD CONSTRAINT \"Todo_userId_fkey\" FOREIGN KEY (\"userId\") REFERENCES \"User\"(\"id\")"
    " ON DELETE CASCADE ON UPDATE CASCADE;";

static struct test_postgres postgres;
static char admin[POSTGRES_URL_SIZE], old[POSTGRES_URL_SIZE + 64];

/* bcrypt as the old system made it, with a low cost but for one account. */
static void bcrypt(const char *password, const char *cost, char ret_hash[64])
{
    char salt[64];
    struct crypt_data *data = calloc(1, sizeof(*data));
    snprintf(salt, sizeof(salt), "$2b$%s$abcdefghijklmnopqrstuu", cost);
    const char *hash = crypt_rn(password, salt, data, sizeof(*data));
    cr_assert(hash && strlen(hash) == 60);
    strcpy(ret_hash, hash);
    free(data);
}

static void fill(const char *url)
{
    char hash[64], sql[2048];
    bcrypt("Old-Passw0rd", "04", hash);
    postgres_execute(url, "SET TIME ZONE 'Asia/Tokyo'");
    postgres_execute(url, old_schema);
    snprintf(sql, sizeof(sql),
             "INSERT INTO \"User\" SELECT ('a0000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0')), 'User' || n || "
             "'@Example.com',"
             " '%s', timestamp '2024-02-29 23:59:59.987' + n * interval '1 minute', timestamp '2024-03-01 00:00:00.001'"
             " FROM generate_series(1, " ACCOUNTS ") n",
             hash);
    postgres_execute(url, sql);
    postgres_execute(url,
                     "INSERT INTO \"Todo\" SELECT ('b0000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0')),"
                     " CASE WHEN n = 7 THEN repeat('\xc3\xa4', 600) ELSE 'Todo ' || n END, n % 3 = 0,"
                     " ('a0000000-0000-4000-8000-' || lpad(to_hex(1 + n % " ACCOUNTS "), 12, '0')),"
                     " timestamp '2024-03-31 02:30:00.5' + n * interval '1 second', timestamp '2024-04-01 00:00:00'"
                     " FROM generate_series(1, " TODOS ") n");
}

static void set_up(void)
{
    postgres_start(&postgres, &(struct postgres_options){.durable = false});
    postgres_url(&postgres, NULL, "postgres", admin);
    postgres_database(admin, "old", NULL);
    postgres_url(&postgres, "backplane", "old", old);
    fill(old);
    strcat(old, "?schema=public&connection_limit=5");
}

static void tear_down(void)
{
    postgres_stop(&postgres);
}

TestSuite(import, .init = set_up, .fini = tear_down, .timeout = 120);

static void run(const struct place *place, int code, const char *expected, const char *const *words)
{
    char *output;
    int got = command_run(place, &output, words);
    cr_assert_eq(got, code, "%s: exit code %d: %s", words[1], got, output);
    cr_assert_not_null(strstr(output, expected), "\"%s\" is not in %s", expected, output);
    free(output);
}

#define WHOLE                                                                                                       \
    "accounts: 1000 read, 1000 copied, 0 already there, 0 skipped; 1000 in the old database, 1000 in the new one\n" \
    "todos: 4000 read, 4000 copied, 0 already there, 0 skipped; 4000 in the old database, 4000 in the new one\n"
#define AGAIN                                                                                                       \
    "accounts: 1000 read, 0 copied, 1000 already there, 0 skipped; 1000 in the old database, 1000 in the new one\n" \
    "todos: 4000 read, 0 copied, 4000 already there, 0 skipped; 4000 in the old database, 4000 in the new one\n"

static void expect(const struct place *place, const char *sqlite, const char *on_postgres, const char *expected)
{
    char *text = place_ask(place, place->url[0] ? on_postgres : sqlite);
    cr_expect_str_eq(text, expected, "%s: %s", place->url[0] ? on_postgres : sqlite, text);
    free(text);
}

static void expect_rows(const struct place *place)
{
    expect(place,
           "SELECT email || ' ' || role || ' ' || created_at || ' ' || updated_at || ' ' || hex(id) FROM users"
           " WHERE email = 'user10@example.com'",
           "SELECT email || ' ' || role || ' ' || (extract(epoch FROM created_at) * 1000)::bigint || ' ' ||"
           " (extract(epoch FROM updated_at) * 1000)::bigint || ' ' || upper(replace(id::text, '-', '')) FROM users"
           " WHERE email = 'user10@example.com'",
           "user10@example.com user 1709251799987 1709251200001 A000000000004000800000000000000A");
    expect(place,
           "SELECT length(title) || ' ' || completed || coalesce(completed_at, '-') FROM todos WHERE hex(id) = "
           "'B0000000000040008000000000000007'",
           "SELECT length(title) || ' ' || completed::int || coalesce(completed_at::text, '-') FROM todos WHERE id = "
           "'b0000000-0000-4000-8000-000000000007'",
           "600 0-");
    expect(place,
           "SELECT title || ' ' || completed || ' ' || (completed_at - updated_at) || ' ' || created_at || ' ' ||"
           " hex(user_id) FROM todos WHERE title = 'Todo 9'",
           "SELECT title || ' ' || completed::int || ' ' || extract(epoch FROM completed_at - updated_at)::int || ' ' "
           "|| (extract(epoch FROM created_at) * 1000)::bigint || ' ' ||"
           " upper(replace(user_id::text, '-', '')) FROM todos WHERE title = 'Todo 9'",
           "Todo 9 1 0 1711852209500 A000000000004000800000000000000A");
    expect(place, "SELECT count(DISTINCT position) || ' ' || count(*) FROM todos WHERE position <> created_at",
           "SELECT count(DISTINCT position) || ' ' || count(*) FROM todos WHERE position <> extract(epoch FROM "
           "created_at) * 1000",
           "0 0");
}

/* What sort=position gives; title: "" for none. */
static void expect_titles(int port, const char *token, const char *target, const char *expected)
{
    struct http_reply reply;
    char titles[256] = "";
    size_t i, len = 0;
    json_t *item;
    http_call(port, "GET", target, token, NULL, &reply);
    json_t *page = http_json(&reply);
    json_array_foreach(json_object_get(json_object_get(page, "data"), "data"), i, item) len +=
        (size_t)snprintf(titles + len, sizeof(titles) - len, "%s;", http_json_text(item, "title"));
    cr_expect_str_eq(titles, expected, "%s: %s", target, titles);
    json_decref(page);
    http_reply_free(&reply);
}

/* A call that has to succeed; the id in its reply goes to ret_id. */
static void write_one(int port, const char *token, const char *target, const char *body, char ret_id[64])
{
    struct http_reply reply;
    http_call(port, "POST", target, token, body, &reply);
    cr_assert(reply.status == 200 || reply.status == 201, "%s %s: %s", target, body, reply.body);
    json_t *json = http_json(&reply);
    snprintf(ret_id, 64, "%s", http_json_text(json, "data.id"));
    json_decref(json);
    http_reply_free(&reply);
}

/* Todos have the order in which they were made, new ones are behind them; they move, and into lists. */
static void expect_order(int port, const char *token)
{
    char list[64], id[64], body[128], target[128];
    expect_titles(port, token, "/api/v1/todos?sort=position", "Todo 9;Todo 1009;Todo 2009;Todo 3009;");
    write_one(port, token, "/api/v1/todos", "{\"title\":\"New\"}", id);
    write_one(port, token, "/api/v1/todos/b0000000-0000-4000-8000-0000000007d9/move",
              "{\"before\":\"b0000000-0000-4000-8000-000000000009\"}", id);
    expect_titles(port, token, "/api/v1/todos?sort=position", "Todo 2009;Todo 9;Todo 1009;Todo 3009;New;");
    write_one(port, token, "/api/v1/lists", "{\"name\":\"Old\"}", list);
    snprintf(body, sizeof(body), "{\"listId\":\"%s\"}", list);
    write_one(port, token, "/api/v1/todos/b0000000-0000-4000-8000-000000000009/move", body, id);
    snprintf(target, sizeof(target), "/api/v1/todos?listId=%s", list);
    expect_titles(port, token, target, "Todo 9;");
}

/* An old password logs in, its hash is replaced, and it logs in again; a wrong one does neither. */
static void expect_logins(const struct place *place)
{
    static const char right[] = "{\"email\":\"USER10@example.com\",\"password\":\"Old-Passw0rd\"}";
    static const char wrong[] = "{\"email\":\"user10@example.com\",\"password\":\"Old-Passw0rd!\"}";
    static const char old_hash[] = "SELECT substr(password_hash, 1, 7) FROM users WHERE email = 'user10@example.com'";
    char database[POSTGRES_URL_SIZE + 16], direct[POSTGRES_URL_SIZE + 16];
    snprintf(database, sizeof(database), "DATABASE_URL=%s", place->url);
    snprintf(direct, sizeof(direct), "DIRECT_URL=%s", place->url);
    const char *const environment[] = {database, direct, NULL};
    const struct {
        const char *body;
        unsigned status;
        const char *hash;
    } logins[] = {{wrong, 401, "$2b$04$"}, {right, 200, "$argon2"}, {wrong, 401, "$argon2"}, {right, 200, "$argon2"}};
    struct test_server server;
    server_start(&server, &(struct server_options){.folder = place->folder, .environment = environment});
    for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
        struct http_reply reply;
        http_call(server.port, "POST", "/api/v1/auth/login", NULL, logins[i].body, &reply);
        cr_expect_eq(reply.status, logins[i].status, "%zu: %u %s", i, reply.status, reply.body);
        if (i == 1) {
            json_t *json = http_json(&reply);
            char token[2048];
            struct http_reply list;
            snprintf(token, sizeof(token), "Authorization: Bearer %s\r\n", http_json_text(json, "token"));
            cr_expect_str_eq(http_json_text(json, "user.id"), "a0000000-0000-4000-8000-00000000000a");
            http_call(server.port, "GET", "/api/v1/todos", token, NULL, &list);
            json_t *page = http_json(&list);
            cr_expect_eq(http_json_integer(page, "data.meta.totalItems"), 4, "%s", list.body);
            cr_expect_str_eq(http_json_text(page, "data.data.3.title"), "Todo 9", "%s", list.body);
            cr_expect_str_eq(http_json_text(page, "data.data.3.createdAt"), "2024-03-31T02:30:09.500Z");
            json_decref(page);
            http_reply_free(&list);
            expect_order(server.port, token);
            json_decref(json);
        }
        http_reply_free(&reply);
        expect(place, old_hash, old_hash, logins[i].hash);
    }
    cr_assert_eq(server_stop_keep(&server), 0);
}

static void moves_over(const char *cluster)
{
    struct place place;
    place_new(&place, cluster);
    run(&place, 1, "is its schema up to date (backplane migrate status)?", WORDS("migrate", "import-prisma", old));
    run(&place, 0, "schema up to date: ", WORDS("migrate", "up"));
    run(&place, 0, WHOLE, WORDS("migrate", "import-prisma", old));
    expect_rows(&place);
    run(&place, 0, AGAIN, WORDS("migrate", "import-prisma", old));
    expect_rows(&place);
    expect_logins(&place);
    place_free(&place);
}

Test(import, into_sqlite)
{
    moves_over(NULL);
}

Test(import, into_postgres)
{
    moves_over(admin);
}

static void killed_and_run_again(const char *cluster)
{
    struct place place;
    char log[SERVICE_FOLDER_SIZE + 16];
    place_new(&place, cluster);
    snprintf(log, sizeof(log), "%s/output", place.folder);
    run(&place, 0, " migrations applied", WORDS("migrate", "up"));
    /* At some moment of each half: once while accounts are copied, once while todos are. */
    for (int half = 0; half < 2; half++) {
        static const char *const progress[] = {"SELECT count(*) FROM users", "SELECT count(*) FROM todos"};
        pid_t pid = command_start(&place, log, WORDS("migrate", "import-prisma", old));
        while (place_integer(&place, progress[half]) == 0)
            cr_assert_eq(kill(pid, 0), 0);
        cr_assert_eq(kill(pid, SIGKILL), 0);
        cr_assert_eq(command_wait(pid), 128 + SIGKILL);
    }
    long long accounts = place_integer(&place, "SELECT count(*) FROM users");
    long long todos = place_integer(&place, "SELECT count(*) FROM todos");
    cr_assert_gt(todos, 0);
    cr_assert_lt(todos, 4000, "it was killed too late");
    char expected[400];
    snprintf(
        expected, sizeof(expected),
        "accounts: 1000 read, %lld copied, %lld already there, 0 skipped; 1000 in the old database, 1000 in the new "
        "one\n"
        "todos: 4000 read, %lld copied, %lld already there, 0 skipped; 4000 in the old database, 4000 in the new one\n",
        1000 - accounts, accounts, 4000 - todos, todos);
    run(&place, 0, expected, WORDS("migrate", "import-prisma", old));
    expect_rows(&place);
    place_free(&place);
}

Test(import, killed_and_run_again_on_sqlite)
{
    killed_and_run_again(NULL);
}

Test(import, killed_and_run_again_on_postgres)
{
    killed_and_run_again(admin);
}

/* Rows that cannot be copied are named; all others are. */
static void odd_rows(const char *cluster)
{
    struct place place;
    char *output;
    char url[POSTGRES_URL_SIZE];
    place_new(&place, cluster);
    postgres_database(admin, "odd", NULL);
    postgres_url(&postgres, "backplane", "odd", url);
    postgres_execute(url, old_schema);
    postgres_execute(url, "INSERT INTO \"User\" VALUES"
                          " ('c0000000-0000-4000-8000-000000000001', 'Ada@example.com', '$2b$04$x', now(), now()),"
                          " ('c0000000-0000-4000-8000-000000000002', 'ada@Example.com', '$2b$04$x', now(), now()),"
                          " ('cuid-1', 'cuid@example.com', '$2b$04$x', now(), now()),"
                          " ('C0000000-0000-4000-8000-00000000000F', 'f@example.com', '$2b$04$x', now(), now())");
    postgres_execute(
        url,
        "INSERT INTO \"Todo\" VALUES"
        " ('d0000000-0000-4000-8000-000000000001', '', false, 'c0000000-0000-4000-8000-000000000001', now(), now()),"
        " ('d0000000-0000-4000-8000-000000000002', 'x', false, 'c0000000-0000-4000-8000-000000000002', now(), now()),"
        " ('d0000000-0000-4000-8000-000000000003', 'x', false, 'cuid-1', now(), now()),"
        " ('d-4', 'x', true, 'c0000000-0000-4000-8000-000000000001', now(), now()),"
        " ('d0000000-0000-4000-8000-00000000000f', 'x', false, 'C0000000-0000-4000-8000-00000000000F', now(), now())");
    run(&place, 0, " migrations applied", WORDS("migrate", "up"));
    int code = command_run(&place, &output, WORDS("migrate", "import-prisma", url));
    cr_expect_eq(code, 1);
    static const char *const expected[] = {
        "account c0000000-0000-4000-8000-000000000001 has this e-mail address in lower case",
        "its id is no UUID",
        "its account is not there",
        "the id of its account is no UUID",
        "accounts: 4 read, 2 copied, 0 already there, 2 skipped; 4 in the old database, 2 in the new one\n",
        "todos: 5 read, 2 copied, 0 already there, 3 skipped; 5 in the old database, 2 in the new one\n"};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        cr_expect_not_null(strstr(output, expected[i]), "\"%s\" is not in %s", expected[i], output);
    free(output);
    expect(&place, "SELECT hex(id) FROM users WHERE email = 'f@example.com'",
           "SELECT upper(replace(id::text, '-', '')) FROM users WHERE email = 'f@example.com'",
           "C000000000004000800000000000000F");
    postgres_execute(admin, "DROP DATABASE odd");
    place_free(&place);
}

Test(import, odd_rows_on_sqlite)
{
    odd_rows(NULL);
}

Test(import, odd_rows_on_postgres)
{
    odd_rows(admin);
}

Test(import, nothing_to_read)
{
    struct place place;
    char url[POSTGRES_URL_SIZE];
    place_new(&place, NULL);
    run(&place, 0, " migrations applied", WORDS("migrate", "up"));
    postgres_url(&postgres, "nobody", "old", url);
    run(&place, 1, "the old database: ", WORDS("migrate", "import-prisma", url));
    run(&place, 1, "role \"nobody\" does not exist", WORDS("migrate", "import-prisma", url));
    postgres_url(&postgres, "backplane", "postgres", url);
    run(&place, 1, "the old database: ERROR:  relation \"User\" does not exist",
        WORDS("migrate", "import-prisma", url));
    run(&place, 2, "URL is needed behind the command", WORDS("migrate", "import-prisma"));
    cr_expect_eq(place_integer(&place, "SELECT count(*) FROM users"), 0);
    place_free(&place);
}
