/* SPDX-License-Identifier: MIT */
/* A provider's primitives with what all providers' errors have in common: each failure is in the log once, and a status here. */
#ifndef CORE_DATABASE_MIGRATOR_H
#define CORE_DATABASE_MIGRATOR_H

#include "core/database/owners.h"

struct history {
    struct bp_db_applied *records;
    size_t count;
};

/* Close it with the vtable's migrate_close. */
int migrator_open(const struct owner *owner, bool read_only, struct bp_db_migrator **ret_migrator);
int migrator_history(const struct owner *owner, struct bp_db_migrator *migrator, struct bp_arena *arena,
                     struct history *ret_history);
/* The same, and refuses one that differs from the program's: then its count is that of the owner's steps that are applied. */
int migrator_checked_history(const struct owner *owner, struct bp_db_migrator *migrator, struct bp_arena *arena,
                             struct history *ret_history);
/* Applies a step, or undoes it. */
int migrator_step(const struct owner *owner, struct bp_db_migrator *migrator, uint32_t version, bool forward);

#endif
