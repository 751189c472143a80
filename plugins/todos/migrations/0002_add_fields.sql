-- SPDX-License-Identifier: MIT
ALTER TABLE todos ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE todos ADD COLUMN description TEXT;
ALTER TABLE todos ADD COLUMN priority INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 4);
ALTER TABLE todos ADD COLUMN due_at INTEGER;
ALTER TABLE todos ADD COLUMN completed_at INTEGER;

-- What was done before it was noted when: at its last change.
UPDATE todos SET completed_at = updated_at WHERE completed = 1;
