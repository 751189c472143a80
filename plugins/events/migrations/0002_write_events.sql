-- SPDX-License-Identifier: MIT
-- What the database itself writes of todos and lists, in the statement that changes them: as the API shows them. A change that clients see
-- counts the version up. Whatever stands in a row, what is written is JSON: what the API never writes (a year of five digits, an infinite place)
-- may be shown as another value.

CREATE TRIGGER todos_event_created AFTER INSERT ON todos
BEGIN
    INSERT INTO events (user_id, subject_id, type, data, at) VALUES (
           NEW.user_id, NEW.id, 'todo.created',
           printf(',"title":%s,"completed":%s,"createdAt":"%s","updatedAt":"%s","description":%s,"priority":%d,"dueAt":%s,'
                  || '"completedAt":%s,"version":%d,"listId":%s,"tags":%s,"position":%s,"remindAt":%s,"recurrence":%s}',
                  json_quote(NEW.title), CASE WHEN NEW.completed THEN 'true' ELSE 'false' END,
                  strftime('%Y-%m-%dT%H:%M:%fZ', NEW.created_at / 1000.0, 'unixepoch'),
                  strftime('%Y-%m-%dT%H:%M:%fZ', NEW.updated_at / 1000.0, 'unixepoch'),
                  CASE WHEN NEW.description IS NULL THEN 'null' ELSE json_quote(NEW.description) END, NEW.priority,
                  coalesce(strftime('"%Y-%m-%dT%H:%M:%fZ"', NEW.due_at / 1000.0, 'unixepoch'), 'null'),
                  coalesce(strftime('"%Y-%m-%dT%H:%M:%fZ"', NEW.completed_at / 1000.0, 'unixepoch'), 'null'),
                  NEW.version,
                  CASE WHEN NEW.list_id IS NULL THEN 'null'
                       ELSE lower(printf('"%s-%s-%s-%s-%s"', hex(substr(NEW.list_id, 1, 4)), hex(substr(NEW.list_id, 5, 2)),
                                         hex(substr(NEW.list_id, 7, 2)), hex(substr(NEW.list_id, 9, 2)),
                                         hex(substr(NEW.list_id, 11)))) END,
                  CASE WHEN json_valid(NEW.tags) THEN NEW.tags ELSE '[]' END,
                  CASE WHEN NEW.position = CAST(NEW.position AS INTEGER) THEN CAST(NEW.position AS INTEGER)
                       WHEN abs(NEW.position) < 1e308 THEN printf('%!.17g', NEW.position) ELSE 0 END,
                  coalesce(strftime('"%Y-%m-%dT%H:%M:%fZ"', NEW.remind_at / 1000.0, 'unixepoch'), 'null'),
                  CASE WHEN NEW.recurrence IS NULL THEN 'null' ELSE json_quote(NEW.recurrence) END),
           CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER));
END;

CREATE TRIGGER todos_event_updated AFTER UPDATE ON todos WHEN NEW.version <> OLD.version
BEGIN
    INSERT INTO events (user_id, subject_id, type, data, at) VALUES (
           NEW.user_id, NEW.id, CASE WHEN NEW.completed AND NOT OLD.completed THEN 'todo.completed' ELSE 'todo.updated' END,
           printf(',"title":%s,"completed":%s,"createdAt":"%s","updatedAt":"%s","description":%s,"priority":%d,"dueAt":%s,'
                  || '"completedAt":%s,"version":%d,"listId":%s,"tags":%s,"position":%s,"remindAt":%s,"recurrence":%s}',
                  json_quote(NEW.title), CASE WHEN NEW.completed THEN 'true' ELSE 'false' END,
                  strftime('%Y-%m-%dT%H:%M:%fZ', NEW.created_at / 1000.0, 'unixepoch'),
                  strftime('%Y-%m-%dT%H:%M:%fZ', NEW.updated_at / 1000.0, 'unixepoch'),
                  CASE WHEN NEW.description IS NULL THEN 'null' ELSE json_quote(NEW.description) END, NEW.priority,
                  coalesce(strftime('"%Y-%m-%dT%H:%M:%fZ"', NEW.due_at / 1000.0, 'unixepoch'), 'null'),
                  coalesce(strftime('"%Y-%m-%dT%H:%M:%fZ"', NEW.completed_at / 1000.0, 'unixepoch'), 'null'),
                  NEW.version,
                  CASE WHEN NEW.list_id IS NULL THEN 'null'
                       ELSE lower(printf('"%s-%s-%s-%s-%s"', hex(substr(NEW.list_id, 1, 4)), hex(substr(NEW.list_id, 5, 2)),
                                         hex(substr(NEW.list_id, 7, 2)), hex(substr(NEW.list_id, 9, 2)),
                                         hex(substr(NEW.list_id, 11)))) END,
                  CASE WHEN json_valid(NEW.tags) THEN NEW.tags ELSE '[]' END,
                  CASE WHEN NEW.position = CAST(NEW.position AS INTEGER) THEN CAST(NEW.position AS INTEGER)
                       WHEN abs(NEW.position) < 1e308 THEN printf('%!.17g', NEW.position) ELSE 0 END,
                  coalesce(strftime('"%Y-%m-%dT%H:%M:%fZ"', NEW.remind_at / 1000.0, 'unixepoch'), 'null'),
                  CASE WHEN NEW.recurrence IS NULL THEN 'null' ELSE json_quote(NEW.recurrence) END),
           CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER));
END;

CREATE TRIGGER lists_event_created AFTER INSERT ON lists
BEGIN
    INSERT INTO events (user_id, subject_id, type, data, at) VALUES (
           NEW.user_id, NEW.id, 'list.created',
           printf(',"name":%s,"color":%s,"archived":%s,"position":%s,"createdAt":"%s","updatedAt":"%s","version":%d}',
                  json_quote(NEW.name), CASE WHEN NEW.color IS NULL THEN 'null' ELSE json_quote(NEW.color) END,
                  CASE WHEN NEW.archived THEN 'true' ELSE 'false' END,
                  CASE WHEN NEW.position = CAST(NEW.position AS INTEGER) THEN CAST(NEW.position AS INTEGER)
                       WHEN abs(NEW.position) < 1e308 THEN printf('%!.17g', NEW.position) ELSE 0 END,
                  strftime('%Y-%m-%dT%H:%M:%fZ', NEW.created_at / 1000.0, 'unixepoch'),
                  strftime('%Y-%m-%dT%H:%M:%fZ', NEW.updated_at / 1000.0, 'unixepoch'), NEW.version),
           CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER));
END;

CREATE TRIGGER lists_event_updated AFTER UPDATE ON lists WHEN NEW.version <> OLD.version
BEGIN
    INSERT INTO events (user_id, subject_id, type, data, at) VALUES (
           NEW.user_id, NEW.id, 'list.updated',
           printf(',"name":%s,"color":%s,"archived":%s,"position":%s,"createdAt":"%s","updatedAt":"%s","version":%d}',
                  json_quote(NEW.name), CASE WHEN NEW.color IS NULL THEN 'null' ELSE json_quote(NEW.color) END,
                  CASE WHEN NEW.archived THEN 'true' ELSE 'false' END,
                  CASE WHEN NEW.position = CAST(NEW.position AS INTEGER) THEN CAST(NEW.position AS INTEGER)
                       WHEN abs(NEW.position) < 1e308 THEN printf('%!.17g', NEW.position) ELSE 0 END,
                  strftime('%Y-%m-%dT%H:%M:%fZ', NEW.created_at / 1000.0, 'unixepoch'),
                  strftime('%Y-%m-%dT%H:%M:%fZ', NEW.updated_at / 1000.0, 'unixepoch'), NEW.version),
           CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER));
END;

CREATE TRIGGER todos_event_deleted AFTER DELETE ON todos
BEGIN
    INSERT INTO events (user_id, subject_id, type, data, at)
    SELECT OLD.user_id, OLD.id, 'todo.deleted', '}', CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER)
    FROM users WHERE id = OLD.user_id;
END;

CREATE TRIGGER lists_event_deleted AFTER DELETE ON lists
BEGIN
    INSERT INTO events (user_id, subject_id, type, data, at)
    SELECT OLD.user_id, OLD.id, 'list.deleted', '}', CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER)
    FROM users WHERE id = OLD.user_id;
END;

-- Who listens by a session, a key or an account that has ended must not go on: seen by the plugin only. What is deleted with its user is told
-- once, with the user; what had expired before was told by its own date.
CREATE TRIGGER sessions_event_ended AFTER DELETE ON sessions
WHEN OLD.expires_at > CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER)
BEGIN
    INSERT INTO events (user_id, subject_id, type, data, at)
    SELECT id, id, 'account.changed', '{}', CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER) FROM users WHERE id = OLD.user_id;
END;

CREATE TRIGGER api_keys_event_deleted AFTER DELETE ON api_keys
BEGIN
    INSERT INTO events (user_id, subject_id, type, data, at)
    SELECT id, id, 'account.changed', '{}', CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER) FROM users WHERE id = OLD.user_id;
END;

CREATE TRIGGER users_event_ended AFTER UPDATE OF disabled, tokens_after ON users
WHEN NEW.disabled > OLD.disabled OR NEW.tokens_after > OLD.tokens_after
BEGIN
    INSERT INTO events (user_id, subject_id, type, data, at)
    VALUES (NEW.id, NEW.id, 'account.changed', '{}', CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER));
END;

-- Of a user who is gone nothing else is left: what was deleted with them has made no events.
CREATE TRIGGER users_event_deleted AFTER DELETE ON users
BEGIN
    INSERT INTO events (user_id, subject_id, type, data, at)
    VALUES (OLD.id, OLD.id, 'account.changed', '{}', CAST((julianday('now') - 2440587.5) * 86400000 + 0.5 AS INTEGER));
    DELETE FROM events WHERE user_id = OLD.id AND id < (SELECT max(id) FROM events);
END;
