/* SPDX-License-Identifier: MIT */
/* A server with webhooks, two accounts, and a receiver: what tests of webhooks begin with. */
#ifndef HTTP_WEBHOOK_SITE_H
#define HTTP_WEBHOOK_SITE_H

#include "receiver.h"
#include "two_accounts.h"

#define WEBHOOKS "/api/v1/webhooks"

/* environment: more of it, options: "plugins.webhooks.attempts=4" and so on; both with NULL at the end, NULL: none. What is sent may go to 127.0.0.1 and 127.0.0.3, and to http:// as in development. */
void site_start(const char *const *environment, const char *const *options);
void site_stop(void);
/* For .init, with neither. */
void site_start_plain(void);

/* An endpoint of the receiver, or a whole URL; its identifier. types: of JSON, or NULL: all. */
void add_webhook(const char *who, const char *path, const char *types, char ret_id[40]);
/* "/api/v1/webhooks/<id>" and more, in a buffer of its own. */
const char *webhook_path(const char *id, const char *more);
/* Waits until the newest delivery has been tried so often and is in this state: as GET of it says. json_decref() it. */
json_t *wait_delivery(const char *who, const char *webhook, const char *state, long long attempts);
/* A test event for it, which is asked for by its owner. */
void send_test(const char *who, const char *id);
/* Until a statement's number is this one. */
void wait_count(const char *sql, long long count);
/* Deliveries that wait for their next attempt are due at once. */
void hurry(void);
/* Between two dates of a reply, in milliseconds. */
long long span_of(const json_t *root, const char *from, const char *to);

#endif
