/* SPDX-License-Identifier: MIT */
/* One connection to the file, used by one thread, with the statements it has prepared. */
#ifndef SQLITE_CONNECTION_H
#define SQLITE_CONNECTION_H

#include <sqlite3.h>

#include "backplane/iface/database.h"
#include "failure.h"

struct connection_options {
    const char *path; /* absolute; borrowed */
    bp_span busy_timeout;
    uint64_t cache_size;
    bool read_only;
};

struct prepared {
    const struct bp_statement *statement;
    sqlite3_stmt *stmt;
    unsigned parameters; /* the statement's */
    unsigned values;     /* the highest $n: as many values must be given */
    uint16_t *order;     /* which value each parameter takes */
};

struct connection {
    sqlite3 *db;
    struct prepared *prepared; /* a hash table with open addressing, by the address of the statement */
    struct prepared once;      /* a BP_SQL_ONCE statement while it runs */
    size_t cap, len;
    int wal_pages; /* in the log after the last commit of this connection */
};

/* Opens the file, created with mode 0600 when it is missing, and puts it in WAL mode. Everything a thread needs later
 * is tried here. 0, BP_NOMEM or BP_BUSY with the reason. */
int connection_open(const struct connection_options *options, struct connection *connection, struct failure *failure);
/* Accepts zeroes and a half-opened one. */
void connection_close(struct connection *connection);

/* Runs one statement to its end. ret_result may be NULL. 0, a condition, or a negative status with the reason. */
int connection_run(struct connection *connection, const struct bp_statement *statement,
                   const struct bp_db_value *values, size_t count, struct bp_arena *arena, struct bp_result *ret_result,
                   struct failure *failure);
/* Runs SQL text that is not worth remembering. An SQLite result code. */
int connection_exec(struct connection *connection, const char *sql, struct failure *failure);
/* Moves the write-ahead log into the database when it has grown. Call it with no transaction open. */
void connection_checkpoint(struct connection *connection, const struct connection_options *options);

#endif
