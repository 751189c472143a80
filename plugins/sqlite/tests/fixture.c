/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <criterion/criterion.h>

#include <stdio.h>

#include "core/database/migrations.h"

struct fixture fixture;

static void init(void)
{
    fixture_must(fixture_init() == 0);
    fixture.database = fixture_host.self;
    fixture.service = (struct bp_service){.vtable = &database_vtable, .self = fixture_host.self};
}

void fixture_new(void)
{
    fixture_open("sqlite", "main", 1);
    init();
}

void fixture_child(void)
{
    fixture_reopen();
    init();
}

int fixture_migrate(const char *owner, const struct bp_migration *migrations, unsigned *ret_applied)
{
    static const struct bp_need needs[] = {
        {.size = sizeof(struct bp_need), .version = BP_DATABASE_VERSION, .interface = BP_DATABASE}, BP_NEED_END};
    struct bp_host *provider = &fixture_host;
    struct bp_host user = {.name = "user",
                           .plugin = {.name = owner, .migrations = migrations, .needs = needs},
                           .providers = &provider,
                           .assembly = &fixture_assembly};
    struct bp_host *hosts[] = {&fixture_host, &user};
    int status;
    fixture_assembly.hosts = hosts;
    fixture_assembly.host_count = 2;
    status = migrations_up(&fixture_assembly, true, ret_applied);
    fixture_assembly.hosts = NULL;
    fixture_assembly.host_count = 0;
    return status;
}

struct query {
    const struct bp_statement *statement;
    const struct bp_db_value *values;
    size_t count;
    int status;
};

static void run_query(void *argument)
{
    struct query *query = argument;
    query->status =
        bp_db_query(fixture.service, NULL, query->statement, query->values, query->count, bp_fiber_arena(), NULL);
}

int fixture_query(const struct bp_statement *statement, const struct bp_db_value *values, size_t count)
{
    struct query query = {.statement = statement, .values = values, .count = count};
    fixture_run(run_query, &query);
    return query.status;
}

int fixture_exec(const char *sql)
{
    sqlite3 *db = NULL;
    int code = sqlite3_open(fixture.database->path, &db);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(db, 5000);
        code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    }
    sqlite3_close(db);
    return code;
}

int64_t fixture_integer(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t value;
    fixture_must(sqlite3_open(fixture.database->path, &db) == SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    fixture_must(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK);
    fixture_must(sqlite3_step(stmt) == SQLITE_ROW);
    value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return value;
}

const char *fixture_path(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", fixture_folder, name);
    return path;
}

unsigned fixture_waiting(struct lane *lane, const char *queue)
{
    uint64_t last;
    unsigned waiting = lane_look(lane, &last);
    char sample[128];
    snprintf(sample, sizeof(sample), "\nsqlite_queue_depth{instance=\"main\",queue=\"%s\"} %u\n", queue, waiting);
    cr_assert(strstr(fixture_metrics(), sample), "no %s", sample);
    return waiting;
}
