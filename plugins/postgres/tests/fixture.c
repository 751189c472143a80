/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <unistd.h>

struct fixture fixture;

static void new_database(void)
{
    static unsigned serial;
    const char *cluster = getenv("TEST_POSTGRES_URL");
    char name[64];
    fixture_must(cluster);
    snprintf(name, sizeof(name), "plugin_%d_%u", (int)getpid(), ++serial);
    postgres_database(cluster, name, NULL);
    postgres_url_with(cluster, "backplane", name, fixture.url);
    postgres_url_with(cluster, "postgres", name, fixture.admin);
}

void fixture_new(void)
{
    new_database();
    fixture_open("postgres", "main", 2);
    fixture.database = fixture_host.self;
    fixture.service = (struct bp_service){.vtable = &database_vtable, .self = fixture_host.self};
    fixture_use_url(fixture.url);
}

void fixture_use_url(const char *url)
{
    fixture.database->url = bp_arena_copy(fixture_assembly.arena, bp_str_of(url));
}

int fixture_start(void)
{
    int status = fixture_init();
    return status != 0 ? status : fixture_start_instance();
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

void fixture_execute(const char *sql)
{
    postgres_execute(fixture.admin, sql);
}

int64_t fixture_integer(const char *sql)
{
    char *text = postgres_ask(fixture.admin, sql);
    int64_t value = strtoll(text, NULL, 10);
    free(text);
    return value;
}
