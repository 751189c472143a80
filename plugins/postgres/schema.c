/* SPDX-License-Identifier: MIT */
#include "schema.h"

#include <stdio.h>
#include <stdlib.h>

#include "database.h"

#define POLL BP_SECOND

struct recorded {
    bp_str owner;
    int64_t version;
};
static const struct bp_field recorded_rows[] = {BP_TEXT(struct recorded, owner), BP_I64(struct recorded, version),
                                                BP_END};
/* Empty, instead of an error, while there is no such table. */
static const struct bp_statement exists =
    BP_STATEMENT(.name = "schema.exists", .flags = BP_SQL_READ,
                 .sql = "SELECT '', 0 WHERE to_regclass('backplane_migrations') IS NOT NULL", .rows = recorded_rows,
                 .row_size = sizeof(struct recorded));
static const struct bp_statement versions =
    BP_STATEMENT(.name = "schema.versions", .flags = BP_SQL_READ,
                 .sql = "SELECT owner, max(version)::bigint FROM backplane_migrations GROUP BY owner",
                 .rows = recorded_rows, .row_size = sizeof(struct recorded));

void schema_expect(void *self, const char *owner, uint32_t version)
{
    struct database *database = self;
    struct expectation *expectation = calloc(1, sizeof(*expectation));
    if (!expectation)
        return;
    *expectation = (struct expectation){database->schema.expectations, owner, version};
    database->schema.expectations = expectation;
}

void schema_free(struct schema *schema)
{
    for (struct expectation *expectation = schema->expectations, *next; expectation; expectation = next) {
        next = expectation->next;
        free(expectation);
    }
    schema->expectations = NULL;
}

static int ask(struct database *database, const struct bp_statement *statement, struct bp_result *ret_result)
{
    struct job job = {.statement = statement};
    int status = lane_run_urgent(&database->lanes[LANE_READ], &job);
    return status != 0 ? status : database_finish(database, &job, bp_fiber_arena(), ret_result);
}

static int64_t version_of(const struct bp_result *result, const char *owner)
{
    const struct recorded *recorded = result->rows;
    for (size_t i = 0; i < result->len; i++)
        if (bp_str_is(recorded[i].owner, owner))
            return recorded[i].version;
    return 0;
}

/* What is missing, in words; "" when nothing. */
static void describe(const struct schema *schema, const struct bp_result *result, char *detail, size_t size)
{
    size_t len = 0;
    int64_t all = 0;
    detail[0] = '\0';
    for (const struct expectation *wanted = schema->expectations; wanted; wanted = wanted->next) {
        int64_t missing = (int64_t)wanted->version - version_of(result, wanted->owner);
        if (missing <= 0)
            continue;
        all += missing;
        len += (size_t)snprintf(detail + len, size - len, "%s%lld migration%s of %.30s", len ? " and " : "",
                                (long long)missing, missing == 1 ? "" : "s", wanted->owner);
        if (len >= size / 2)
            break;
    }
    if (len > 0)
        snprintf(detail + len, size - len, " %s missing: run `backplane migrate up`", all == 1 ? "is" : "are");
}

/* 0 or 1 (ready), or a negative status. */
static int check(struct database *database)
{
    struct schema *schema = &database->schema;
    struct bp_result result = {0};
    char detail[sizeof(schema->detail)];
    int status = ask(database, &exists, &result);
    if (status == 0 && result.len > 0)
        status = ask(database, &versions, &result);
    if (status != 0)
        return status;
    describe(schema, &result, detail, sizeof(detail));
    if (detail[0] == '\0')
        return 1;
    if (strcmp(schema->detail, detail) != 0) {
        memcpy(schema->detail, detail, sizeof(detail));
        bp_log(database->host, BP_LOG_WARN, "postgres.schema_behind",
               "Queries are refused until the schema is up to date", bp_log_cstr("detail", detail));
    }
    return 0;
}

static int watch(void *argument)
{
    struct database *database = argument;
    struct schema *schema = &database->schema;
    int status;
    while ((status = check(database)) != 1) {
        if (status == BP_CANCELED)
            return status;
        if (status == 0 || status == BP_ERROR) {
            schema->state = SCHEMA_BEHIND;
            for (unsigned i = 0; i < LANES; i++)
                job_list_fail(&database->lanes[i].queue, BP_BUSY);
        }
        status = bp_sleep(POLL);
        if (status != 0)
            return status;
    }
    if (schema->state == SCHEMA_BEHIND)
        bp_log(database->host, BP_LOG_INFO, "postgres.schema_ready", "The schema is up to date");
    schema->state = SCHEMA_READY;
    for (unsigned i = 0; i < LANES; i++)
        lane_wake(&database->lanes[i]);
    return 0;
}

int schema_start(struct database *database)
{
    database->schema.state = database->schema.expectations ? SCHEMA_UNKNOWN : SCHEMA_READY;
    database->schema.detail[0] = '\0';
    return database->schema.expectations ? bp_spawn(database->host, "postgres.schema", watch, database, BP_FOREVER) : 0;
}
