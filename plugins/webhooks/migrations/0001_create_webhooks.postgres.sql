-- SPDX-License-Identifier: MIT
CREATE TABLE webhooks (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    url text NOT NULL,
    types jsonb NOT NULL DEFAULT '[]',  -- of events; none: all
    enabled boolean NOT NULL DEFAULT true,
    description text,
    disabled_reason text,               -- by the server: gone, failing
    disabled_at timestamptz,
    failures bigint NOT NULL DEFAULT 0, -- attempts in a row
    failing_since timestamptz,
    paused_until timestamptz,           -- one that fails is not asked more and more
    secret text NOT NULL,
    previous_secret text,               -- signs, too, until then
    previous_until timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL DEFAULT 1
);

CREATE INDEX webhooks_by_user ON webhooks (user_id, created_at DESC, id DESC);

CREATE TABLE webhook_deliveries (
    id uuid PRIMARY KEY,
    webhook_id uuid NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event_id bigint,                    -- its position; of a test event none
    type text NOT NULL,
    body text NOT NULL,                 -- what is signed
    state text NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts bigint NOT NULL DEFAULT 0,
    asked bigint NOT NULL DEFAULT 0,    -- how often its owner has asked for it
    tries bigint NOT NULL DEFAULT 0,    -- attempts since then
    created_at timestamptz NOT NULL,
    next_attempt_at timestamptz,
    last_attempt_at timestamptz,        -- and what came of it
    duration_ms bigint,
    response_status bigint,
    response_body text,
    error text
);

CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, id DESC);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at);
