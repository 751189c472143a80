/* SPDX-License-Identifier: MIT */
#include "backplane/status.h"
#include "core/base/arena.h"
#include "core/database/migrations.h"
#include "core/database/migrator.h"

struct undoing {
    const struct migration_target *target;
    struct owner *owners; /* of the one database */
    struct history *histories;
    size_t count;
    unsigned steps;
    struct buffer *problems;
};

/* Leaves the owners that may be asked: the one that is named, or all, of one database. */
static int choose_owners(struct undoing *undoing)
{
    const char *name = undoing->target->owner;
    size_t chosen = 0;
    for (size_t i = 0; i < undoing->count; i++)
        if (!name || strcmp(undoing->owners[i].name, name) == 0)
            undoing->owners[chosen++] = undoing->owners[i];
    undoing->count = chosen;
    if (chosen == 0) {
        buffer_printf(undoing->problems,
                      name ? "no plugin \"%s\" with migrations is configured" : "no plugin has migrations", name);
        return BP_INVALID;
    }
    for (size_t i = 1; i < chosen; i++)
        if (undoing->owners[i].database != undoing->owners[0].database) {
            buffer_printf(undoing->problems,
                          "%s on \"%s\" and on \"%s\": leave one database in the configuration given with -c",
                          name ? "it is" : "there are migrations", undoing->owners[0].database->name,
                          undoing->owners[i].database->name);
            return BP_INVALID;
        }
    return 0;
}

/* How many there are, or are asked for. */
static int count_steps(struct undoing *undoing)
{
    const struct migration_target *target = undoing->target;
    size_t applied = 0;
    for (size_t i = 0; i < undoing->count; i++)
        applied += undoing->histories[i].count;
    undoing->steps = target->steps;
    if (target->to_version && target->to > applied)
        buffer_printf(undoing->problems, "%s is at version %zu, older than %u", undoing->owners[0].name, applied,
                      target->to);
    else if (target->to_version)
        undoing->steps = (unsigned)applied - target->to;
    if (undoing->problems->len == 0 && undoing->steps > applied)
        buffer_printf(undoing->problems, "%u migration%s cannot be undone: %zu %s applied", undoing->steps,
                      undoing->steps == 1 ? "" : "s", applied, applied == 1 ? "is" : "are");
    return undoing->problems->len > 0 ? BP_INVALID : 0;
}

/* Whose newest step is the newest of all; takes it out of the history. */
static size_t take_newest(struct undoing *undoing)
{
    size_t newest = undoing->count;
    bp_date date = 0;
    for (size_t i = 0; i < undoing->count; i++) {
        const struct history *history = &undoing->histories[i];
        if (history->count == 0)
            continue;
        bp_date applied_at = history->records[history->count - 1].applied_at;
        if (newest == undoing->count || applied_at >= date) {
            newest = i;
            date = applied_at;
        }
    }
    undoing->histories[newest].count--;
    return newest;
}

static int undo(struct undoing *undoing, struct bp_db_migrator *migrator, struct bp_arena *arena, unsigned *undone)
{
    const struct owner **plan = bp_arena_array(arena, (size_t)undoing->steps + 1, sizeof(*plan));
    uint32_t *versions = bp_arena_array(arena, (size_t)undoing->steps + 1, sizeof(*versions));
    int status = 0;
    if (!plan || !versions)
        return BP_NOMEM;
    for (unsigned i = 0; i < undoing->steps; i++) {
        size_t index = take_newest(undoing);
        plan[i] = &undoing->owners[index];
        versions[i] = (uint32_t)undoing->histories[index].count + 1;
        if (!owner_down(plan[i], versions[i])) {
            buffer_printf(undoing->problems, "migration %u (%s) of %s cannot be undone: it has no down text",
                          versions[i], plan[i]->migrations[versions[i] - 1].name, plan[i]->name);
            return BP_INVALID;
        }
    }
    for (unsigned i = 0; i < undoing->steps && status == 0; i++) {
        status = migrator_step(plan[i], migrator, versions[i], false);
        *undone += status == 0;
    }
    return status;
}

static int down(struct assembly *assembly, struct undoing *undoing, struct bp_arena *arena, unsigned *undone)
{
    struct bp_db_migrator *migrator;
    int status = owners_list(assembly, arena, &undoing->owners, &undoing->count);
    if (status == 0)
        status = choose_owners(undoing);
    if (status == 0 && !(undoing->histories = bp_arena_array(arena, undoing->count, sizeof(*undoing->histories))))
        status = BP_NOMEM;
    if (status == 0)
        status = migrator_open(undoing->owners, false, &migrator);
    if (status)
        return status;
    for (size_t i = 0; i < undoing->count && status == 0; i++)
        status = migrator_checked_history(&undoing->owners[i], migrator, arena, &undoing->histories[i]);
    if (status == 0)
        status = count_steps(undoing);
    if (status == 0)
        status = undo(undoing, migrator, arena, undone);
    undoing->owners[0].vtable->migrate_close(migrator);
    return status;
}

int migrations_down(struct assembly *assembly, const struct migration_target *target, struct buffer *problems,
                    unsigned *ret_undone)
{
    struct undoing undoing = {.target = target, .problems = problems};
    unsigned undone = 0;
    struct bp_arena *arena = arena_new();
    int status = arena ? down(assembly, &undoing, arena, &undone) : BP_NOMEM;
    arena_free(arena);
    if (status == 0)
        *ret_undone = undone;
    return status;
}
