/* SPDX-License-Identifier: MIT */
#include "core/plugin/migrate.h"

#include "backplane/iface/database.h"
#include "backplane/log.h"
#include "backplane/status.h"

static struct bp_host *database_of(const struct bp_host *host)
{
    for (size_t n = 0; host->plugin.needs && host->plugin.needs[n].size; n++)
        if (strcmp(host->plugin.needs[n].interface, BP_DATABASE) == 0)
            return host->providers[n];
    return NULL;
}

static const struct bp_database_vtable *database_vtable(const struct bp_host *provider)
{
    for (const struct bp_provide *provide = provider->plugin.provides; provide->size; provide++)
        if (strcmp(provide->interface, BP_DATABASE) == 0)
            return provide->vtable;
    return NULL;
}

static bool is_done_before(const struct assembly *assembly, size_t index, const struct bp_host *database)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(assembly->hosts[i]->plugin.name, assembly->hosts[index]->plugin.name) == 0 &&
            database_of(assembly->hosts[i]) == database)
            return true;
    return false;
}

static int migrate_host(struct bp_host *host, struct bp_host *database, unsigned *applied)
{
    const struct bp_database_vtable *vtable = database_vtable(database);
    if (database->state != HOST_READY) {
        bp_log(host, BP_LOG_ERROR, "migrate.database_incomplete", "The database is not configured",
               bp_log_cstr("database", database->name));
        return BP_INVALID;
    }
    unsigned steps = 0;
    int status = vtable->migrate(database->self, host->plugin.name, host->plugin.migrations, &steps);
    if (status) {
        bp_log(host, BP_LOG_ERROR, "migrate.failed", "The schema could not be brought up to date",
               bp_log_cstr("database", database->name), bp_log_cstr("status", bp_status_name(status)));
        return status < 0 ? status : BP_ERROR;
    }
    if (steps > 0)
        bp_log(host, BP_LOG_INFO, "migrate.done", "The schema was brought up to date",
               bp_log_cstr("database", database->name), bp_log_int("applied", steps));
    *applied += steps;
    return 0;
}

int migrations_run(struct assembly *assembly, unsigned *ret_applied)
{
    unsigned applied = 0;
    for (size_t i = 0; i < assembly->host_count; i++) {
        struct bp_host *host = assembly->hosts[i];
        struct bp_host *database = database_of(host);
        if (!host->plugin.migrations || !database || is_done_before(assembly, i, database))
            continue;
        int status = migrate_host(host, database, &applied);
        if (status)
            return status;
    }
    *ret_applied = applied;
    return 0;
}
