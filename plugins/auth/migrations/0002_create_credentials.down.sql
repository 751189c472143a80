-- SPDX-License-Identifier: MIT
DROP TABLE mailed_tokens;
DROP TABLE external_identities;
DROP TABLE api_keys;
DROP TABLE login_addresses;
ALTER TABLE users DROP COLUMN email_verified_at;
