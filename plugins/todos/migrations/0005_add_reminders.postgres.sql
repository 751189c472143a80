-- SPDX-License-Identifier: MIT
ALTER TABLE todos
    ADD COLUMN remind_at timestamptz,
    ADD COLUMN recurrence text;
