-- SPDX-License-Identifier: MIT
-- Texts are indexed when somebody searches, not when they are written: text_stale says which are not.
ALTER TABLE todos ADD COLUMN text_stale INTEGER NOT NULL DEFAULT 1 CHECK (text_stale IN (0, 1));
CREATE INDEX todos_text_stale ON todos (user_id, id) WHERE text_stale = 1;

-- FTS5 knows texts by a number; "owner" holds a word for whose it is, so that a search never reads others' texts. A trigger may not write
-- to it: the numbers of what was deleted wait for the next search, and are never used again.
CREATE TABLE todos_text_ids (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    todo_id BLOB NOT NULL UNIQUE REFERENCES todos (id) ON DELETE CASCADE
) STRICT;
CREATE TABLE todos_text_dead (id INTEGER PRIMARY KEY) STRICT;
CREATE VIRTUAL TABLE todos_text USING fts5 (owner, title, description, tokenize = "unicode61 remove_diacritics 0");
CREATE TRIGGER todos_text_deleted AFTER DELETE ON todos_text_ids
BEGIN
    INSERT INTO todos_text_dead (id) VALUES (OLD.id);
END;
