-- SPDX-License-Identifier: MIT
-- What the database itself writes of todos and lists, in the statement that changes them: as the API shows them. A change that clients see
-- counts the version up. Whatever stands in a row, what is written is JSON: what the API never writes (a year of five digits, an infinite place)
-- may be shown as another value.

-- As the API writes a date. The year before the first is 0 there.
CREATE FUNCTION events_date(at timestamptz) RETURNS text LANGUAGE sql STABLE
RETURN CASE WHEN at >= '0001-01-01 00:00:00+00' THEN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
            ELSE '0000' || to_char(at AT TIME ZONE 'UTC', '-MM-DD"T"HH24:MI:SS.MS"Z"') END;

CREATE FUNCTION events_number_text(number double precision) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE WHEN number > '-Infinity' AND number < 'Infinity' THEN number::text ELSE '0' END;

CREATE FUNCTION events_of_todo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (user_id, subject_id, type, data) VALUES (
        NEW.user_id, NEW.id,
        CASE WHEN TG_OP = 'INSERT' THEN 'todo.created'
             WHEN NEW.completed AND NOT OLD.completed THEN 'todo.completed'
             ELSE 'todo.updated' END,
        concat('{"id":"', NEW.id, '","title":', to_json(NEW.title), ',"completed":', CASE WHEN NEW.completed THEN 'true' ELSE 'false' END,
               ',"userId":"', NEW.user_id, '","createdAt":"', events_date(NEW.created_at), '","updatedAt":"', events_date(NEW.updated_at),
               '","description":', coalesce(to_json(NEW.description), 'null'), ',"priority":', NEW.priority,
               ',"dueAt":', coalesce('"' || events_date(NEW.due_at) || '"', 'null'),
               ',"completedAt":', coalesce('"' || events_date(NEW.completed_at) || '"', 'null'), ',"version":', NEW.version,
               ',"listId":', coalesce('"' || NEW.list_id || '"', 'null'), ',"tags":', NEW.tags, ',"position":', events_number_text(NEW.position),
               ',"remindAt":', coalesce('"' || events_date(NEW.remind_at) || '"', 'null'),
               ',"recurrence":', coalesce(to_json(NEW.recurrence), 'null'), '}'));
    RETURN NULL;
END $$;

CREATE FUNCTION events_of_list() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (user_id, subject_id, type, data) VALUES (
        NEW.user_id, NEW.id, CASE WHEN TG_OP = 'INSERT' THEN 'list.created' ELSE 'list.updated' END,
        concat('{"id":"', NEW.id, '","name":', to_json(NEW.name), ',"userId":"', NEW.user_id, '","color":', coalesce(to_json(NEW.color), 'null'),
               ',"archived":', CASE WHEN NEW.archived THEN 'true' ELSE 'false' END, ',"position":', events_number_text(NEW.position),
               ',"createdAt":"', events_date(NEW.created_at), '","updatedAt":"', events_date(NEW.updated_at), '","version":', NEW.version, '}'));
    RETURN NULL;
END $$;

-- Not of what is deleted with its user.
CREATE FUNCTION events_of_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (user_id, subject_id, type, data)
    SELECT OLD.user_id, OLD.id, TG_ARGV[0], concat('{"id":"', OLD.id, '"}') FROM users WHERE id = OLD.user_id;
    RETURN NULL;
END $$;

-- Who listens by a session, a key or an account that has ended must not go on: seen by the plugin only. What is deleted with its user is told
-- once, with the user.
CREATE FUNCTION events_of_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (user_id, subject_id, type, data) SELECT id, id, 'account.changed', '{}' FROM users WHERE id = OLD.user_id;
    RETURN NULL;
END $$;

CREATE FUNCTION events_of_user_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (user_id, subject_id, type, data) VALUES (NEW.id, NEW.id, 'account.changed', '{}');
    RETURN NULL;
END $$;

-- Of a user who is gone nothing else is left. First what has no position yet: who is giving them is waited for, and has given them then.
CREATE FUNCTION events_of_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM events WHERE user_id = OLD.id AND position IS NULL;
    DELETE FROM events WHERE user_id = OLD.id AND position IS NOT NULL;
    INSERT INTO events (user_id, subject_id, type, data) VALUES (OLD.id, OLD.id, 'account.changed', '{}');
    RETURN NULL;
END $$;

-- Naming the newest column keeps it from being taken away below the trigger; every update names the version.
CREATE TRIGGER todos_event_created AFTER INSERT ON todos FOR EACH ROW EXECUTE FUNCTION events_of_todo();
CREATE TRIGGER todos_event_updated AFTER UPDATE OF version, recurrence ON todos FOR EACH ROW
    WHEN (NEW.version <> OLD.version) EXECUTE FUNCTION events_of_todo();
CREATE TRIGGER todos_event_deleted AFTER DELETE ON todos FOR EACH ROW EXECUTE FUNCTION events_of_deleted('todo.deleted');
CREATE TRIGGER lists_event_created AFTER INSERT ON lists FOR EACH ROW EXECUTE FUNCTION events_of_list();
CREATE TRIGGER lists_event_updated AFTER UPDATE OF version ON lists FOR EACH ROW
    WHEN (NEW.version <> OLD.version) EXECUTE FUNCTION events_of_list();
CREATE TRIGGER lists_event_deleted AFTER DELETE ON lists FOR EACH ROW EXECUTE FUNCTION events_of_deleted('list.deleted');
CREATE TRIGGER users_event_deleted AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION events_of_user();
-- What had expired before was told by its own date.
CREATE TRIGGER sessions_event_ended AFTER DELETE ON sessions FOR EACH ROW
    WHEN (OLD.expires_at > clock_timestamp()) EXECUTE FUNCTION events_of_account();
CREATE TRIGGER api_keys_event_deleted AFTER DELETE ON api_keys FOR EACH ROW EXECUTE FUNCTION events_of_account();
CREATE TRIGGER users_event_ended AFTER UPDATE OF disabled, tokens_after ON users FOR EACH ROW
    WHEN (NEW.disabled > OLD.disabled OR NEW.tokens_after > OLD.tokens_after) EXECUTE FUNCTION events_of_user_ended();
