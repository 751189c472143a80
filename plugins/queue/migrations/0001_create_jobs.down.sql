-- SPDX-License-Identifier: MIT
DROP TABLE job_workers;
DROP TABLE job_schedules;
DROP TABLE job_queues;
DROP TABLE jobs;
