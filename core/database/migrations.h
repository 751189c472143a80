/* SPDX-License-Identifier: MIT */
/*
 * Schema migrations: which plugin's steps a database has, and how it gets those it lacks. But for migrations_expect() in a one-shot
 * process: init was called, start is not. A plugin is one owner on a database, however many instances of it use that database.
 */
#ifndef CORE_DATABASE_MIGRATIONS_H
#define CORE_DATABASE_MIGRATIONS_H

#include "core/base/buffer.h"
#include "core/plugin/assembly.h"

/* Applies what is missing, owner by owner in start order, each step in a transaction of its own, under a lock. Refuses a history that
 * differs from the program's. Stops at the first failure, which is logged. at_start: only in databases that are migrated when the
 * server starts. ret_applied: steps, over all. */
int migrations_up(struct assembly *assembly, bool at_start, unsigned *ret_applied);

/* What to undo: the newest step of the owner, or `steps` of them, or those above version `to`. Without an owner: the newest of all. */
struct migration_target {
    const char *
        owner; /* NULL: whoever's was applied last; of those applied at one time, who needs others before who is needed */
    bool to_version;
    uint32_t to;    /* with to_version; 0: all of them */
    unsigned steps; /* else */
};

/* Undoes steps, newest first. Before anything is undone, refuses what cannot be (BP_INVALID, with a line in problems): no such owner, fewer
 * steps than asked for, a step without a way back. Any other failure is logged. ret_undone: steps. */
int migrations_down(struct assembly *assembly, const struct migration_target *target, struct buffer *problems,
                    unsigned *ret_undone);

enum migration_state {
    MIGRATION_APPLIED,
    MIGRATION_MISSING,
    MIGRATION_CHANGED, /* applied under another name, or with another text */
    MIGRATION_UNKNOWN  /* applied, but this program does not have it: a newer one did that */
};

struct migration_row {
    const char *database; /* the instance */
    const char *owner;
    uint32_t version;
    const char *name;
    enum migration_state state;
    bp_date applied_at; /* unless missing */
};

/* Every step known to the program or to the database, by database, owner in start order, and version. Changes nothing. */
int migrations_status(struct assembly *assembly, struct bp_arena *arena, struct migration_row **ret_rows,
                      size_t *ret_count);

/* In a worker, before the first start: tells the databases which versions the plugins were written for. */
void migrations_expect(const struct assembly *assembly);

#endif
