-- SPDX-License-Identifier: MIT
DROP TABLE reminders;
