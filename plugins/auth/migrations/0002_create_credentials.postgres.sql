-- SPDX-License-Identifier: MIT
ALTER TABLE users ADD COLUMN email_verified_at timestamptz;

-- Where an account has logged in: what others fail at does not lock it out there. Hashes only.
CREATE TABLE login_addresses (
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address_hash text NOT NULL,
    used_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, address_hash)
);

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name text NOT NULL,
    prefix text NOT NULL UNIQUE,
    secret_hash text NOT NULL,
    scopes text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz
);

CREATE INDEX api_keys_by_user ON api_keys (user_id, id);

-- Whom an external issuer of tokens calls what.
CREATE TABLE external_identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE INDEX external_identities_by_user ON external_identities (user_id);

-- What was sent by mail, to be used once: hashes only.
CREATE TABLE mailed_tokens (
    token_hash text PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('reset', 'verify')),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX mailed_tokens_by_user ON mailed_tokens (user_id, purpose);
