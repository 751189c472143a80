-- SPDX-License-Identifier: MIT
-- One writer at a time: ids are given in the order of commits, so an event's id is its position. Whoever deletes events leaves the last one,
-- so that no id is given twice; one without a type only holds its place.
CREATE TABLE events (
    id INTEGER PRIMARY KEY NOT NULL,
    user_id BLOB NOT NULL,
    subject_id BLOB NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL, -- JSON; what begins with a comma or "}" lacks {"id", or {"id" and "userId", which are in the row
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX events_by_user ON events (user_id, id);

-- One row. Events up to this position may have been deleted.
CREATE TABLE event_head (forgotten INTEGER NOT NULL) STRICT;
INSERT INTO event_head (forgotten) VALUES (0);

CREATE TABLE event_consumers (
    name TEXT PRIMARY KEY NOT NULL,
    position INTEGER NOT NULL -- of the last event that it was given
) STRICT, WITHOUT ROWID;
