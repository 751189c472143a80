/* SPDX-License-Identifier: MIT */
/*
 * The "database" interface, version 1: SQL with $1 placeholders, typed parameters, rows decoded into C structs by the
 * same field tables that describe JSON. Provided by sqlite and postgres. Plugins call bp_db_*(), which suspend; the struct
 * bp_database_vtable at the end is for providers.
 *
 * Statuses: 0; negative BP_TIMEOUT, BP_CANCELED (of reads, of what still waits for its turn, and inside a transaction: a write
 * that was sent is waited for), BP_BUSY (away, locked, disk full, queue or pool full: 503), BP_UNKNOWN (the connection died
 * under a write that is not declared idempotent: 503), BP_ERROR (a bad statement; logged by the provider); positive enum
 * bp_db_condition. BP_BUSY, BP_TIMEOUT and BP_CANCELED of a write: it did not take place.
 *
 * Columns become members in the order of the rows: BOOL (SQLite: INTEGER 0 and 1), U32, I64, F64, TEXT (with a NUL behind it),
 * UUID (SQLite: a BLOB of 16 bytes), DATE (SQLite: INTEGER, milliseconds; Postgres: timestamptz), SPAN and SIZE (INTEGER), CHOICE
 * (its name, or INTEGER). NULL leaves the member zeroed, a text with ptr NULL; where the table begins with BP_PRESENCE it also
 * sets the member's bit in the null set; every column's bit is in the set set.
 */
#ifndef BACKPLANE_IFACE_DATABASE_H
#define BACKPLANE_IFACE_DATABASE_H

#include "backplane/arena.h"
#include "backplane/field.h"
#include "backplane/plugin.h"
#include "backplane/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BP_DATABASE "database"
#define BP_DATABASE_VERSION 1u

/* Positive statuses: the statement was sound, and a constraint refused it. Nothing of it took place. */
enum bp_db_condition {
    BP_DB_UNIQUE = 1, /* a unique or primary key constraint */
    BP_DB_FOREIGN,    /* a foreign key constraint */
    BP_DB_CHECK       /* a CHECK or NOT NULL constraint */
};

/* A parameter of a statement. Texts are borrowed until the call returns. */
struct bp_db_value {
    uint32_t type; /* enum bp_type: BOOL I64 F64 TEXT UUID DATE; BP_TYPE_END is NULL */
    uint32_t spare;
    union {
        bool boolean;
        int64_t integer; /* I64 and DATE */
        double number;
        bp_str text;
        bp_uuid uuid;
    } as;
};

/* A value each, of this type. Pure. */
static inline struct bp_db_value bp_db_null(void)
{
    struct bp_db_value v;
    memset(&v, 0, sizeof(v));
    return v;
}
static inline struct bp_db_value bp_db_bool(bool value)
{
    struct bp_db_value v = bp_db_null();
    v.type = BP_TYPE_BOOL;
    v.as.boolean = value;
    return v;
}
static inline struct bp_db_value bp_db_i64(int64_t value)
{
    struct bp_db_value v = bp_db_null();
    v.type = BP_TYPE_I64;
    v.as.integer = value;
    return v;
}
static inline struct bp_db_value bp_db_f64(double value)
{
    struct bp_db_value v = bp_db_null();
    v.type = BP_TYPE_F64;
    v.as.number = value;
    return v;
}
/* A value whose ptr is NULL is NULL. */
static inline struct bp_db_value bp_db_text(bp_str value)
{
    struct bp_db_value v = bp_db_null();
    v.type = BP_TYPE_TEXT;
    v.as.text = value;
    return v;
}
static inline struct bp_db_value bp_db_uuid(const bp_uuid *value)
{
    struct bp_db_value v = bp_db_null();
    v.type = BP_TYPE_UUID;
    v.as.uuid = *value;
    return v;
}
static inline struct bp_db_value bp_db_date(bp_date value)
{
    struct bp_db_value v = bp_db_null();
    v.type = BP_TYPE_DATE;
    v.as.integer = value;
    return v;
}

/* .flags of a statement, or'ed. None: a write that runs alone. */
enum bp_statement_flag {
    BP_SQL_READ = 1u << 0,       /* changes nothing: may use a reader, may be cancelled and retried */
    BP_SQL_BATCHABLE = 1u << 1,  /* a write that may share a commit with others' (each in its own savepoint) */
    BP_SQL_IDEMPOTENT = 1u << 2, /* a write that may be repeated when it is unknown whether it took place */
    BP_SQL_ONCE = 1u << 3        /* a rare one: not to be remembered by its address, which ends with the call */
};

/* A statement, declared once: static const. Prepared on first use and remembered by its address. */
struct bp_statement {
    uint32_t size;
    uint32_t flags;   /* enum bp_statement_flag */
    const char *name; /* "todos.find": for logs, metrics and spans */
    const char *sql;
    const char *sql_postgres;    /* where it must differ; NULL: the same */
    const struct bp_field *rows; /* what each column, in order, is stored into; NULL: no rows are expected */
    uint32_t row_size;           /* sizeof the struct that rows describe */
    uint32_t spare;
    /* Of a write: the cache tag (see iface/cache_tags.h) whose cached replies it makes stale, "$2" in it standing for the second
     * value: "todos:user:$2"; or several (4 at most), separated by spaces. The database layer sees to it that nothing older is served once the write was
     * answered. NULL: none. */
    const char *tag;
};
#ifndef __cplusplus
/* static const struct bp_statement find = BP_STATEMENT(.name = …, .sql = …); */
#define BP_STATEMENT(...)                                \
    {                                                    \
        .size = sizeof(struct bp_statement), __VA_ARGS__ \
    }
#endif

/* What a statement gave back. */
struct bp_result {
    void *rows; /* len structs of row_size bytes, in the arena given; NULL when len is 0 */
    size_t len;
    int64_t changes; /* rows inserted, updated or deleted */
};

/* A transaction, from bp_db_begin() to bp_db_commit() or bp_db_rollback(). */
struct bp_tx;

#ifndef __cplusplus
/* The values of a statement and how many they are: two arguments at once. BP_NO_VALUES: none.
 *
 *     bp_db_query(todos->db, NULL, &find, BP_VALUES(bp_db_uuid(&id)), arena, &result)
 */
#define BP_VALUES(...)                           \
    ((const struct bp_db_value[]){__VA_ARGS__}), \
        (sizeof((const struct bp_db_value[]){__VA_ARGS__}) / sizeof(struct bp_db_value))
#define BP_NO_VALUES NULL, 0
#endif

/* Runs one statement. tx: NULL, or the transaction it belongs to. A write outside of a transaction is committed, durably, when the
 * call returns 0. ret_result may be NULL, and then, or when the statement has no rows, arena too. The arena is not to be used by
 * anybody else until the call returns. */
int bp_db_query(struct bp_service db, struct bp_tx *tx, const struct bp_statement *statement,
                const struct bp_db_value *values, size_t count, struct bp_arena *arena, struct bp_result *ret_result);
/* A transaction of several statements. It has a deadline of its own (the provider's option), and between begin and end nothing
 * but this database, through tx, may be waited for. When a statement in it returned anything but 0, the transaction is
 * undone: rollback it; further statements and commit return BP_ERROR (or again BP_TIMEOUT, BP_CANCELED, BP_BUSY). */
int bp_db_begin(struct bp_service db, struct bp_tx **ret_tx);
/* Ends it; frees tx whatever happens. Never cancelled. 0 when it is durable; BP_UNKNOWN; else nothing of it took place. */
int bp_db_commit(struct bp_service db, struct bp_tx *tx);
/* Undoes it; frees tx. Never cancelled. Cannot fail: what was not committed did not take place. */
void bp_db_rollback(struct bp_service db, struct bp_tx *tx);
/* For stages: until bp_db_enlist(NULL), statements of this fiber on the same database that name no transaction run in tx, and what it begins
 * becomes a part of tx: its commit waits for that of tx, its rollback makes that of tx fail. So a stage can put what it writes
 * into the transaction of a handler that knows nothing of it (idempotency); and a handler what it does into one with bp_resource_delete().
 * Returns what was enlisted before, to be put back. Does not suspend. */
struct bp_tx *bp_db_enlist(struct bp_tx *tx);
/* Calls function(argument) on the fiber when the transaction has been committed, or may have been; never when it is undone. tx NULL: the one that
 * bp_db_enlist() says; none: at once. The same function and argument are called once a transaction. It may not suspend. 0 or BP_NOMEM. */
int bp_db_after_commit(struct bp_service db, struct bp_tx *tx, void (*function)(void *argument), void *argument);
/* 0 when a trivial query works within the timeout; else BP_TIMEOUT, BP_BUSY, BP_CANCELED or BP_ERROR. */
int bp_db_ping(struct bp_service db, bp_span timeout);
/*
 * In start: calls function(argument, payload) on the loop, without a fiber, for each notification on the channel (NOTIFY, or
 * pg_notify() in any statement), from any replica. payload.ptr NULL: the connection was lost and is back, notifications may
 * have been missed: look at the tables. Ends with the provider. Does not suspend. BP_MISUSE, not logged, when the provider has
 * none (sqlite).
 */
int bp_db_listen(struct bp_service db, const char *channel, void (*function)(void *argument, bp_str payload),
                 void *argument);

/* --- For providers --- */

struct bp_db_tx;       /* the provider's transaction */
struct bp_db_migrator; /* the provider's connection of a one-shot process that changes the schema */

/* The rows that stand for columns, behind BP_PRESENCE; how many they are. Pure. */
const struct bp_field *bp_db_first_column(const struct bp_field *rows);
unsigned bp_db_column_count(const struct bp_field *rows);
/* A column's integer into the row's member. False when it does not fit. Pure. */
bool bp_db_store_integer(const struct bp_field *row, int64_t integer, void *member);
/* A column's text, or JSON, into the row's member of the object; copied into the arena. 0, BP_NOMEM, or BP_ERROR when it does not fit. */
int bp_db_store_text(const struct bp_field *row, bp_str text, struct bp_arena *arena, void *object);

/* A migration as the database has recorded it. */
struct bp_db_applied {
    uint32_t version;
    bp_str name, checksum;
    bp_date applied_at;
};

/* What a provider offers. Functions as those above, unless said. */
struct bp_database_vtable {
    uint32_t size;
    uint32_t spare;
    const char
        *system; /* "sqlite", "postgresql": db.system.name of OpenTelemetry; "postgresql" is given sql_postgres */
    int (*query)(void *self, struct bp_db_tx *tx, const struct bp_statement *statement,
                 const struct bp_db_value *values, size_t count, struct bp_arena *arena, struct bp_result *ret_result);
    int (*begin)(void *self, struct bp_db_tx **ret_tx);
    int (*commit)(void *self, struct bp_db_tx *tx);
    void (*rollback)(void *self, struct bp_db_tx *tx);
    int (*ping)(void *self, bp_span timeout);
    int (*listen)(void *self, const char *channel, void (*function)(void *argument, bp_str payload),
                  void *argument); /* NULL: not offered */
    /* A consistent copy of a live database into a file that does not exist yet. One-shot process only, without
     * start; blocks. BP_ERROR, logged. NULL: not offered by this provider. */
    int (*backup)(void *self, const char *file);

    /* Migrations: in a one-shot process where init was called and start was not, so these block and do not suspend. The core orders
     * owners (plugins) and versions, compares names and checksums, and says what is wrong; a provider only does. Errors of
     * the database are logged by the provider (bp_start_error()): BP_ERROR, or BP_BUSY when it is away. */
    /* Connects; unless read_only, makes the table of the history when it lacks, and keeps others from migrating until close. */
    int (*migrate_open)(void *self, bool read_only, struct bp_db_migrator **ret_migrator);
    /* What is recorded for the owner, by version; nothing when there is no table, or no database yet. */
    int (*migrate_history)(struct bp_db_migrator *migrator, const char *owner, struct bp_arena *arena,
                           struct bp_db_applied **ret_applied, size_t *ret_count);
    /* In one transaction: runs sql, and records (forward), or removes the record of, the migration of the owner. *ret_why: what the
     * database said, in a buffer of the migrator, when BP_ERROR; nothing of it took place then. */
    int (*migrate_step)(struct bp_db_migrator *migrator, const char *owner, const struct bp_db_applied *record,
                        bool forward, const char *sql, const char **ret_why);
    void (*migrate_close)(struct bp_db_migrator *migrator);
    /* True: the server brings the schema up to date when it starts; else only `backplane migrate up` does, and until then
     * queries return BP_BUSY. NULL: true. */
    bool (*migrates_at_start)(void *self);
    /* Before start, in each worker: the owner's code needs this version of its schema. May be NULL. */
    void (*expect)(void *self, const char *owner, uint32_t version);
};

#ifdef __cplusplus
}
#endif
#endif
