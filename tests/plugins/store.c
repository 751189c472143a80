/* SPDX-License-Identifier: MIT */
/* A database that only says what it was asked to do, and remembers which migrations it has. */
#include "backplane/iface/database.h"
#include "trace.h"

#define RECORDS 8

struct record {
    char owner[32], name[32], checksum[80];
    struct bp_db_applied applied;
};

struct store {
    const struct bp_host *host;
    bp_str refuses, has;
    bool late;
    struct record records[RECORDS];
    size_t count;
};

static const struct bp_field options[] = {
    BP_TEXT(struct store, refuses, .doc = "The plugin whose migrations fail."),
    BP_TEXT(struct store, has, .doc = "A plugin that has applied a migration 9 of a newer server."),
    BP_BOOL(struct store, late, .def = "false", .doc = "Whether the start of the server leaves the schema alone."),
    BP_END};

static void keep(struct store *store, const char *owner, const struct bp_db_applied *applied)
{
    struct record *record = &store->records[store->count++];
    record->applied = *applied;
    strcpy(record->owner, owner);
    memcpy(record->name, applied->name.ptr, applied->name.len);
    memcpy(record->checksum, applied->checksum.ptr, applied->checksum.len);
    record->applied.name = bp_str_of(record->name);
    record->applied.checksum = bp_str_of(record->checksum);
    record->applied.applied_at = (bp_date)store->count;
}

static int migrate_open(void *self, bool read_only, struct bp_db_migrator **ret_migrator)
{
    const struct store *store = self;
    TRACE(store->host, "open%s", read_only ? " to read" : "");
    *ret_migrator = self;
    return 0;
}

static int migrate_history(struct bp_db_migrator *migrator, const char *owner, struct bp_arena *arena,
                           struct bp_db_applied **ret_applied, size_t *ret_count)
{
    const struct store *store = (const struct store *)migrator;
    struct bp_db_applied *rows = bp_arena_array(arena, RECORDS, sizeof(*rows));
    size_t count = 0;
    for (size_t i = 0; i < store->count; i++)
        if (strcmp(store->records[i].owner, owner) == 0)
            rows[count++] = store->records[i].applied;
    *ret_applied = rows;
    *ret_count = count;
    return 0;
}

static int migrate_step(struct bp_db_migrator *migrator, const char *owner, const struct bp_db_applied *applied,
                        bool forward, const char *sql, const char **ret_why)
{
    struct store *store = (struct store *)migrator;
    TRACE(store->host, "%s %s %u", forward ? "up" : "down", owner, applied->version);
    (void)sql;
    if (bp_str_is(store->refuses, owner)) {
        *ret_why = "no such table";
        return BP_ERROR;
    }
    if (forward)
        keep(store, owner, applied);
    for (size_t i = 0; i < store->count && !forward; i++)
        if (strcmp(store->records[i].owner, owner) == 0 && store->records[i].applied.version == applied->version)
            store->records[i] = store->records[--store->count];
    return 0;
}

static void migrate_close(struct bp_db_migrator *migrator)
{
    TRACE(((struct store *)migrator)->host, "close");
}

static bool migrates_at_start(void *self)
{
    return !((const struct store *)self)->late;
}

static void expect(void *self, const char *owner, uint32_t version)
{
    TRACE(((const struct store *)self)->host, "expect %s %u", owner, version);
}

static int backup(void *self, const char *file)
{
    const struct store *store = self;
    TRACE(store->host, "backup %s", file);
    return 0;
}

static const struct bp_database_vtable vtable = {.size = sizeof(vtable),
                                                 .system = "store",
                                                 .backup = backup,
                                                 .migrate_open = migrate_open,
                                                 .migrate_history = migrate_history,
                                                 .migrate_step = migrate_step,
                                                 .migrate_close = migrate_close,
                                                 .migrates_at_start = migrates_at_start,
                                                 .expect = expect};
static const struct bp_provide provides[] = {BP_PROVIDE(BP_DATABASE, BP_DATABASE_VERSION, &vtable), BP_PROVIDE_END};

static int init(struct bp_host *host, void *self)
{
    struct store *store = self;
    char owner[32] = "";
    store->host = host;
    if (store->has.len > 0) {
        memcpy(owner, store->has.ptr, store->has.len);
        keep(store, owner,
             &(struct bp_db_applied){.version = 9, .name = BP_STR("of_tomorrow"), .checksum = BP_STR("00")});
    }
    return 0;
}

static int start(struct bp_host *host, void *self)
{
    (void)self;
    TRACE(host, "start");
    return 0;
}

BP_PLUGIN(.name = "store", .version = "1.0.0", .doc = "Stores nothing.", .self_size = sizeof(struct store),
          .options = options, .provides = provides, .init = init, .start = start);
