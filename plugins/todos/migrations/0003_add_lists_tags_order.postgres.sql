-- SPDX-License-Identifier: MIT
-- Todos refer to lists, so the table is here; the plugin `lists` serves it.
CREATE TABLE lists (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    color text,
    archived boolean NOT NULL DEFAULT false,
    position double precision NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL DEFAULT 1
);

CREATE INDEX lists_by_user ON lists (user_id, position, id);

ALTER TABLE todos
    ADD COLUMN list_id uuid REFERENCES lists (id),
    ADD COLUMN tags jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN position double precision NOT NULL DEFAULT 0;
UPDATE todos SET position = extract(epoch FROM created_at) * 1000;

-- Of todos without a list it holds nothing.
CREATE INDEX todos_by_list ON todos (list_id, user_id, created_at DESC, id DESC) WHERE list_id IS NOT NULL;
