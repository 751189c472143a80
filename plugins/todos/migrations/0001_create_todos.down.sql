-- SPDX-License-Identifier: MIT
DROP TABLE todos;
