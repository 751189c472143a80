/* SPDX-License-Identifier: MIT */
/* LISTEN, on a connection of its own that is made when the first channel is asked for. */
#ifndef POSTGRES_LISTENER_H
#define POSTGRES_LISTENER_H

#include "backplane/backplane.h"

struct subscription {
    struct subscription *next;
    void (*function)(void *argument, bp_str payload);
    void *argument;
    bool listening; /* LISTEN was said on this connection */
    char channel[64];
};

struct listener {
    struct subscription *subscriptions;
    bp_event event;
    bool started;
    bool readable;
};

/* See struct bp_database_vtable. */
int database_listen(void *self, const char *channel, void (*function)(void *argument, bp_str payload), void *argument);
void listener_free(struct listener *listener);

#endif
