-- SPDX-License-Identifier: MIT
ALTER TABLE todos ADD COLUMN remind_at INTEGER;
ALTER TABLE todos ADD COLUMN recurrence TEXT;
