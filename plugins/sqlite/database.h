/* SPDX-License-Identifier: MIT */
/* An instance: its options, then what it needs to run. */
#ifndef SQLITE_DATABASE_H
#define SQLITE_DATABASE_H

#include "backplane/backplane.h"
#include "backplane/health.h"
#include "backplane/iface/database.h"
#include "lane.h"

struct database {
    /* options */
    bp_str file;
    bp_span transaction_deadline, busy_timeout;
    uint64_t cache_size;
    uint32_t queue;

    struct bp_host *host;
    char *path;
    struct bp_metric *waiting;
    /* from start to stop */
    struct lane *reader, *writer;
};

extern const struct bp_health_check database_health_check;
extern const struct bp_metric_row database_metrics[];
extern const struct bp_database_vtable database_vtable;

/* How a connection is opened for this instance. */
struct connection_options database_connection(const struct database *database, bool read_only);
/* The series of what waits to "read" or "write"; from start on. */
struct bp_series *database_waiting(const struct database *database, const char *queue);

/* See struct bp_database_vtable. */
int database_migrate_open(void *self, bool read_only, struct bp_db_migrator **ret_migrator);
int database_migrate_history(struct bp_db_migrator *migrator, const char *owner, struct bp_arena *arena,
                             struct bp_db_applied **ret_applied, size_t *ret_count);
int database_migrate_step(struct bp_db_migrator *migrator, const char *owner, const struct bp_db_applied *record,
                          bool forward, const char *sql, const char **ret_why);
void database_migrate_close(struct bp_db_migrator *migrator);
bool database_migrates_at_start(void *self);
int database_backup(void *self, const char *file);

#endif
