/* SPDX-License-Identifier: MIT */
/*
 * The streams of a worker: who listens, and up to where each has been told. One reading of the outbox serves all of them. No fiber belongs
 * to a stream; while one has to be brought up to date, one of a few does that.
 */
#ifndef PLUGINS_EVENTS_HUB_H
#define PLUGINS_EVENTS_HUB_H

#include "events.h"
#include "users.h"

/* Why a stream ended; labels of the metric. */
enum hub_end { HUB_CLIENT, HUB_SLOW, HUB_EXPIRED, HUB_REVOKED, HUB_DRAINED, HUB_FAILED, HUB_ENDS };

struct client {
    struct hub *hub;
    struct user *user;
    struct bp_stream *stream;            /* NULL: its handler runs */
    struct client *next, **at;           /* of all that have a stream */
    struct client *next_told, **told_at; /* of its user's clients; or of those that are behind */
    int64_t position;                    /* told up to here */
    bp_date expires;                     /* 0: never */
    bp_time quiet_since;
    bp_time not_before; /* of those that are behind: nobody looks after it until then */
    bp_span wait;       /* how long it was put off the last time; 0: it was not */
    uint8_t smaller;    /* pages of the next reading: half as large so many times */
    bool joined;        /* it is among its user's clients */
    bool catching_up;   /* a fiber has it in hand, and frees it when it has gone */
    bool gone;
    uint8_t end; /* enum hub_end */
    uint16_t types_len;
    char types[]; /* none: all */
};

struct hub {
    struct events *events;
    struct users users;
    struct client *clients;
    struct client *behind, **behind_end;
    uint32_t count;  /* all, those whose handler runs included */
    uint32_t listed; /* of clients */
    bool awake;      /* position is kept up to date */
    bool reading;    /* a fiber is about it */
    uint32_t catching_up;
    bp_time catch_up_after; /* the database was away */
    int64_t position;       /* events up to here were, or are being, given to clients */
    int64_t done;           /* those up to here were */
    struct client *cursor;  /* whom the fiber that tells goes on with */
    struct bp_timer *read_timer, *quiet_timer, *behind_timer;
    struct bp_series *streams, *sent, *resyncs, *ended[HUB_ENDS];
};

#define HUB_E_USER 1   /* the user has as many streams as may be */
#define HUB_E_WORKER 2 /* the worker has */

/* In start. */
int hub_start(struct events *events);
/* In deinit: all streams and fibers have ended. */
void hub_free(struct events *events);

/* A place for a stream of this user, that begins at position and is told of these types. 0, a condition above, BP_NOMEM. */
int hub_enter(struct hub *hub, const bp_uuid *user_id, bp_str types, struct client **ret_client);
/* Gives back the place of a client without a stream. */
void hub_leave(struct client *client);
/* Makes sure that hub->position holds. On a fiber; suspends. 0 or a negative status. */
int hub_wake(struct hub *hub);
/* For bp_stream_detach(): its argument is the client. */
void hub_closed(void *client, enum bp_stream_end end);
/* The client has its stream: it is told whatever comes after its position. */
void hub_listen(struct client *client);

/* --- between hub.c, tell.c and catch_up.c --- */

/* Sends to a client; ends it when that does not work. False: it has gone. */
bool hub_send(struct client *client, bp_str text);
/* From the line of those behind to those who are told, when nothing lies between. */
bool hub_join(struct client *client);
void hub_end(struct client *client, enum hub_end end);
/* Takes it out of the line, or from among those who are told. */
void hub_unlink(struct client *client);
/* Adds it to those behind, and sees to it that somebody looks after them. */
void catch_up(struct client *client);
/* Somebody looks after those who are behind and can be told something. On the loop, now and then. */
void catch_up_on(void *hub);
/* Whenever there is something to look for: on the loop. */
void tell_soon(void *hub);

#endif
