/* SPDX-License-Identifier: MIT */
#include "backplane/status.h"
#include "core/base/arena.h"
#include "core/database/migrator.h"
#include "core/database/schema_history.h"

struct rows {
    struct bp_arena *arena;
    struct migration_row *rows;
    size_t count, cap;
};

static int add(struct rows *rows, const struct owner *owner, uint32_t version, const struct bp_db_applied *record)
{
    if (rows->count == rows->cap) {
        size_t cap = rows->cap ? 2 * rows->cap : 32;
        struct migration_row *grown = bp_arena_array(rows->arena, cap, sizeof(*grown));
        if (!grown)
            return BP_NOMEM;
        if (rows->count > 0)
            memcpy(grown, rows->rows, rows->count * sizeof(*grown));
        rows->rows = grown;
        rows->cap = cap;
    }
    struct migration_row *row = &rows->rows[rows->count];
    *row = (struct migration_row){.database = owner->database->name,
                                  .owner = owner->name,
                                  .version = version,
                                  .name = version >= 1 && version <= owner->count ? owner->migrations[version - 1].name
                                                                                  : "",
                                  .state = MIGRATION_MISSING};
    if (record) {
        row->state = history_state(owner, record);
        row->applied_at = record->applied_at;
        if (!(row->name = bp_arena_copy(rows->arena, record->name).ptr))
            return BP_NOMEM;
    }
    rows->count++;
    return 0;
}

/* Both are sorted by version. */
static int add_owner(struct rows *rows, const struct owner *owner, const struct history *history)
{
    uint32_t next = 1;
    int status = 0;
    for (size_t i = 0; i < history->count && status == 0; i++) {
        const struct bp_db_applied *record = &history->records[i];
        for (; next < record->version && next <= owner->count && status == 0; next++)
            status = add(rows, owner, next, NULL);
        if (status == 0)
            status = add(rows, owner, record->version, record);
        if (next == record->version)
            next++;
    }
    for (; next <= owner->count && status == 0; next++)
        status = add(rows, owner, next, NULL);
    return status;
}

static int add_all(const struct assembly *assembly, struct rows *rows)
{
    struct owner *owners;
    size_t count = 0;
    int status = owners_list(assembly, rows->arena, &owners, &count);
    for (size_t i = 0; i < count && status == 0; i++) {
        struct bp_db_migrator *migrator;
        if (!owner_is_first(owners, i))
            continue;
        status = migrator_open(&owners[i], true, &migrator);
        if (status)
            return status;
        for (size_t j = i; j < count && status == 0; j++) {
            struct history history = {0};
            if (owners[j].database != owners[i].database)
                continue;
            status = migrator_history(&owners[j], migrator, rows->arena, &history);
            if (status == 0)
                status = add_owner(rows, &owners[j], &history);
        }
        owners[i].vtable->migrate_close(migrator);
    }
    return status;
}

int migrations_status(struct assembly *assembly, struct bp_arena *arena, struct migration_row **ret_rows,
                      size_t *ret_count)
{
    struct rows rows = {.arena = arena};
    int status = add_all(assembly, &rows);
    if (status == 0) {
        *ret_rows = rows.rows;
        *ret_count = rows.count;
    }
    return status;
}
