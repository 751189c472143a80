-- SPDX-License-Identifier: MIT
DROP TRIGGER todos_event_created ON todos;
DROP TRIGGER todos_event_updated ON todos;
DROP TRIGGER todos_event_deleted ON todos;
DROP TRIGGER lists_event_created ON lists;
DROP TRIGGER lists_event_updated ON lists;
DROP TRIGGER lists_event_deleted ON lists;
DROP TRIGGER sessions_event_ended ON sessions;
DROP TRIGGER api_keys_event_deleted ON api_keys;
DROP TRIGGER users_event_ended ON users;
DROP TRIGGER users_event_deleted ON users;
DROP FUNCTION events_of_todo();
DROP FUNCTION events_of_list();
DROP FUNCTION events_of_deleted();
DROP FUNCTION events_of_user();
DROP FUNCTION events_of_account();
DROP FUNCTION events_of_user_ended();
DROP FUNCTION events_number_text(double precision);
DROP FUNCTION events_date(timestamptz);
