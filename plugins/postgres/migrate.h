/* SPDX-License-Identifier: MIT */
/*
 * Schema changes, in a one-shot process: blocking, on one connection that goes to the server and through no pooler, because the lock
 * that keeps others from migrating belongs to a session. What was applied is recorded in the first schema of the search path, in
 * backplane_migrations (owner text, version integer, name text, checksum text, applied_at timestamptz).
 */
#ifndef POSTGRES_MIGRATE_H
#define POSTGRES_MIGRATE_H

#include "backplane/iface/database.h"

struct migrate_options {
    struct bp_host *host;                        /* for bp_start_error() and the log */
    const char *const *keywords, *const *values; /* as PQconnectdbParams() takes them; borrowed for the call */
    const char *schema;                          /* the search path; NULL: the server's; borrowed for the call */
    bp_span lock_timeout; /* how long a statement may wait for a lock on a table: all who come later wait behind it */
};

/* As migrate_open of struct bp_database_vtable, with the parameters in the place of self. */
int migrate_open(const struct migrate_options *options, bool read_only, struct bp_db_migrator **ret_migrator);
/* These are for the vtable as they are. */
int migrate_history(struct bp_db_migrator *migrator, const char *owner, struct bp_arena *arena,
                    struct bp_db_applied **ret_applied, size_t *ret_count);
int migrate_step(struct bp_db_migrator *migrator, const char *owner, const struct bp_db_applied *record, bool forward,
                 const char *sql, const char **ret_why);
void migrate_close(struct bp_db_migrator *migrator);

#endif
