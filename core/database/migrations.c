/* SPDX-License-Identifier: MIT */
#include "core/database/migrations.h"

#include "backplane/status.h"
#include "core/base/arena.h"
#include "core/database/migrator.h"

static int up_owner(const struct owner *owner, struct bp_db_migrator *migrator, struct bp_arena *arena,
                    unsigned *applied)
{
    struct history history = {0};
    int status = migrator_checked_history(owner, migrator, arena, &history);
    for (size_t version = history.count + 1; status == 0 && version <= owner->count; version++) {
        status = migrator_step(owner, migrator, (uint32_t)version, true);
        *applied += status == 0;
    }
    return status;
}

/* All owners on one database, the first of which is owners[0]. */
static int up_database(const struct owner *owners, size_t count, struct bp_arena *arena, unsigned *applied)
{
    struct bp_db_migrator *migrator;
    int status = migrator_open(owners, false, &migrator);
    if (status)
        return status;
    for (size_t i = 0; i < count && status == 0; i++)
        if (owners[i].database == owners[0].database)
            status = up_owner(&owners[i], migrator, arena, applied);
    owners[0].vtable->migrate_close(migrator);
    return status;
}

static bool is_wanted(const struct owner *owner, bool at_start)
{
    const struct bp_database_vtable *vtable = owner->vtable;
    return !at_start || !vtable->migrates_at_start || vtable->migrates_at_start(owner->database->self);
}

static int up_all(const struct assembly *assembly, bool at_start, struct bp_arena *arena, unsigned *applied)
{
    struct owner *owners;
    size_t count = 0;
    int status = owners_list(assembly, arena, &owners, &count);
    for (size_t i = 0; i < count && status == 0; i++)
        if (owner_is_first(owners, i) && is_wanted(&owners[i], at_start))
            status = up_database(&owners[i], count - i, arena, applied);
    return status;
}

int migrations_up(struct assembly *assembly, bool at_start, unsigned *ret_applied)
{
    unsigned applied = 0;
    struct bp_arena *arena = arena_new();
    int status = arena ? up_all(assembly, at_start, arena, &applied) : BP_NOMEM;
    arena_free(arena);
    if (status == 0)
        *ret_applied = applied;
    return status;
}

void migrations_expect(const struct assembly *assembly)
{
    for (size_t i = 0; i < assembly->host_count; i++) {
        struct owner owner;
        if (owner_of(assembly->hosts[i], &owner) && owner.vtable->expect)
            owner.vtable->expect(owner.database->self, owner.name, owner.count);
    }
}
