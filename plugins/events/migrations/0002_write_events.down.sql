-- SPDX-License-Identifier: MIT
DROP TRIGGER todos_event_created;
DROP TRIGGER todos_event_updated;
DROP TRIGGER todos_event_deleted;
DROP TRIGGER lists_event_created;
DROP TRIGGER lists_event_updated;
DROP TRIGGER lists_event_deleted;
DROP TRIGGER users_event_deleted;
