-- SPDX-License-Identifier: MIT
-- What has expired is looked for by the hour.
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX mailed_tokens_by_expiry ON mailed_tokens (expires_at);
CREATE INDEX login_addresses_by_use ON login_addresses (used_at);
