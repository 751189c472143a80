-- SPDX-License-Identifier: MIT
CREATE TABLE idempotency_keys (
    id uuid PRIMARY KEY,
    fingerprint uuid NOT NULL,
    status bigint NOT NULL,
    content_type text NOT NULL,
    headers text NOT NULL,
    body text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX idempotency_keys_expires_at ON idempotency_keys (expires_at);
