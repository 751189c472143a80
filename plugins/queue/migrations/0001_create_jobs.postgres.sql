-- SPDX-License-Identifier: MIT
CREATE TABLE jobs (
    id uuid NOT NULL PRIMARY KEY,
    kind text NOT NULL,
    queue text NOT NULL,
    state text NOT NULL CHECK (state IN ('scheduled', 'waiting', 'running', 'done', 'dead', 'cancelled')),
    priority bigint NOT NULL,
    attempt bigint NOT NULL DEFAULT 0,
    attempts bigint NOT NULL,
    max_age bigint,
    unique_key text,
    payload text,
    reason text,
    worker uuid,
    cancelled boolean NOT NULL DEFAULT false,
    enqueued_at timestamptz NOT NULL,
    run_at timestamptz NOT NULL,
    expires_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    traceparent text,
    tracestate text,
    next_id uuid,
    next_priority bigint,
    next_payload text,
    next_run_at timestamptz,
    next_traceparent text
);

CREATE INDEX jobs_waiting ON jobs (queue, priority DESC, run_at, id) WHERE state = 'waiting';
CREATE INDEX jobs_scheduled ON jobs (run_at) WHERE state = 'scheduled';
CREATE INDEX jobs_running ON jobs (worker) WHERE state = 'running';
CREATE INDEX jobs_ended ON jobs (state, finished_at) WHERE state IN ('done', 'dead', 'cancelled');
CREATE UNIQUE INDEX jobs_unique ON jobs (kind, unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('scheduled', 'waiting', 'running');

CREATE TABLE job_queues (
    name text NOT NULL PRIMARY KEY,
    paused boolean NOT NULL DEFAULT false
);

CREATE TABLE job_schedules (
    kind text NOT NULL PRIMARY KEY,
    cron text NOT NULL,
    next_at timestamptz NOT NULL,
    last_at timestamptz
);

CREATE TABLE job_workers (
    id uuid NOT NULL PRIMARY KEY,
    started_at timestamptz NOT NULL,
    lease_until timestamptz NOT NULL
);

-- Rows come and go: what they leave is cleared away early, and what is read by state is planned for a queue that is not empty.
ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
