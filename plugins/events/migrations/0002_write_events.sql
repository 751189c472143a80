-- SPDX-License-Identifier: MIT
-- What the database itself writes of todos and lists, in the statement that changes them: as the API shows them. A change that clients see
-- counts the version up.

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
                  CASE WHEN NEW.due_at IS NULL THEN 'null'
                       ELSE strftime('"%Y-%m-%dT%H:%M:%fZ"', NEW.due_at / 1000.0, 'unixepoch') END,
                  CASE WHEN NEW.completed_at IS NULL THEN 'null'
                       ELSE strftime('"%Y-%m-%dT%H:%M:%fZ"', NEW.completed_at / 1000.0, 'unixepoch') END,
                  NEW.version,
                  CASE WHEN NEW.list_id IS NULL THEN 'null'
                       ELSE lower(printf('"%s-%s-%s-%s-%s"', hex(substr(NEW.list_id, 1, 4)), hex(substr(NEW.list_id, 5, 2)),
                                         hex(substr(NEW.list_id, 7, 2)), hex(substr(NEW.list_id, 9, 2)),
                                         hex(substr(NEW.list_id, 11)))) END,
                  NEW.tags,
                  CASE WHEN NEW.position = CAST(NEW.position AS INTEGER) THEN CAST(NEW.position AS INTEGER)
                       ELSE printf('%!.17g', NEW.position) END,
                  CASE WHEN NEW.remind_at IS NULL THEN 'null'
                       ELSE strftime('"%Y-%m-%dT%H:%M:%fZ"', NEW.remind_at / 1000.0, 'unixepoch') END,
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
                  CASE WHEN NEW.due_at IS NULL THEN 'null'
                       ELSE strftime('"%Y-%m-%dT%H:%M:%fZ"', NEW.due_at / 1000.0, 'unixepoch') END,
                  CASE WHEN NEW.completed_at IS NULL THEN 'null'
                       ELSE strftime('"%Y-%m-%dT%H:%M:%fZ"', NEW.completed_at / 1000.0, 'unixepoch') END,
                  NEW.version,
                  CASE WHEN NEW.list_id IS NULL THEN 'null'
                       ELSE lower(printf('"%s-%s-%s-%s-%s"', hex(substr(NEW.list_id, 1, 4)), hex(substr(NEW.list_id, 5, 2)),
                                         hex(substr(NEW.list_id, 7, 2)), hex(substr(NEW.list_id, 9, 2)),
                                         hex(substr(NEW.list_id, 11)))) END,
                  NEW.tags,
                  CASE WHEN NEW.position = CAST(NEW.position AS INTEGER) THEN CAST(NEW.position AS INTEGER)
                       ELSE printf('%!.17g', NEW.position) END,
                  CASE WHEN NEW.remind_at IS NULL THEN 'null'
                       ELSE strftime('"%Y-%m-%dT%H:%M:%fZ"', NEW.remind_at / 1000.0, 'unixepoch') END,
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
                       ELSE printf('%!.17g', NEW.position) END,
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
                       ELSE printf('%!.17g', NEW.position) END,
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

-- Of a user who is gone nothing is left: what was deleted with them has made no events.
CREATE TRIGGER users_event_deleted AFTER DELETE ON users
BEGIN
    UPDATE events SET user_id = zeroblob(16), subject_id = zeroblob(16), type = '', data = '}'
    WHERE user_id = OLD.id AND id = (SELECT max(id) FROM events);
    DELETE FROM events WHERE user_id = OLD.id;
END;
