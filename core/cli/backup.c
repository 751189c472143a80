/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "backplane/iface/database.h"
#include "backplane/status.h"
#include "core/cli/load.h"

static const struct bp_database_vtable *database_of(const struct bp_host *host)
{
    for (const struct bp_provide *provide = host->plugin.provides; provide && provide->size; provide++)
        if (strcmp(provide->interface, BP_DATABASE) == 0)
            return provide->vtable;
    return NULL;
}

/* The database of the server; with several, it is not clear whose copy the one file would be. */
static struct bp_host *find_database(const struct assembly *assembly)
{
    struct bp_host *found = NULL;
    for (size_t i = 0; i < assembly->host_count; i++) {
        if (!database_of(assembly->hosts[i]))
            continue;
        if (found) {
            fprintf(stderr,
                    "backplane: \"%s\" and \"%s\" are both databases; leave one in the configuration given with -c\n",
                    found->name, assembly->hosts[i]->name);
            return NULL;
        }
        found = assembly->hosts[i];
    }
    if (!found)
        fputs("backplane: no instance provides a database\n", stderr);
    return found;
}

static bool backup(const struct assembly *assembly, const char *file)
{
    struct bp_host *host = find_database(assembly);
    if (!host)
        return false;
    const struct bp_database_vtable *vtable = database_of(host);
    if (host->state != HOST_READY) {
        fprintf(stderr, "backplane: the database \"%s\" is not configured here\n", host->name);
    } else if (!vtable->backup) {
        fprintf(stderr, "backplane: \"%s\" (plugin %s) offers no backup: use the database's own tools\n", host->name,
                host->plugin.name);
    } else if (access(file, F_OK) == 0) {
        fprintf(stderr, "backplane: %s exists already\n", file);
    } else {
        int status = vtable->backup(host->self, file);
        if (status == 0) {
            printf("%s copied to %s\n", host->name, file);
            return true;
        }
        fprintf(stderr, "backplane: the backup failed: %s\n", status < 0 ? bp_status_name(status) : "a condition");
    }
    return false;
}

int cli_backup(const struct cli_options *options)
{
    struct cli_loaded loaded;
    bool fine = cli_load_or_say(options, "backup", &loaded) && backup(loaded.assembly, options->arguments[0]);
    cli_unload(&loaded);
    return fine ? CLI_OK : CLI_FAILED;
}
