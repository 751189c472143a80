/* SPDX-License-Identifier: MIT */
/* A database in front of another, which writes down every statement that it is asked to run: a line each, with the types of the values
 * (PostgreSQL's names), a tab, and the text. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backplane/backplane.h"
#include "backplane/iface/database.h"

struct recorder {
    struct bp_service inner;
    bp_str file;
};

static const struct bp_field options[] = {BP_TEXT(struct recorder, file, .flags = BP_REQUIRED, .doc = "Where to."),
                                          BP_END};

static const struct bp_database_vtable *inner(const struct recorder *recorder)
{
    return recorder->inner.vtable;
}

static const char *type_name(uint32_t type)
{
    switch (type) {
    case BP_TYPE_BOOL:
        return "boolean";
    case BP_TYPE_I64:
        return "bigint";
    case BP_TYPE_F64:
        return "double precision";
    case BP_TYPE_TEXT:
        return "text";
    case BP_TYPE_UUID:
        return "uuid";
    case BP_TYPE_DATE:
        return "timestamptz";
    default:
        return "unknown";
    }
}

static int query(void *self, struct bp_db_tx *tx, const struct bp_statement *statement,
                 const struct bp_db_value *values, size_t count, struct bp_arena *arena, struct bp_result *ret_result)
{
    const struct recorder *recorder = self;
    const char *sql = RECORDER_IS_POSTGRES && statement->sql_postgres ? statement->sql_postgres : statement->sql;
    char line[16384];
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(line + len, sizeof(line) - len, "%s%s", i > 0 ? "," : "", type_name(values[i].type));
    len += (size_t)snprintf(line + len, sizeof(line) - len, "\t%s\n", sql);
    /* In one go: workers write at the same time. */
    int fd = len < sizeof(line) ? open(recorder->file.ptr, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0 || write(fd, line, len) != (ssize_t)len || close(fd) != 0)
        abort();
    return inner(recorder)->query(recorder->inner.self, tx, statement, values, count, arena, ret_result);
}

static int begin(void *self, struct bp_db_tx **ret_tx)
{
    const struct recorder *recorder = self;
    return inner(recorder)->begin(recorder->inner.self, ret_tx);
}

static int commit(void *self, struct bp_db_tx *tx)
{
    const struct recorder *recorder = self;
    return inner(recorder)->commit(recorder->inner.self, tx);
}

static void rollback(void *self, struct bp_db_tx *tx)
{
    const struct recorder *recorder = self;
    inner(recorder)->rollback(recorder->inner.self, tx);
}

static int ping(void *self, bp_span timeout)
{
    const struct recorder *recorder = self;
    return inner(recorder)->ping(recorder->inner.self, timeout);
}

/* The test has migrated it already. */
static bool migrates_at_start(void *self)
{
    (void)self;
    return false;
}

static const struct bp_database_vtable vtable = {.size = sizeof(vtable),
                                                 .system = RECORDER_IS_POSTGRES ? "postgresql" : "sqlite",
                                                 .query = query,
                                                 .begin = begin,
                                                 .commit = commit,
                                                 .rollback = rollback,
                                                 .ping = ping,
                                                 .migrates_at_start = migrates_at_start};
static const struct bp_provide provides[] = {BP_PROVIDE(BP_DATABASE, BP_DATABASE_VERSION, &vtable), BP_PROVIDE_END};
static const struct bp_need needs[] = {BP_NEED(BP_DATABASE, BP_DATABASE_VERSION, struct recorder, inner), BP_NEED_END};

BP_PLUGIN(.name = RECORDER_NAME, .version = "1.0.0", .self_size = sizeof(struct recorder), .options = options,
          .needs = needs, .provides = provides);
