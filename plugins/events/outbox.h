/* SPDX-License-Identifier: MIT */
/*
 * The outbox as readers see it: numbered events, in order. A position, once given, is final, and whatever is committed later gets a larger one; some
 * positions are nobody's. Everything here runs on a fiber, suspends, and returns 0 or a negative status: BP_BUSY and BP_TIMEOUT when the
 * database is away, after which it is asked again later.
 */
#ifndef PLUGINS_EVENTS_OUTBOX_H
#define PLUGINS_EVENTS_OUTBOX_H

#include "events.h"

/* Where the outbox stands. */
struct outbox_head {
    int64_t last;      /* the last position that was given; 0: none yet */
    int64_t forgotten; /* events up to this position may be gone: who has seen less cannot be brought up to date */
};

/* Numbers what is committed, and says where that leads: everything that was committed before the call has a position up to ret_head->last. At least one
 * round trip, on the primary. */
int outbox_advance(struct events *events, struct outbox_head *ret_head);
/* The same for those who ask again and again: one read while there is nothing new. What was committed just before may be missed: until the next time. */
int outbox_poll(struct events *events, struct outbox_head *ret_head);

/* What a reading gave. */
struct outbox_page {
    struct bp_events_item *items; /* in the order of positions; NULL when len is 0 */
    size_t len;
    /* All that there was up to this position has been read: read on from here. That of the last item when there may be more, never less than
     * what was asked from. It may be below the outbox's last position (a replica of the database that lags behind answered): read again. */
    int64_t upto;
    bool cut; /* OUTBOX_BYTES ended it: there may be more */
    /* More than what was asked from: there may be a gap before the first item. */
    int64_t forgotten;
};

#define OUTBOX_LIMIT_MAX 1001u
/* Of data: the event with which a page has as much is its last one. */
#define OUTBOX_BYTES (1u << 20)
/* Pages that a fiber, whose memory is given back at its end, counts for one that was cut. */
#define OUTBOX_CUT_WEIGHT 4u

/* What only this plugin sees: a session, a key or an account has ended. Its data says nothing. */
#define OUTBOX_ACCOUNT "account.changed"

/* Events after this position, of everybody, limit (at most OUTBOX_LIMIT_MAX) and OUTBOX_BYTES at most. internal: those that only this plugin
 * sees, too. Texts live in the arena. One round trip; it numbers nothing: see outbox_poll(). */
int outbox_read(struct events *events, struct bp_tx *tx, int64_t after, uint32_t limit, bool internal,
                struct bp_arena *arena, struct outbox_page *ret_page);
/* The same of one user. */
int outbox_read_user(struct events *events, const bp_uuid *user_id, int64_t after, uint32_t limit,
                     struct bp_arena *arena, struct outbox_page *ret_page);
/* The last event of each todo of the user that has changed after this position: what a copy of them lacks. */
int outbox_read_changes(struct events *events, const bp_uuid *user_id, int64_t after, uint32_t limit,
                        struct bp_arena *arena, struct outbox_page *ret_page);

#endif
