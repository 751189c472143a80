/* SPDX-License-Identifier: MIT */
/* The keys of our own tokens: the first one signs, all of them verify. */
#ifndef AUTH_KEY_RING_H
#define AUTH_KEY_RING_H

#include "backplane/field.h"
#include "key.h"

/* An entry of the option "keys". */
struct key_option {
    bp_str kid;
    uint32_t algorithm; /* enum key_algorithm */
    bp_str private_key, public_key, secret;
};
extern const struct bp_field key_option_rows[];
#define KEY_RING_MAX 16u

struct key_ring {
    struct key default_key; /* HS256, of tokens without "kid"; its secret empty: there is none */
    struct key keys[KEY_RING_MAX];
    size_t count;
};

/* Texts are borrowed. NULL, or what is wrong with the entry *ret_index. A ring that failed is still to be deinitialised. */
const char *key_ring_init(struct key_ring *ring, const struct key_option *options, size_t count, size_t *ret_index);
/* Accepts zeroes. */
void key_ring_deinit(struct key_ring *ring);
/* The one that signs. */
const struct key *key_ring_signer(const struct key_ring *ring);
/* The one of this name, ptr NULL: of tokens that name none. NULL when there is none. */
const struct key *key_ring_find(const struct key_ring *ring, bp_str id);
/* {"keys":[…]}: what others need to verify our tokens, and no secret. To be free()d. NULL when out of memory. */
char *key_ring_public(const struct key_ring *ring);

#endif
