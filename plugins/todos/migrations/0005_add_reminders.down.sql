-- SPDX-License-Identifier: MIT
ALTER TABLE todos DROP COLUMN remind_at;
ALTER TABLE todos DROP COLUMN recurrence;
