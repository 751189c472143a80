/* SPDX-License-Identifier: MIT */
/*
 * Positions that clients have may be of a history that is not that of the database any more: it was restored, and gives the same
 * positions to other events. All positions move up by more than were ever given, so that those that clients have are forgotten ones. What consumers have not been given yet
 * stays ahead of them.
 */
#include "reset.h"

#include <stdio.h>

#include "outbox.h"

struct head_row {
    int64_t position;
};
static const struct bp_field head_rows[] = {BP_I64(struct head_row, position), BP_END};

/* In this order: the first one waits for who gives positions, and keeps them from it. */
static const struct bp_statement steps[] = {
    BP_STATEMENT(.name = "events.reset_head", .sql = "UPDATE event_head SET forgotten = forgotten + 1000000000",
                 .sql_postgres = "UPDATE event_head SET position = position + 1000000000,"
                                 " forgotten = forgotten + 1000000000"),
    BP_STATEMENT(.name = "events.reset_consumers",
                 .sql = "UPDATE event_consumers SET position = position + 1000000000"),
    BP_STATEMENT(.name = "events.reset_events", .sql = "UPDATE events SET id = id + 1000000000",
                 .sql_postgres = "UPDATE events SET position = position + 1000000000 WHERE position IS NOT NULL"),
    /* SQLite, without any event: ids go on from this one. */
    BP_STATEMENT(.name = "events.reset_place",
                 .sql = "INSERT INTO events (id, user_id, subject_id, type, data, at) SELECT 1000000000, zeroblob(16),"
                        " zeroblob(16), '', '{}', 0 WHERE NOT EXISTS (SELECT 1 FROM events)",
                 .sql_postgres = "SELECT 1")};
static const struct bp_statement find_head =
    BP_STATEMENT(.name = "events.reset_found", .sql = "SELECT max(id) FROM events",
                 .sql_postgres = "SELECT position FROM event_head", .rows = head_rows,
                 .row_size = sizeof(struct head_row));

static int move_all(struct events *events, int64_t *ret_position)
{
    struct bp_result result = {0};
    struct bp_tx *tx;
    int status = bp_db_begin(events->db, &tx);
    if (status != 0)
        return status;
    for (size_t i = 0; status == 0 && i < sizeof(steps) / sizeof(steps[0]); i++)
        status = bp_db_query(events->db, tx, &steps[i], BP_NO_VALUES, NULL, NULL);
    if (status == 0)
        status = bp_db_query(events->db, tx, &find_head, BP_NO_VALUES, bp_fiber_arena(), &result);
    if (status == 0 && result.len == 1) {
        *ret_position = ((const struct head_row *)result.rows)->position;
        return bp_db_commit(events->db, tx);
    }
    bp_db_rollback(events->db, tx);
    return status == 0 ? BP_ERROR : status;
}

static int reset(struct bp_host *host, void *self, const char *const *arguments, size_t count)
{
    int64_t position;
    (void)host, (void)arguments, (void)count;
    int status = move_all(self, &position);
    if (status != 0) {
        fprintf(stderr, "the database cannot be used (%s): is its schema up to date (backplane migrate status)?\n",
                bp_status_name(status));
        return 1;
    }
    printf("positions go on behind %lld; clients that come back are told to read everything again\n",
           (long long)position);
    return 0;
}

const struct bp_command reset_commands[] = {
    BP_COMMAND(.name = "reset", .changes = 1,
               .doc = "After the database was restored: clients are told to read everything again.", .run = reset),
    BP_COMMAND_END};
