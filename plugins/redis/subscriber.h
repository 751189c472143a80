/* SPDX-License-Identifier: MIT */
/* Messages: a connection of its own, on which the server speaks unasked. Subscribed again after it was lost. */
#ifndef REDIS_SUBSCRIBER_H
#define REDIS_SUBSCRIBER_H

#include "breaker.h"
#include "wire.h"

struct redis;
struct subscription;

struct subscriber {
    struct redis *redis;
    struct wire wire;
    struct bp_watch *watch;
    bp_event work;
    struct subscription *subscriptions;
    struct backoff backoff;
    bool running, missed; /* missed: messages may have been sent while nobody listened */
    bool readable, asked; /* asked: a PING was sent since it last spoke */
};

/* See struct bp_key_value_vtable. 0 or BP_NOMEM. */
int subscriber_add(struct subscriber *subscriber, const char *channel, void (*function)(void *argument, bp_str message),
                   void *argument);
/* In deinit. */
void subscriber_deinit(struct subscriber *subscriber);

#endif
