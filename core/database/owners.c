/* SPDX-License-Identifier: MIT */
#include "core/database/owners.h"

static struct bp_host *provider_of(const struct bp_host *host)
{
    for (size_t n = 0; host->plugin.needs && host->plugin.needs[n].size; n++)
        if (strcmp(host->plugin.needs[n].interface, BP_DATABASE) == 0)
            return host->providers[n];
    return NULL;
}

static const struct bp_database_vtable *database_vtable(const struct bp_host *host)
{
    for (const struct bp_provide *provide = host->plugin.provides; provide && provide->size; provide++)
        if (strcmp(provide->interface, BP_DATABASE) == 0)
            return provide->vtable;
    return NULL;
}

bool owner_of(const struct bp_host *host, struct owner *ret_owner)
{
    struct owner owner = {.name = host->migrations_owner ? host->migrations_owner : host->plugin.name,
                          .migrations = host->plugin.migrations,
                          .database = provider_of(host)};
    if (!owner.migrations || !owner.database)
        return false;
    while (owner.migrations[owner.count].size)
        owner.count++;
    owner.vtable = database_vtable(owner.database);
    *ret_owner = owner;
    return true;
}

bool owner_is_first(const struct owner *owners, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (owners[i].database == owners[index].database)
            return false;
    return true;
}

static bool is_listed(const struct owner *owners, size_t count, const struct owner *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (owners[i].database == wanted->database && strcmp(owners[i].name, wanted->name) == 0)
            return true;
    return false;
}

int owners_list(const struct assembly *assembly, struct bp_arena *arena, struct owner **ret_owners, size_t *ret_count)
{
    size_t count = 0;
    struct owner *owners = bp_arena_array(arena, assembly->host_count + 1, sizeof(*owners));
    if (!owners)
        return BP_NOMEM;
    for (size_t i = 0; i < assembly->host_count; i++) {
        struct owner owner;
        if (owner_of(assembly->hosts[i], &owner) && !is_listed(owners, count, &owner))
            owners[count++] = owner;
    }
    *ret_owners = owners;
    *ret_count = count;
    return 0;
}

static bool is_postgres(const struct owner *owner)
{
    return owner->vtable->system && strcmp(owner->vtable->system, "postgresql") == 0;
}

const char *owner_up(const struct owner *owner, uint32_t version)
{
    const struct bp_migration *migration = &owner->migrations[version - 1];
    return is_postgres(owner) && migration->up_postgres ? migration->up_postgres : migration->up;
}

const char *owner_down(const struct owner *owner, uint32_t version)
{
    const struct bp_migration *migration = &owner->migrations[version - 1];
    return is_postgres(owner) && migration->down_postgres ? migration->down_postgres : migration->down;
}
