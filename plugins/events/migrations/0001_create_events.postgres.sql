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
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_analyze_scale_factor = 0.05);

-- What is written costs one small index; the others are paid for by who numbers. Vacuumed often, as whoever looks for what is pending passes
-- what was.
CREATE INDEX events_pending ON events (id) WHERE position IS NULL;
CREATE UNIQUE INDEX events_position ON events (position) WHERE position IS NOT NULL;
CREATE INDEX events_by_user ON events (user_id, position) WHERE position IS NOT NULL;

-- One row: the last position that was given, and that up to which events may have been deleted.
CREATE TABLE event_head (
    position bigint NOT NULL,
    forgotten bigint NOT NULL
);
INSERT INTO event_head (position, forgotten) VALUES (0, 0);
ANALYZE event_head; -- else it is taken for a table of many rows

CREATE TABLE event_consumers (
    name text PRIMARY KEY,
    position bigint NOT NULL -- of the last event that it was given
);

-- Gives positions to up to so many events that are committed, in the order of ids and as far apart as these. One at a time does so, under the
-- lock of the head, and each statement here sees what was committed before it began: whatever becomes visible later gets a larger position.
-- Returns how many of which type there were, and at last a row without a type: whether there may be more, the last position, and what was
-- forgotten. By the places of rows: a join would be planned by statistics, which know nothing of what is pending.
CREATE FUNCTION events_number(most bigint, OUT kind text, OUT amount bigint, OUT head bigint, OUT gone bigint)
RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
    places tid[];
    lowest bigint;
    highest bigint;
    last bigint;
BEGIN
    IF (SELECT e.id FROM events e WHERE e.position IS NULL ORDER BY e.id LIMIT 1) IS NOT NULL THEN
        SELECT h.position INTO last FROM event_head h FOR UPDATE;
        SELECT array_agg(p.place), min(p.id), max(p.id) INTO places, lowest, highest
        FROM (SELECT e.ctid AS place, e.id FROM events e WHERE e.position IS NULL ORDER BY e.id LIMIT most) p;
        IF places IS NOT NULL THEN
            RETURN QUERY
            WITH numbered AS (
                UPDATE events e SET position = last + 1 + e.id - lowest
                WHERE e.ctid = ANY (places) RETURNING e.type
            )
            SELECT n.type, count(*), NULL::bigint, NULL::bigint FROM numbered n GROUP BY n.type;
            UPDATE event_head h SET position = last + 1 + highest - lowest;
        END IF;
    END IF;
    kind := '';
    amount := CASE WHEN cardinality(places) >= most THEN 1 ELSE 0 END;
    SELECT h.position, h.forgotten INTO head, gone FROM event_head h;
    RETURN NEXT;
END $$;
