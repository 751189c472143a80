-- SPDX-License-Identifier: MIT
DROP FUNCTION events_number(bigint);
DROP TABLE event_consumers;
DROP TABLE event_head;
DROP TABLE events;
