-- SPDX-License-Identifier: MIT
ALTER TABLE todos DROP COLUMN version;
ALTER TABLE todos DROP COLUMN description;
ALTER TABLE todos DROP COLUMN priority;
ALTER TABLE todos DROP COLUMN due_at;
ALTER TABLE todos DROP COLUMN completed_at;
