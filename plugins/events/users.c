/* SPDX-License-Identifier: MIT */
#include "users.h"

#include <stdlib.h>

#include "backplane/status.h"

#define FIRST_PLACES 64u

int users_init(struct users *users)
{
    bp_random(users->key, sizeof(users->key));
    users->mask = FIRST_PLACES - 1;
    users->places = calloc(FIRST_PLACES, sizeof(struct user *));
    return users->places ? 0 : BP_NOMEM;
}

void users_deinit(struct users *users)
{
    free(users->places);
    users->places = NULL;
}

static struct user **place_of(const struct users *users, const bp_uuid *id)
{
    uint64_t hash = bp_hash(users->key, bp_str_n((const char *)id->bytes, sizeof(id->bytes)));
    return &users->places[hash & users->mask];
}

struct user *users_find(const struct users *users, const bp_uuid *id)
{
    struct user *user = *place_of(users, id);
    while (user && !bp_uuid_eq(&user->id, id))
        user = user->next;
    return user;
}

/* Without memory they stay as they are: only slower. */
static void grow(struct users *users)
{
    struct user **old = users->places;
    size_t old_mask = users->mask;
    struct user **places = calloc((old_mask + 1) * 2, sizeof(struct user *));
    if (!places)
        return;
    users->places = places;
    users->mask = old_mask * 2 + 1;
    for (size_t i = 0; i <= old_mask; i++)
        for (struct user *user = old[i], *next; user; user = next) {
            next = user->next;
            struct user **place = place_of(users, &user->id);
            user->next = *place;
            *place = user;
        }
    free(old);
}

struct user *users_take(struct users *users, const bp_uuid *id)
{
    struct user *user = users_find(users, id);
    if (user)
        return user;
    if (users->count > users->mask)
        grow(users);
    user = calloc(1, sizeof(*user));
    if (!user)
        return NULL;
    struct user **place = place_of(users, id);
    user->id = *id;
    user->next = *place;
    *place = user;
    users->count++;
    return user;
}

void users_drop(struct users *users, struct user *user)
{
    struct user **at = place_of(users, &user->id);
    while (*at != user)
        at = &(*at)->next;
    *at = user->next;
    users->count--;
    free(user);
}
