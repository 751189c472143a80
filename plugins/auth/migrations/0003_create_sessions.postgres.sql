-- SPDX-License-Identifier: MIT
ALTER TABLE users
    ADD COLUMN disabled boolean NOT NULL DEFAULT false,
    -- Tokens that name no session count only when they were made at this moment or later.
    ADD COLUMN tokens_after timestamptz NOT NULL DEFAULT 'epoch';

-- A session is what a login begins. Its refresh token is replaced each time it is used; of all of them only hashes are kept.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    family text NOT NULL UNIQUE,  -- hash of what all refresh tokens of the session have in common
    token_hash text NOT NULL,     -- of the one that is good now
    previous_hash text,           -- of the one that was replaced by it
    successor text,               -- the one that is good now, sealed with the one that it replaced
    rotated_at timestamptz,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    user_agent text NOT NULL,
    address text NOT NULL
);

CREATE INDEX sessions_by_user ON sessions (user_id, last_used_at DESC, id DESC);
