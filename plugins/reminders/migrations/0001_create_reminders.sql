-- SPDX-License-Identifier: MIT
-- What is to be sent, a job each, and for a while what was: a todo that is written anew with the same time is not reminded of again. Identifiers are
-- texts, so that a list of them can be a parameter; those of todos that are gone go with their jobs.
CREATE TABLE reminders (
    todo_id TEXT PRIMARY KEY NOT NULL,
    remind_at INTEGER NOT NULL,
    sent_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX reminders_remind_at ON reminders (remind_at);
