/* SPDX-License-Identifier: MIT */
/* A server of the shipped configuration, several workers for jobs, and one account. */
#ifndef HTTP_REMINDERS_SITE_H
#define HTTP_REMINDERS_SITE_H

#include <jansson.h>

#include "tests/support/server.h"

#define TODOS "/api/v1/todos"
#define DAY 86400000LL
#define SECRET "JWT_SECRET=the-same-secret-on-all-of-them-0123456789"
#define SCHEDULED "SELECT count(*) FROM jobs WHERE kind = 'reminders.send' AND state IN ('scheduled', 'waiting')"
/* For who is to be killed: what a dead worker had is soon run by others. */
#define SOON_RESCUED "--set", "plugins.queue.lease=1s"

extern struct test_server site;

/* arguments: after "run", NULL at the end, until the site stops. */
void site_start_with(const char *const *arguments);
void site_start(void);
void site_stop(void);
/* kill -9, and all of it again. */
void site_restart(void);

/* The reply's body, which has this status. */
json_t *site_call(const char *method, const char *target, const char *body, unsigned status);
/* The identifier of a new todo. */
void site_add(const char *body, char ret_id[40]);
/* body NULL: deletes it. */
json_t *site_change(const char *id, const char *body);

/* Milliseconds since the epoch; the same as RFC 3339. */
long long site_now(void);
const char *site_date(long long milliseconds, char space[32]);

#endif
