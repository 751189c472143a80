-- SPDX-License-Identifier: MIT
CREATE TABLE todos (
    id BLOB PRIMARY KEY NOT NULL,
    title TEXT NOT NULL,
    completed INTEGER NOT NULL DEFAULT 0 CHECK (completed IN (0, 1)),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Lists are read in this order; counts need nothing but the index.
CREATE INDEX todos_by_user ON todos (user_id, created_at DESC, id DESC);
