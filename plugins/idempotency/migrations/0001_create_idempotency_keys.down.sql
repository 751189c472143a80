-- SPDX-License-Identifier: MIT
DROP TABLE idempotency_keys;
