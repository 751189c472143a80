-- SPDX-License-Identifier: MIT
DROP INDEX sessions_by_expiry;
DROP INDEX mailed_tokens_by_expiry;
DROP INDEX login_addresses_by_use;
