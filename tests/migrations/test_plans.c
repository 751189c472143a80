/* SPDX-License-Identifier: MIT */
/*
 * How the databases would run what the API asks of them: never by reading a whole table. A server whose database writes down each statement is asked everything that
 * the API offers; each statement is then explained by the database.
 */
#include <criterion/criterion.h>
#include <crypt.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "command.h"
#include "tests/support/http.h"
#include "tests/support/server.h"

static const char config[] =
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1;"
    " job_workers = 1; plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/migrations\"; };\n"
    "plugins: ( { use = \"sqlite\"; name = \"inner\"; unless = \"DATABASE_URL\"; file = \"todo.db\"; },\n"
    "  { use = \"postgres\"; name = \"inner\"; when = \"DATABASE_URL\"; url = \"${DATABASE_URL}\"; },\n"
    "  { use = \"recorder_${RECORDER}\"; name = \"main\"; database = \"inner\"; file = "
    "\"${BACKPLANE_DATA}/statements\"; },\n"
    "  { use = \"queue\"; database = \"inner\"; },\n"
    "  { use = \"auth\"; database = \"main\"; account_check_interval = \"0s\"; cleanup = \"1s\"; },\n"
    "  { use = \"todos\"; database = \"main\"; },\n"
    "  { use = \"lists\"; database = \"main\"; }, { use = \"events\"; database = \"main\"; },\n"
    "  { use = \"health\"; } );\n"
    "pipelines: { open = ( ); api = ( \"auth\" ); };\n"
    "routes: ( { match = \"/health/*\"; pipeline = \"open\"; }, { match = \"/api/v1/auth/*\"; pipeline = \"open\"; },\n"
    "  { match = \"/*\"; pipeline = \"api\"; } );\n";

#define MISSING "00000000-0000-4000-8000-00000000000f"

/* Behind a resource's path; "{id}" is one of its rows that were made first. A list is asked for each filter and each key to sort by, and with cursors. */
struct request {
    const char *method, *target, *headers, *body;
    unsigned status;
};

static const struct request todo_requests[] = {
    {"GET", "", NULL, NULL, 200},
    {"GET", "?page=2&limit=3", NULL, NULL, 200},
    {"GET", "?page=99", NULL, NULL, 200},
    {"GET", "?total=false", NULL, NULL, 200},
    {"GET", "?fields=id,title", NULL, NULL, 200},
    {"GET", "?completed=true", NULL, NULL, 200},
    {"GET", "?priority[gte]=2&completed=false", NULL, NULL, 200},
    {"GET", "?createdAt[gt]=2020-01-01T00:00:00Z&createdAt[lt]=2040-01-01T00:00:00Z", NULL, NULL, 200},
    {"GET", "?dueAt[null]=true", NULL, NULL, 200},
    {"GET", "?sort=title", NULL, NULL, 200},
    {"GET", "?sort=-title&page=2", NULL, NULL, 200},
    {"GET", "?sort=completed,-priority", NULL, NULL, 200},
    {"GET", "?sort=createdAt", NULL, NULL, 200},
    {"GET", "?sort=-updatedAt", NULL, NULL, 200},
    {"GET", "?sort=dueAt&dueAt[lte]=2040-01-01T00:00:00Z", NULL, NULL, 200},
    {"GET", "?sort=-completedAt", NULL, NULL, 200},
    {"GET", "?tag=a&completed=true", NULL, NULL, 200},
    {"GET", "?q=x", NULL, NULL, 200},
    {"GET", "?listId=" MISSING, NULL, NULL, 200},
    {"GET", "?listId[null]=false&sort=position", NULL, NULL, 200},
    {"POST", "/{id}/move", NULL, "{\"after\":null}", 200},
    {"POST", "/{id}/move", NULL, "{\"listId\":null}", 200},
    {"POST", "/{id}/move", NULL, "{\"after\":\"" MISSING "\"}", 404},
    {"POST", "", NULL, "{\"title\":\"x\",\"listId\":\"" MISSING "\"}", 404},
    {"GET", "/changes", NULL, NULL, 200},
    {"GET", "/changes?since=0&limit=2", NULL, NULL, 200},
    {"GET", "/{id}", NULL, NULL, 200},
    {"GET", "/{id}?fields=title", NULL, NULL, 200},
    {"GET", "/" MISSING, NULL, NULL, 404},
    {"POST", "", NULL, "{\"title\":\"One\"}", 201},
    {"POST", "", NULL, "{\"title\":\"Two\",\"completed\":true,\"priority\":3,\"dueAt\":\"2030-01-01T00:00:00Z\"}", 201},
    {"PATCH", "/{id}", NULL, "{\"completed\":true}", 200},
    {"PATCH", "/{id}", NULL, "{\"title\":\"x\",\"description\":\"y\",\"priority\":1,\"dueAt\":null}", 200},
    {"PATCH", "/" MISSING, NULL, "{\"completed\":true}", 404},
    {"PATCH", "/{id}", "If-Match: \"9999\"\r\n", "{\"completed\":false}", 412},
    {"PATCH", "/{id}", "Content-Type: application/json-patch+json\r\n",
     "[{\"op\":\"replace\",\"path\":\"/title\",\"value\":\"z\"}]", 200},
    {"PUT", "/{id}", NULL, "{\"title\":\"whole\"}", 200},
    {"POST", "/bulk", NULL,
     "{\"operations\":[{\"op\":\"create\",\"data\":{\"title\":\"a\"}},"
     "{\"op\":\"update\",\"id\":\"{id}\",\"data\":{\"title\":\"b\"}},{\"op\":\"replace\",\"id\":\"{id}\",\"data\":{"
     "\"title\":\"c\"}},{\"op\":\"delete\",\"id\":\"{id}\"}]}",
     200},
    {"DELETE", "/{id}", "If-Match: \"9999\"\r\n", NULL, 412},
    {"DELETE", "/{id}", NULL, NULL, 200},
};

static const struct request list_requests[] = {
    {"GET", "", NULL, NULL, 200},
    {"GET", "?page=2&limit=3", NULL, NULL, 200},
    {"GET", "?page=99", NULL, NULL, 200},
    {"GET", "?total=false", NULL, NULL, 200},
    {"GET", "?fields=id,name", NULL, NULL, 200},
    {"GET", "?archived=false", NULL, NULL, 200},
    {"GET", "?createdAt[gt]=2020-01-01T00:00:00Z&createdAt[lt]=2040-01-01T00:00:00Z", NULL, NULL, 200},
    {"GET", "?updatedAt[gte]=2020-01-01T00:00:00Z&updatedAt[lte]=2040-01-01T00:00:00Z&archived=true", NULL, NULL, 200},
    {"GET", "?sort=name", NULL, NULL, 200},
    {"GET", "?sort=-name&page=2", NULL, NULL, 200},
    {"GET", "?sort=archived,-position", NULL, NULL, 200},
    {"GET", "?sort=-createdAt", NULL, NULL, 200},
    {"GET", "?sort=updatedAt", NULL, NULL, 200},
    {"GET", "/{id}", NULL, NULL, 200},
    {"GET", "/{id}?fields=name", NULL, NULL, 200},
    {"GET", "/" MISSING, NULL, NULL, 404},
    {"POST", "", NULL, "{\"name\":\"Two\",\"color\":\"#1e90ff\",\"archived\":true}", 201},
    {"PATCH", "/{id}", NULL, "{\"archived\":true}", 200},
    {"PATCH", "/{id}", NULL, "{\"name\":\"x\",\"color\":null}", 200},
    {"PATCH", "/" MISSING, NULL, "{\"archived\":true}", 404},
    {"PATCH", "/{id}", "If-Match: \"9999\"\r\n", "{\"archived\":false}", 412},
    {"PATCH", "/{id}", "Content-Type: application/json-patch+json\r\n",
     "[{\"op\":\"replace\",\"path\":\"/name\",\"value\":\"z\"}]", 200},
    {"PUT", "/{id}", NULL, "{\"name\":\"whole\"}", 200},
    {"POST", "/{id}/move", NULL, "{\"after\":null}", 200},
    {"POST", "/{id}/move", NULL, "{\"before\":null}", 200},
    {"POST", "/{id}/move", NULL, "{\"after\":\"" MISSING "\"}", 404},
    {"POST", "/bulk", NULL,
     "{\"operations\":[{\"op\":\"create\",\"data\":{\"name\":\"a\"}},"
     "{\"op\":\"update\",\"id\":\"{id}\",\"data\":{\"name\":\"b\"}},{\"op\":\"replace\",\"id\":\"{id}\",\"data\":{"
     "\"name\":\"c\"}},{\"op\":\"delete\",\"id\":\"{id}\"}]}",
     200},
    {"DELETE", "/{id}", "If-Match: \"9999\"\r\n", NULL, 412},
    {"DELETE", "/{id}", NULL, NULL, 200},
    {"DELETE", "/{id}?todos=delete", NULL, NULL, 200},
    {"DELETE", "/" MISSING "?todos=keep", NULL, NULL, 404},
};

static const struct {
    const char *path, *body; /* of a row to ask about */
    const struct request *requests;
    size_t count;
    const char *sorts[4]; /* of pages behind a cursor: the order that is the default, and others */
} resources[] = {
    {"/api/v1/todos",
     "{\"title\":\"x\"}",
     todo_requests,
     sizeof(todo_requests) / sizeof(*todo_requests),
     {"", "&sort=title", "&sort=-priority,title"}},
    {"/api/v1/lists",
     "{\"name\":\"x\"}",
     list_requests,
     sizeof(list_requests) / sizeof(*list_requests),
     {"", "&sort=-name", "&sort=archived,-createdAt"}},
};

/* ---- what the server asks ---- */

static void expect_status(int port, const char *method, const char *target, const char *headers, const char *body,
                          unsigned status, char ret_id[40])
{
    struct http_reply reply;
    http_call(port, method, target, headers, body, &reply);
    cr_assert_eq(reply.status, status, "%s %s: %u %s", method, target, reply.status, reply.body);
    if (ret_id) {
        json_t *json = http_json(&reply);
        snprintf(ret_id, 40, "%s", http_json_text(json, "data.id"));
        json_decref(json);
    }
    http_reply_free(&reply);
}

static char *with_id(const char *text, const char *id)
{
    char *out = calloc(1, 4096);
    for (const char *found; text && (found = strstr(text, "{id}")); text = found + 4)
        snprintf(out + strlen(out), 4096 - strlen(out), "%.*s%s", (int)(found - text), text, id);
    if (text)
        strncat(out, text, 4095 - strlen(out));
    return out;
}

/* A page behind a cursor. */
static void ask_next(int port, const char *token, const char *path, const char *sort)
{
    struct http_reply reply;
    char target[1024];
    snprintf(target, sizeof(target), "%s?limit=2%s", path, sort);
    http_call(port, "GET", target, token, NULL, &reply);
    json_t *json = http_json(&reply);
    const char *cursor = http_json_text(json, "data.meta.nextCursor");
    cr_assert(cursor[0], "%s: %s", target, reply.body);
    snprintf(target, sizeof(target), "%s?limit=2%s&cursor=%s", path, sort, cursor);
    expect_status(port, "GET", target, token, NULL, 200, NULL);
    json_decref(json);
    http_reply_free(&reply);
}

static void ask_all(int port, const struct place *place)
{
    char *token = http_login(port, "ada@example.com"), id[40], headers[1024], hash[256];
    struct crypt_data *data = calloc(1, sizeof(*data));
    snprintf(hash, sizeof(hash), "UPDATE users SET password_hash = '%s'",
             crypt_rn("Passw0rd!", "$2b$04$abcdefghijklmnopqrstuu", data, sizeof(*data)));
    free(data);
    place_execute(place, hash);
    expect_status(port, "POST", "/api/v1/auth/login", NULL,
                  "{\"email\":\"ada@example.com\",\"password\":\"Passw0rd!\"}", 200, NULL);
    for (size_t r = 0; r < sizeof(resources) / sizeof(*resources); r++) {
        for (size_t i = 0; i < resources[r].count; i++) {
            const struct request *request = &resources[r].requests[i];
            expect_status(port, "POST", resources[r].path, token, resources[r].body, 201, id);
            char *target = with_id(request->target, id), *body = with_id(request->body, id), whole[4200];
            snprintf(whole, sizeof(whole), "%s%s", resources[r].path, target);
            snprintf(headers, sizeof(headers), "%s%s", token, request->headers ? request->headers : "");
            expect_status(port, request->method, whole, headers, request->body ? body : NULL, request->status, NULL);
            free(target);
            free(body);
        }
        for (const char *const *sort = resources[r].sorts; *sort; sort++)
            ask_next(port, token, resources[r].path, *sort);
    }
    free(token);
    /* And what asks by itself. */
    for (long long begun = 0;
         place_integer(place, "SELECT count(*) FROM jobs WHERE kind = 'auth.clean' AND state = 'done'") == 0;)
        cr_assert(service_patience(&begun, 30000), "nothing was cleaned");
}

enum { STATEMENTS = 200 };

struct statements {
    char *text; /* as recorded */
    char *types[STATEMENTS], *sql[STATEMENTS];
    size_t count;
};

static void read_statements(const struct place *place, struct statements *statements)
{
    char path[SERVICE_FOLDER_SIZE + 16];
    snprintf(path, sizeof(path), "%s/statements", place->folder);
    *statements = (struct statements){.text = command_text(path)};
    for (char *line = strtok(statements->text, "\n"); line; line = strtok(NULL, "\n")) {
        char *sql = strchr(line, '\t');
        size_t i = 0;
        *sql++ = '\0';
        while (i < statements->count &&
               (strcmp(statements->sql[i], sql) != 0 || strcmp(statements->types[i], line) != 0))
            i++;
        if (i < statements->count)
            continue;
        cr_assert_lt(statements->count, (size_t)STATEMENTS);
        statements->types[i] = line;
        statements->sql[i] = sql;
        statements->count++;
    }
}

/* Each kind is there; else the test would pass by looking at nothing. */
static void expect_kinds(const struct statements *statements)
{
    static const char *const kinds[] = {"FROM users WHERE email = $1",
                                        "FROM users WHERE id = $1",
                                        "INSERT INTO users",
                                        "UPDATE users SET password_hash",
                                        "INSERT INTO todos",
                                        "UPDATE todos",
                                        "DELETE FROM todos",
                                        "count(*)",
                                        "ORDER BY \"created_at\" DESC",
                                        "INSERT INTO lists",
                                        "UPDATE lists",
                                        "DELETE FROM lists",
                                        "FROM lists WHERE \"user_id\" = $1 ORDER BY \"position\", \"id\"",
                                        "SET list_id = NULL",
                                        "DELETE FROM todos WHERE list_id = $1",
                                        "FROM events WHERE user_id = $3",
                                        "DELETE FROM sessions WHERE id IN",
                                        "DELETE FROM mailed_tokens WHERE token_hash IN",
                                        "DELETE FROM login_addresses WHERE (user_id, address_hash) IN"};
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        bool found = false;
        for (size_t i = 0; i < statements->count; i++)
            found |= strstr(statements->sql[i], kinds[k]) != NULL;
        cr_expect(found, "no statement has \"%s\"", kinds[k]);
    }
    cr_expect_geq(statements->count, 50, "%zu", statements->count);
}

/* Sorted by what the index is made for, and by nothing that must be looked up first. */
static bool is_default_list(const char *sql)
{
    return strstr(sql, "FROM todos WHERE \"user_id\" = $1 ORDER BY \"created_at\" DESC, \"id\" DESC") != NULL ||
           strstr(sql, "FROM lists WHERE \"user_id\" = $1 ORDER BY \"position\", \"id\"") != NULL;
}

/* Words are looked up in a virtual table; what waits to be taken out of it is read from its beginning, a part at a time. */
static bool is_queue(const char *step)
{
    return strcmp(step, "SCAN todos_text_dead") == 0 || strncmp(step, "SCAN (subquery", 14) == 0;
}

/* The table has one row, or what is read is a part that was found by an index. */
static bool is_small(const char *step)
{
    return strcmp(step, "SCAN event_head") == 0 || strcmp(step, "SCAN e LEFT-JOIN") == 0;
}

/* ---- what the databases say ---- */

static void check_sqlite(const struct place *place, const struct statements *statements)
{
    char path[SERVICE_FOLDER_SIZE + 16];
    sqlite3 *db = NULL;
    snprintf(path, sizeof(path), "%s/todo.db", place->folder);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    for (size_t i = 0; i < statements->count; i++) {
        sqlite3_stmt *stmt = NULL;
        char *sql = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", statements->sql[i]);
        cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(stmt, 3);
            cr_expect(strncmp(step, "SCAN", 4) != 0 || strcmp(step, "SCAN CONSTANT ROW") == 0 ||
                          strstr(step, "VIRTUAL TABLE") || is_queue(step) || is_small(step),
                      "%s: %s", statements->sql[i], step);
            cr_expect(!is_default_list(statements->sql[i]) || !strstr(step, "TEMP B-TREE"), "%s: %s",
                      statements->sql[i], step);
        }
        sqlite3_finalize(stmt);
        sqlite3_free(sql);
    }
    sqlite3_close(db);
}

static void check_node(const char *sql, json_t *node)
{
    const char *type = json_string_value(json_object_get(node, "Node Type"));
    const char *table = json_string_value(json_object_get(node, "Relation Name"));
    const char *index_name = json_string_value(json_object_get(node, "Index Name"));
    size_t index;
    json_t *child;
    cr_assert(type, "%s", sql);
    if (!table || strcmp(table, "event_head") != 0) /* which has one row */
        cr_expect_str_neq(type, "Seq Scan", "%s", sql);
    if (index_name && strcmp(index_name, "events_pending") == 0) /* which holds only what is looked for */
        return;
    if (strcmp(type, "Index Scan") == 0 || strcmp(type, "Index Only Scan") == 0 ||
        strcmp(type, "Bitmap Index Scan") == 0)
        cr_expect(json_object_get(node, "Index Cond"), "a whole index is read: %s", sql);
    cr_expect(!is_default_list(sql) || !strstr(type, "Sort"), "%s: %s", sql, type);
    json_array_foreach(json_object_get(node, "Plans"), index, child) check_node(sql, child);
}

/* What is forbidden here and in a plan all the same is there because there is no other way. */
static void check_postgres(const struct place *place, const struct statements *statements)
{
    for (size_t i = 0; i < statements->count; i++) {
        char sql[16384 + 512], nulls[512] = "";
        const char *types = statements->types[i];
        for (const char *type = types; *type; type = type + strcspn(type, ",") + (type[strcspn(type, ",")] == ','))
            strcat(nulls, nulls[0] ? ", NULL" : "NULL");
        snprintf(sql, sizeof(sql),
                 "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET plan_cache_mode = "
                 "force_generic_plan; PREPARE p%s%s%s AS %s;"
                 " EXPLAIN (FORMAT JSON) EXECUTE p%s%s%s",
                 types[0] ? " (" : "", types, types[0] ? ")" : "", statements->sql[i], types[0] ? " (" : "", nulls,
                 types[0] ? ")" : "");
        char *text = place_ask(place, sql);
        json_t *plan = json_loads(text, 0, NULL);
        cr_assert(plan, "%s: %s", statements->sql[i], text);
        check_node(statements->sql[i], json_object_get(json_array_get(plan, 0), "Plan"));
        json_decref(plan);
        free(text);
    }
}

/* A count needs nothing but the index. */
static void check_big(const struct place *place)
{
    place_execute(
        place, "INSERT INTO users SELECT gen_random_uuid(), 'other' || i || '@example.com', 'x', 'user', now(), now()"
               " FROM generate_series(1, 2000) i");
    place_execute(
        place, "INSERT INTO todos (id, title, user_id, created_at, updated_at)"
               " SELECT gen_random_uuid(), 'foreign', id, created_at, created_at FROM users, generate_series(1, 20)");
    place_execute(place, "ANALYZE todos");
    char *plan = place_ask(
        place,
        "SET enable_bitmapscan = off; EXPLAIN (FORMAT JSON) SELECT count(*) FROM todos WHERE user_id = '" MISSING "'");
    cr_expect_not_null(strstr(plan, "Index Only Scan"), "%s", plan);
    free(plan);
}

static void check(const char *cluster)
{
    struct place place;
    struct statements statements;
    struct test_server server;
    char *output, recorder[32], database[POSTGRES_URL_SIZE + 16];
    place_new(&place, cluster);
    int code = command_run(&place, &output, WORDS("migrate", "up"));
    cr_assert_eq(code, 0, "%s", output);
    free(output);
    snprintf(recorder, sizeof(recorder), "RECORDER=%s", cluster ? "postgres" : "sqlite");
    snprintf(database, sizeof(database), "DATABASE_URL=%s", place.url);
    const char *const environment[] = {recorder, database, NULL};
    server_start(&server,
                 &(struct server_options){.config = config, .folder = place.folder, .environment = environment});
    ask_all(server.port, &place);
    cr_assert_eq(server_stop_keep(&server), 0);
    read_statements(&place, &statements);
    expect_kinds(&statements);
    if (cluster) {
        check_postgres(&place, &statements);
        check_big(&place);
    } else {
        check_sqlite(&place, &statements);
    }
    free(statements.text);
    place_free(&place);
}

Test(plans, sqlite, .timeout = 90)
{
    check(NULL);
}

Test(plans, postgres, .timeout = 90)
{
    struct test_postgres postgres;
    char admin[POSTGRES_URL_SIZE];
    postgres_start(&postgres, &(struct postgres_options){.durable = false});
    postgres_url(&postgres, NULL, "postgres", admin);
    check(admin);
    postgres_stop(&postgres);
}
