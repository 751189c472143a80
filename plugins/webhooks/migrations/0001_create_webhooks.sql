-- SPDX-License-Identifier: MIT
CREATE TABLE webhooks (
    id BLOB PRIMARY KEY NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    types TEXT NOT NULL DEFAULT '[]',   -- of events; none: all
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    description TEXT,
    disabled_reason TEXT,               -- by the server: gone, failing
    disabled_at INTEGER,
    failures INTEGER NOT NULL DEFAULT 0, -- attempts in a row
    failing_since INTEGER,
    paused_until INTEGER,               -- one that fails is not asked more and more
    secret TEXT NOT NULL,
    previous_secret TEXT,               -- signs, too, until then
    previous_until INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

CREATE INDEX webhooks_by_user ON webhooks (user_id, created_at DESC, id DESC);
-- Those of several users are asked for by a JSON array, which has no blobs.
CREATE INDEX webhooks_by_user_text ON webhooks (lower(hex(user_id))) WHERE enabled;

CREATE TABLE webhook_deliveries (
    id BLOB PRIMARY KEY NOT NULL,
    webhook_id BLOB NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event_id INTEGER,                   -- its position; of a test event none
    type TEXT NOT NULL,
    body TEXT NOT NULL,                 -- what is signed
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    asked INTEGER NOT NULL DEFAULT 0,   -- how often its owner has asked for it
    tries INTEGER NOT NULL DEFAULT 0,   -- attempts since then
    created_at INTEGER NOT NULL,
    next_attempt_at INTEGER,
    last_attempt_at INTEGER,            -- and what came of it
    duration_ms INTEGER,
    response_status INTEGER,
    response_body TEXT,
    error TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, id DESC);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at);
