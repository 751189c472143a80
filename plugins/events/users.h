/* SPDX-License-Identifier: MIT */
/* Those who have streams in this worker, by their identifiers. */
#ifndef PLUGINS_EVENTS_USERS_H
#define PLUGINS_EVENTS_USERS_H

#include "backplane/hash.h"
#include "backplane/uuid.h"

struct client;

struct user {
    struct user *next; /* of the same place */
    bp_uuid id;
    uint32_t count;         /* of clients, those that do not listen yet included */
    uint32_t changes;       /* how often it was told that a session, a key or the account has ended */
    struct client *clients; /* those who are told what happens */
};

struct users {
    uint8_t key[BP_HASH_KEY];
    struct user **places;
    size_t mask; /* places - 1 */
    size_t count;
};

/* BP_NOMEM or 0. */
int users_init(struct users *users);
/* Accepts zeroes. Nobody is left in it. */
void users_deinit(struct users *users);
/* NULL: not there. */
struct user *users_find(const struct users *users, const bp_uuid *id);
/* The same, but adds it. NULL: out of memory. */
struct user *users_take(struct users *users, const bp_uuid *id);
void users_drop(struct users *users, struct user *user);

#endif
