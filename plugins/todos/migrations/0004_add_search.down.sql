-- SPDX-License-Identifier: MIT
DROP TRIGGER todos_text_deleted;
DROP TABLE todos_text;
DROP TABLE todos_text_dead;
DROP TABLE todos_text_ids;
DROP INDEX todos_text_stale;
ALTER TABLE todos DROP COLUMN text_stale;
