-- SPDX-License-Identifier: MIT
-- Ids are given when an event is written, positions when it is committed: transactions do not end in the order of their ids, and who reads in
-- the order of ids would miss what is committed behind them. Events of one subject have ids in the order of its changes, as these wait for
-- each other's rows.
CREATE TABLE events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    position bigint, -- NULL: not yet seen by events_number()
    user_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    type text NOT NULL,
    data text NOT NULL, -- JSON
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What is written costs one small index; the others are paid for by who numbers.
CREATE INDEX events_pending ON events (id) WHERE position IS NULL;
CREATE UNIQUE INDEX events_position ON events (position) WHERE position IS NOT NULL;
CREATE INDEX events_by_user ON events (user_id, position) WHERE position IS NOT NULL;

-- One row: the last position that was given, and that up to which events may have been deleted.
CREATE TABLE event_head (
    position bigint NOT NULL,
    forgotten bigint NOT NULL
);
INSERT INTO event_head (position, forgotten) VALUES (0, 0);

CREATE TABLE event_consumers (
    name text PRIMARY KEY,
    position bigint NOT NULL -- of the last event that it was given
);

-- Gives positions to up to so many events that are committed, in the order of ids. One at a time does so, under the lock of the head, and each
-- statement here sees what was committed before it began: whatever becomes visible later gets a larger position. Returns how many of each
-- type there were, and at last a row without a type: whether there may be more, the last position, and what was forgotten.
CREATE FUNCTION events_number(most bigint, OUT kind text, OUT amount bigint, OUT head bigint, OUT gone bigint)
RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
    taken bigint := 0;
BEGIN
    IF EXISTS (SELECT FROM events WHERE position IS NULL) THEN
        SELECT h.position INTO last FROM event_head h FOR UPDATE;
        FOR kind, amount IN
            WITH pending AS MATERIALIZED (
                SELECT e.id FROM events e WHERE e.position IS NULL ORDER BY e.id LIMIT most
            ), ranked AS MATERIALIZED (
                SELECT p.id, row_number() OVER (ORDER BY p.id) AS rank FROM pending p
            ), numbered AS (
                UPDATE events e SET position = last + r.rank FROM ranked r
                WHERE e.id = r.id AND e.position IS NULL RETURNING e.type
            ), moved AS (
                UPDATE event_head h SET position = last + (SELECT count(*) FROM ranked) WHERE EXISTS (SELECT FROM ranked)
            )
            SELECT n.type, count(*) FROM numbered n GROUP BY n.type
        LOOP
            taken := taken + amount;
            RETURN NEXT;
        END LOOP;
    END IF;
    kind := '';
    amount := CASE WHEN taken >= most THEN 1 ELSE 0 END;
    SELECT h.position, h.forgotten INTO head, gone FROM event_head h;
    RETURN NEXT;
END $$;
