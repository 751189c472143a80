-- SPDX-License-Identifier: MIT
-- Todos refer to lists, so the table is here; the plugin `lists` serves it.
CREATE TABLE lists (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    color TEXT,
    archived INTEGER NOT NULL DEFAULT 0 CHECK (archived IN (0, 1)),
    position REAL NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

CREATE INDEX lists_by_user ON lists (user_id, position, id);

ALTER TABLE todos ADD COLUMN list_id BLOB REFERENCES lists (id);
ALTER TABLE todos ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE todos ADD COLUMN position REAL NOT NULL DEFAULT 0;
UPDATE todos SET position = created_at;

-- Of todos without a list it holds nothing.
CREATE INDEX todos_by_list ON todos (list_id, user_id, created_at DESC, id DESC) WHERE list_id IS NOT NULL;
