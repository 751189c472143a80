/* SPDX-License-Identifier: MIT */
/*
 * The thread that reads: one statement after the other. Those that wait when it begins share one transaction, for what SQLite's locks
 * cost is paid per transaction. Nobody sees anything older than what was committed before asking: the transaction's view of the
 * database is taken after the last of them had asked, and who asks later is not among them.
 */
#include "lane.h"

#define VIEW_READS_MAX 64u /* a view that is kept keeps the write-ahead log from being emptied */

static const struct bp_statement begin = BP_STATEMENT(.name = "begin", .sql = "BEGIN");
static const struct bp_statement commit = BP_STATEMENT(.name = "commit", .sql = "COMMIT");
static const struct bp_statement rollback = BP_STATEMENT(.name = "rollback", .sql = "ROLLBACK");

static int run(struct lane *lane, const struct bp_statement *statement)
{
    struct failure ignored;
    return connection_run(&lane->connection, statement, NULL, 0, NULL, NULL, &ignored);
}

/* SQLite has ended it itself after some failures. An open one would show the past to all who come later: tried until it works. */
static void end_view(struct lane *lane)
{
    while (!sqlite3_get_autocommit(lane->connection.db) && run(lane, &commit) != 0 && run(lane, &rollback) == BP_NOMEM)
        sqlite3_sleep(1);
}

static void read_one(struct lane *lane, struct job *job)
{
    struct job_list done = {0};
    lane_run(lane, job);
    if (job->status == BP_BUSY) {
        lane_log(lane, "sqlite.read_failed", "The database cannot be read", &job->failure, 1);
        job->reported = true;
    }
    job_list_add(&done, job);
    lane_finish(lane, &done);
}

void reader_work(struct lane *lane)
{
    while (lane_wait(lane)) {
        uint64_t last;
        unsigned count = lane_look(lane, &last);
        struct job *job;
        /* Without a transaction, for want of memory, each reads on its own. */
        if (count > 1)
            run(lane, &begin);
        for (unsigned reads = 0; reads < VIEW_READS_MAX && (job = lane_next(lane, last)); reads++)
            read_one(lane, job);
        end_view(lane);
    }
}
