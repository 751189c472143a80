-- SPDX-License-Identifier: MIT
DROP TABLE event_consumers;
DROP TABLE event_head;
DROP TABLE events;
