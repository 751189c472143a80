/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SAY_EVERY 10000

const struct bp_field number_columns[] = {BP_I64(struct number, value), BP_END};

void row_skipped(const struct import *import, const char *what, const char *id, const char *detail, const char *reason)
{
    bp_log(import->host, BP_LOG_WARN, "import.skipped", "A row was not copied", bp_log_cstr("what", what),
           bp_log_cstr("id", id), bp_log_cstr("detail", detail), bp_log_cstr("reason", reason));
}

int ask_number(const struct import *import, struct bp_tx *tx, const struct bp_statement *statement,
               const struct bp_db_value *values, size_t count, struct bp_arena *arena, int64_t *ret_value)
{
    struct bp_result result;
    int status = bp_db_query(import->db, tx, statement, values, count, arena, &result);
    if (status == 0 && result.len == 1)
        *ret_value = ((const struct number *)result.rows)->value;
    else if (status >= 0)
        status = BP_ERROR;
    return status;
}

/* On a fiber of its own, whose arena is the batch's. */
struct batch {
    const struct import *import;
    const struct table *table;
    const PGresult *rows;
    struct totals totals;
    int status;
    bp_event done;
};

static int copy_rows(struct batch *batch, struct bp_tx *tx)
{
    struct totals *totals = &batch->totals;
    for (int row = 0; row < PQntuples(batch->rows); row++) {
        enum outcome outcome;
        int status = batch->table->copy(batch->import, tx, batch->rows, row, bp_fiber_arena(), &outcome);
        if (status != 0) {
            fprintf(stderr, "%s: row %s could not be written\n", batch->table->noun, PQgetvalue(batch->rows, row, 0));
            return status < 0 ? status : BP_ERROR;
        }
        totals->read++;
        totals->copied += outcome == OUTCOME_COPIED;
        totals->present += outcome == OUTCOME_PRESENT;
        totals->skipped += outcome == OUTCOME_SKIPPED;
    }
    return 0;
}

static int copy_batch(void *argument)
{
    struct batch *batch = argument;
    struct bp_tx *tx;
    batch->status = bp_db_begin(batch->import->db, &tx);
    if (batch->status == 0) {
        batch->status = copy_rows(batch, tx);
        if (batch->status == 0)
            batch->status = bp_db_commit(batch->import->db, tx);
        else
            bp_db_rollback(batch->import->db, tx);
    }
    bp_event_set(&batch->done);
    return 0;
}

static int run_batch(struct batch *batch)
{
    bp_event_init(&batch->done);
    int status = bp_spawn(batch->import->host, "import", copy_batch, batch, BP_FOREVER);
    if (status != 0)
        return status;
    bp_event_wait_always(&batch->done);
    return batch->status;
}

static void add(struct totals *totals, const struct totals *more)
{
    int64_t before = totals->read / SAY_EVERY;
    totals->read += more->read;
    totals->copied += more->copied;
    totals->present += more->present;
    totals->skipped += more->skipped;
    if (totals->read / SAY_EVERY > before)
        fprintf(stderr, "… %" PRId64 " read\n", totals->read);
}

int table_copy(const struct import *import, struct source *source, const struct table *table, struct totals *ret_totals)
{
    char *key = NULL;
    int status = 0, count = 1;
    while (status == 0 && count > 0) {
        struct batch batch = {.import = import, .table = table};
        PGresult *rows = NULL;
        status = source_read(source, key ? table->next : table->first, key, &rows);
        if (status != 0)
            break;
        batch.rows = rows;
        count = PQntuples(rows);
        if (count > 0) {
            free(key);
            key = strdup(PQgetvalue(rows, count - 1, 0));
            status = key ? run_batch(&batch) : BP_NOMEM;
            if (status == 0)
                add(ret_totals, &batch.totals);
            else
                fprintf(stderr, "%s: stopped by the new database (%s): what was copied stays; run it again\n",
                        table->noun, bp_status_name(status));
        }
        PQclear(rows);
    }
    free(key);
    return status;
}

int table_compare(const struct import *import, struct source *source, const struct table *table,
                  const struct totals *totals, bool *ret_complete)
{
    int64_t there = 0, here = 0;
    PGresult *rows;
    int status = source_read(source, table->count_old, NULL, &rows);
    if (status != 0)
        return status;
    there = strtoll(PQgetvalue(rows, 0, 0), NULL, 10);
    PQclear(rows);
    status = ask_number(import, NULL, table->count_new, BP_NO_VALUES, bp_fiber_arena(), &here);
    if (status != 0) {
        fprintf(stderr, "%s: the new database cannot count them\n", table->noun);
        return status;
    }
    printf("%s: %" PRId64 " read, %" PRId64 " copied, %" PRId64 " already there, %" PRId64 " skipped; %" PRId64
           " in the old database, %" PRId64 " in the new one\n",
           table->noun, totals->read, totals->copied, totals->present, totals->skipped, there, here);
    *ret_complete = totals->skipped == 0 && totals->read == there && here >= there;
    return 0;
}
