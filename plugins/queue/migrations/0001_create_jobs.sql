-- SPDX-License-Identifier: MIT
CREATE TABLE jobs (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    queue TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('scheduled', 'waiting', 'running', 'done', 'dead', 'cancelled')),
    priority INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL,
    max_age INTEGER,
    unique_key TEXT,
    payload TEXT,
    reason TEXT,
    worker BLOB,
    cancelled INTEGER NOT NULL DEFAULT 0,
    enqueued_at INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    expires_at INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    traceparent TEXT,
    tracestate TEXT,
    next_id BLOB,
    next_priority INTEGER,
    next_payload TEXT,
    next_run_at INTEGER,
    next_traceparent TEXT
) STRICT;

CREATE INDEX jobs_waiting ON jobs (queue, priority DESC, run_at, id) WHERE state = 'waiting';
CREATE INDEX jobs_scheduled ON jobs (run_at) WHERE state = 'scheduled';
CREATE INDEX jobs_running ON jobs (worker) WHERE state = 'running';
CREATE INDEX jobs_ended ON jobs (state, finished_at) WHERE state IN ('done', 'dead', 'cancelled');
CREATE UNIQUE INDEX jobs_unique ON jobs (kind, unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('scheduled', 'waiting', 'running');

CREATE TABLE job_queues (
    name TEXT NOT NULL PRIMARY KEY,
    paused INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE job_schedules (
    kind TEXT NOT NULL PRIMARY KEY,
    cron TEXT NOT NULL,
    next_at INTEGER NOT NULL,
    last_at INTEGER
) STRICT;

CREATE TABLE job_workers (
    id BLOB NOT NULL PRIMARY KEY,
    started_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL
) STRICT;
