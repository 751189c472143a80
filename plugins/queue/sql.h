/* SPDX-License-Identifier: MIT */
/* What statements of both databases have in common. The database's clock counts: that of all replicas. */
#ifndef QUEUE_SQL_H
#define QUEUE_SQL_H

/* Milliseconds since the epoch. */
#define NOW_SQLITE "(CAST(strftime('%s', 'now') AS INTEGER) * 1000 + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER))"
/* Stable, so that it is looked for in an index: clock_timestamp() would be compared with each row. */
#define NOW_POSTGRES "statement_timestamp()"
/* States in which a job is still to be run to its end. */
#define OPEN_STATES "('scheduled', 'waiting', 'running')"
/* The worker of a running job is there no more. */
#define ABANDONED(NOW) "NOT EXISTS (SELECT 1 FROM job_workers w WHERE w.id = jobs.worker AND w.lease_until > " NOW ")"

/* What was asked for while the job ran takes its place. */
#define FOLLOW(NOW, FALSE, AGE)                                                                              \
    "UPDATE jobs SET id = next_id, priority = next_priority, payload = next_payload, run_at = next_run_at, " \
    "traceparent = next_traceparent, tracestate = NULL, attempt = 0, cancelled = " FALSE ", worker = NULL, " \
    "reason = NULL, started_at = NULL, expires_at = next_run_at + " AGE ", "                                 \
    "state = CASE WHEN next_run_at <= " NOW " THEN 'waiting' ELSE 'scheduled' END, next_id = NULL, "         \
    "next_priority = NULL, next_payload = NULL, next_run_at = NULL, next_traceparent = NULL "
#define FOLLOW_SQLITE FOLLOW(NOW_SQLITE, "0", "max_age")
#define FOLLOW_POSTGRES FOLLOW(NOW_POSTGRES, "false", "max_age * interval '1 millisecond'")

#endif
