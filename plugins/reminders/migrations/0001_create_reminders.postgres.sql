-- SPDX-License-Identifier: MIT
-- What is to be sent, a job each, and for a while what was: a todo that is written anew with the same time is not reminded of again. Identifiers are
-- texts, so that a list of them can be a parameter; those of todos that are gone go with their jobs.
CREATE TABLE reminders (
    todo_id text PRIMARY KEY,
    remind_at timestamptz NOT NULL,
    sent_at timestamptz
);

CREATE INDEX reminders_remind_at ON reminders (remind_at);
