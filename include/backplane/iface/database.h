/* SPDX-License-Identifier: MIT */
/*
 * The "database" interface, version 1: SQL with $1 placeholders, typed parameters, rows decoded into C structs by the
 * same field tables that describe JSON. Provided by sqlite (and postgres). All functions suspend, unless they say no.
 *
 * Statuses: 0; negative BP_TIMEOUT, BP_CANCELED (of reads, of what still waits for its turn, and inside a transaction: a write
 * that was sent is waited for), BP_BUSY (away, locked, disk full, queue full: 503), BP_ERROR (a bad statement; logged by the
 * provider); positive enum bp_db_condition. BP_BUSY, BP_TIMEOUT and BP_CANCELED of a write: it did not take place, except where
 * a provider says otherwise.
 *
 * Columns become members in the order of the rows: BOOL (SQLite: INTEGER 0 and 1), U32, I64, F64, TEXT (with a NUL behind it),
 * UUID (SQLite: a BLOB of 16 bytes), DATE (SQLite: INTEGER, milliseconds), SPAN and SIZE (INTEGER), CHOICE (its name, or INTEGER).
 * NULL leaves the member zeroed, a text with ptr NULL; where the table begins with BP_PRESENCE it also sets the member's bit
 * in the null set; every column's bit is in the set set.
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

enum bp_statement_flag {
    BP_SQL_READ = 1u << 0,      /* changes nothing: may use a reader, may be cancelled and retried */
    BP_SQL_BATCHABLE = 1u << 1, /* a write that may share a commit with others' (each in its own savepoint) */
    BP_SQL_IDEMPOTENT = 1u << 2 /* a write that may be repeated when it is unknown whether it took place */
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
};
#ifndef __cplusplus
#define BP_STATEMENT(...)                                \
    {                                                    \
        .size = sizeof(struct bp_statement), __VA_ARGS__ \
    }
#endif

struct bp_result {
    void *rows; /* len structs of row_size bytes, in the arena given; NULL when len is 0 */
    size_t len;
    int64_t changes; /* rows inserted, updated or deleted */
};

struct bp_tx;

struct bp_database_vtable {
    uint32_t size;
    uint32_t spare;
    /* Runs one statement. tx: NULL, or the transaction it belongs to. A write outside of a transaction is committed,
     * durably, when the call returns 0. ret_result may be NULL, and then, or when the statement has no rows, arena too. The arena
     * is not to be used by anybody else until the call returns. */
    int (*query)(void *self, struct bp_tx *tx, const struct bp_statement *statement, const struct bp_db_value *values,
                 size_t count, struct bp_arena *arena, struct bp_result *ret_result);
    /* A transaction of several statements. It has a deadline of its own (the provider's option), and between begin and end nothing
     * but this database, through tx, may be waited for. When a statement in it returned anything but 0, the transaction is
     * undone: rollback it; further statements and commit return BP_ERROR (or again BP_TIMEOUT, BP_CANCELED, BP_BUSY). */
    int (*begin)(void *self, struct bp_tx **ret_tx);
    /* Ends it; frees tx whatever happens. Never cancelled. commit: 0 when it is durable; else nothing of it took place. */
    int (*commit)(void *self, struct bp_tx *tx);
    void (*rollback)(void *self, struct bp_tx *tx);
    /* 0 when a trivial query works within the timeout. */
    int (*ping)(void *self, bp_span timeout);
    /* Brings the schema of one owner (a plugin) up to date: applies what is missing, in order, each in a transaction and
     * recorded with a checksum, under a lock. In the one-shot migration process only, where init
     * was called and start was not; blocks, does not suspend. ret_applied: how many. BP_ERROR, logged, when history differs. */
    int (*migrate)(void *self, const char *owner, const struct bp_migration *migrations, unsigned *ret_applied);
    /* A consistent copy of a live database into a file that does not exist yet. One-shot process only, without
     * start; blocks. BP_ERROR, logged. NULL: not
     * offered by this provider. */
    int (*backup)(void *self, const char *file);
};

#ifndef __cplusplus
/* bp_db_query(todos->db, NULL, &find, BP_VALUES(bp_db_uuid(&id)), arena, &result) */
#define BP_VALUES(...)                           \
    ((const struct bp_db_value[]){__VA_ARGS__}), \
        (sizeof((const struct bp_db_value[]){__VA_ARGS__}) / sizeof(struct bp_db_value))
#define BP_NO_VALUES NULL, 0
#endif

static inline int bp_db_query(struct bp_service db, struct bp_tx *tx, const struct bp_statement *statement,
                              const struct bp_db_value *values, size_t count, struct bp_arena *arena,
                              struct bp_result *ret_result)
{
    const struct bp_database_vtable *v = (const struct bp_database_vtable *)db.vtable;
    return v->query(db.self, tx, statement, values, count, arena, ret_result);
}
static inline int bp_db_begin(struct bp_service db, struct bp_tx **ret_tx)
{
    return ((const struct bp_database_vtable *)db.vtable)->begin(db.self, ret_tx);
}
static inline int bp_db_commit(struct bp_service db, struct bp_tx *tx)
{
    return ((const struct bp_database_vtable *)db.vtable)->commit(db.self, tx);
}
static inline void bp_db_rollback(struct bp_service db, struct bp_tx *tx)
{
    ((const struct bp_database_vtable *)db.vtable)->rollback(db.self, tx);
}
static inline int bp_db_ping(struct bp_service db, bp_span timeout)
{
    return ((const struct bp_database_vtable *)db.vtable)->ping(db.self, timeout);
}

#ifdef __cplusplus
}
#endif
#endif
