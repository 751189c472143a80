-- SPDX-License-Identifier: MIT
ALTER TABLE users ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1));

-- Tokens that name no session count only when they were made at this moment or later.
ALTER TABLE users ADD COLUMN tokens_after INTEGER NOT NULL DEFAULT 0;

-- A session is what a login begins. Its refresh token is replaced each time it is used; of all of them only hashes are kept.
CREATE TABLE sessions (
    id BLOB PRIMARY KEY NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    family TEXT NOT NULL UNIQUE,  -- hash of what all refresh tokens of the session have in common
    token_hash TEXT NOT NULL,     -- of the one that is good now
    previous_hash TEXT,           -- of the one that was replaced by it
    successor TEXT,               -- the one that is good now, sealed with the one that it replaced
    rotated_at INTEGER,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    user_agent TEXT NOT NULL,
    address TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (user_id, last_used_at DESC, id DESC);
