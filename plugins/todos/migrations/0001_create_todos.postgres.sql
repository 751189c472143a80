-- SPDX-License-Identifier: MIT
CREATE TABLE todos (
    id uuid PRIMARY KEY,
    title text NOT NULL,
    completed boolean NOT NULL DEFAULT false,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- Lists are read in this order; counts need nothing but the index.
CREATE INDEX todos_by_user ON todos (user_id, created_at DESC, id DESC);
