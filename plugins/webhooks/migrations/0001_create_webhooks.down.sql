-- SPDX-License-Identifier: MIT
DROP TABLE webhook_deliveries;
DROP TABLE webhooks;
