-- SPDX-License-Identifier: MIT
DROP INDEX todos_text_words;
DROP INDEX todos_text_stale;
ALTER TABLE todos
    DROP COLUMN text_words,
    DROP COLUMN text_stale;
