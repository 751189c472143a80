-- SPDX-License-Identifier: MIT
ALTER TABLE todos
    ADD COLUMN version bigint NOT NULL DEFAULT 1,
    ADD COLUMN description text,
    ADD COLUMN priority bigint NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 4),
    ADD COLUMN due_at timestamptz,
    ADD COLUMN completed_at timestamptz;

-- What was done before it was noted when: at its last change.
UPDATE todos SET completed_at = updated_at WHERE completed;
