-- SPDX-License-Identifier: MIT
DROP TABLE sessions;
ALTER TABLE users DROP COLUMN disabled;
ALTER TABLE users DROP COLUMN tokens_after;
