-- SPDX-License-Identifier: MIT
DROP INDEX todos_by_list;
ALTER TABLE todos DROP COLUMN position;
ALTER TABLE todos DROP COLUMN tags;
ALTER TABLE todos DROP COLUMN list_id;
DROP TABLE lists;
