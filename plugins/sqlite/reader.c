/* SPDX-License-Identifier: MIT */
/* The thread that reads: one statement after the other, each seeing all that was committed before it began. */
#include "lane.h"

void reader_work(struct lane *lane)
{
    struct job *job;
    while ((job = lane_next(lane))) {
        struct job_list done = {0};
        lane_run(lane, job);
        if (job->status == BP_BUSY) {
            lane_log(lane, "sqlite.read_failed", "The database cannot be read", &job->failure, 1);
            job->reported = true;
        }
        job_list_add(&done, job);
        lane_finish(lane, &done);
    }
}
