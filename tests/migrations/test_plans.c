/* SPDX-License-Identifier: MIT */
/*
 * How the databases would run what the API asks of them: never by reading a whole table. A server whose database writes down each statement is asked everything that
 * the API offers; each statement is then explained by the database.
 */
#include <criterion/criterion.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "command.h"
#include "questions.h"
#include "tests/support/server.h"

static const char config[] =
    "server: { listen = ( { address = \"127.0.0.1:${PORT}\"; } ); data = \"${BACKPLANE_DATA}\"; workers = 1;"
    " job_workers = 1;"
    " plugin_path = \"" BACKPLANE_BUILD_ROOT "/tests/migrations\"; };\n"
    "plugins: ( { use = \"sqlite\"; name = \"inner\"; unless = \"DATABASE_URL\"; file = \"todo.db\"; },\n"
    "  { use = \"postgres\"; name = \"inner\"; when = \"DATABASE_URL\"; url = \"${DATABASE_URL}\"; },\n"
    "  { use = \"recorder_${RECORDER}\"; name = \"main\"; database = \"inner\"; file = "
    "\"${BACKPLANE_DATA}/statements\"; },\n"
    "  { use = \"auth\"; database = \"main\"; account_check_interval = \"0s\"; cleanup = \"1s\"; }, { use = \"todos\"; "
    "database = "
    "\"main\"; },\n"
    "  { use = \"lists\"; database = \"main\"; }, { use = \"events\"; database = \"main\"; },\n"
    "  { use = \"queue\"; database = \"main\"; lease = \"1s\"; poll = \"50ms\"; measure = \"50ms\"; }, { use = "
    "\"http_client\"; },\n"
    "  { use = \"reminders\"; database = \"main\"; }, { use = \"webhooks\"; database = \"main\"; },\n"
    "  { use = \"idempotency\"; database = \"main\"; cleanup = \"1s\"; },\n"
    "  { use = \"health\"; } );\n"
    "pipelines: { open = ( ); api = ( \"auth\", \"idempotency\" ); };\n"
    "routes: ( { match = \"/health/*\"; pipeline = \"open\"; }, { match = \"/api/v1/auth/*\"; pipeline = \"open\"; },\n"
    "  { match = \"/*\"; pipeline = \"api\"; } );\n";

enum { STATEMENTS = 300 };

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
                                        "DELETE FROM login_addresses WHERE (user_id, address_hash) IN",
                                        "UPDATE jobs SET state = 'running'",
                                        "INSERT INTO jobs",
                                        "UPDATE jobs SET state = 'done'",
                                        "WHERE kind = $1 AND unique_key = $2",
                                        "UPDATE job_workers SET lease_until",
                                        "FROM jobs WHERE state = 'dead'",
                                        "INSERT INTO reminders",
                                        "UPDATE reminders SET sent_at",
                                        "DELETE FROM reminders WHERE todo_id IN (SELECT todo_id",
                                        "INSERT INTO webhook_deliveries",
                                        "UPDATE webhook_deliveries SET state",
                                        "DELETE FROM webhook_deliveries",
                                        "FROM webhooks WHERE enabled",
                                        "INSERT INTO idempotency_keys",
                                        "DELETE FROM idempotency_keys"};
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

/* Of few rows, however many accounts and todos there are: one for each plugin, queue or worker. */
static bool is_small(const char *table)
{
    static const char *const tables[] = {"event_head", "event_consumers", "job_queues", "job_schedules", "job_workers"};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (strcmp(table, tables[i]) == 0)
            return true;
    return false;
}

/* They hold only what is looked for: events without a position, jobs that run. */
static bool is_part(const char *index)
{
    return strcmp(index, "events_pending") == 0 || strcmp(index, "jobs_running") == 0;
}

/* What is to be read as a whole: how much there is of what is still to be done. */
static bool is_whole(const char *sql)
{
    return strstr(sql, "sum(waiting)");
}

/* "SCAN jobs USING INDEX jobs_running", "SCAN e LEFT-JOIN": the table is small, or what is read is a part that an index has found. */
static bool may_scan(const char *step)
{
    char table[64] = "", index[64] = "";
    (void)sscanf(step, "SCAN %63s USING %*[A-Z ]%63s", table, index);
    return is_small(table) || is_part(index) || strcmp(step, "SCAN e LEFT-JOIN") == 0 || strcmp(step, "SCAN n") == 0 ||
           strcmp(step, "SCAN CONSTANT ROW") == 0 || strstr(step, "VIRTUAL TABLE");
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
            cr_expect(strncmp(step, "SCAN", 4) != 0 || may_scan(step) || is_queue(step) || is_whole(statements->sql[i]),
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
    bool small = table && is_small(table);
    cr_expect(strcmp(type, "Seq Scan") != 0 || small || is_whole(sql), "%s", sql);
    if (strcmp(type, "Index Scan") == 0 || strcmp(type, "Index Only Scan") == 0 ||
        strcmp(type, "Bitmap Index Scan") == 0)
        cr_expect(json_object_get(node, "Index Cond") || small || is_part(index_name) || is_whole(sql),
                  "the whole of %s is read: %s", index_name, sql);
    cr_expect(!is_default_list(sql) || !strstr(type, "Sort"), "%s: %s", sql, type);
    json_array_foreach(json_object_get(node, "Plans"), index, child) check_node(sql, child);
}

/* Of an empty table it would rather read all than look for the ones that are asked for. */
static void fill_jobs(const struct place *place)
{
    place_execute(place,
                  "INSERT INTO jobs (id, kind, queue, state, priority, attempts, unique_key, worker, enqueued_at, "
                  "run_at, finished_at) SELECT gen_random_uuid(), 'x', 'q' || i % 7, (ARRAY['scheduled', 'waiting', "
                  "'done', 'dead', 'running'])[i % 5 + 1], 0, 20, CASE WHEN i % 2 = 0 THEN 'k' || i END, "
                  "CASE WHEN i % 5 = 4 THEN gen_random_uuid() END, now(), now() + i * interval '1 second', CASE WHEN i "
                  "% 5 IN (2, 3) THEN now() END FROM generate_series(1, 20000) i");
    place_execute(place, "ANALYZE jobs");
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
                 "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET enable_hashjoin = "
                 "off; SET enable_mergejoin = off; SET plan_cache_mode = "
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
    char *plan = place_ask(place, "SET enable_bitmapscan = off; EXPLAIN (FORMAT JSON) SELECT count(*) FROM todos WHERE "
                                  "user_id = '00000000-0000-4000-8000-00000000000f'");
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
    cr_assert_eq(setenv("WEBHOOKS", "1", 1), 0); /* the shipped configuration has them then */
    int code = command_run(&place, &output, WORDS("migrate", "up"));
    cr_assert_eq(code, 0, "%s", output);
    free(output);
    snprintf(recorder, sizeof(recorder), "RECORDER=%s", cluster ? "postgres" : "sqlite");
    snprintf(database, sizeof(database), "DATABASE_URL=%s", place.url);
    const char *const environment[] = {recorder, database, NULL};
    server_start(&server,
                 &(struct server_options){.config = config, .folder = place.folder, .environment = environment});
    questions_ask(server.port, &place);
    cr_assert_eq(server_stop_keep(&server), 0);
    read_statements(&place, &statements);
    expect_kinds(&statements);
    if (cluster) {
        fill_jobs(&place);
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
