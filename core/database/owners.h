/* SPDX-License-Identifier: MIT */
/* Who has tables in which database. */
#ifndef CORE_DATABASE_OWNERS_H
#define CORE_DATABASE_OWNERS_H

#include "backplane/iface/database.h"
#include "core/plugin/assembly.h"

struct owner {
    const char *name; /* of the plugin, or as bp_migrations_add() says */
    const struct bp_migration *migrations;
    uint32_t count;
    struct bp_host *database;
    const struct bp_database_vtable *vtable; /* of the database */
};

/* In start order: the same plugin on the same database is there once. BP_NOMEM or 0. */
int owners_list(const struct assembly *assembly, struct bp_arena *arena, struct owner **ret_owners, size_t *ret_count);
/* What an instance is an owner of. False: it has no migrations, or no database. */
bool owner_of(const struct bp_host *host, struct owner *ret_owner);
/* Whether no owner before this one is on the same database. */
bool owner_is_first(const struct owner *owners, size_t index);

/* The texts for the owner's database. NULL: there is no way back. */
const char *owner_up(const struct owner *owner, uint32_t version);
const char *owner_down(const struct owner *owner, uint32_t version);

#endif
