/* SPDX-License-Identifier: MIT */
/*
 * External issuers of tokens (an OpenID Connect provider): which are believed, and their keys, fetched when they are first needed, kept, and
 * fetched again when they are old or a token names one that is not among them; not more often than refetch_after.
 */
#ifndef AUTH_ISSUER_H
#define AUTH_ISSUER_H

#include "backplane/backplane.h"
#include "key.h"

struct issuer_option {
    bp_str issuer, audience, jwks_url, ca_file;
    struct bp_array algorithms; /* of bp_str */
    bool create_users;
    bp_span refetch_after;
};
extern const struct bp_field issuer_option_rows[];
#define ISSUERS_MAX 16u
#define ISSUER_KEYS_MAX 32u

struct issuer_waiter;

/* One for each entry, in each worker. Zeroed, but for option. */
struct issuer {
    const struct issuer_option *option;
    struct key keys[ISSUER_KEYS_MAX];
    size_t count;
    bp_time fetched, tried; /* 0: never */
    bool fetching;
    struct issuer_waiter *waiters;
};

/* Of a document with a JWK set, the sound keys for these algorithms (bits 1 << enum key_algorithm). Nesting is bounded, and what is no key
 * is passed over. The number of them. Pure. */
size_t jwk_set_read(bp_str document, unsigned algorithms, struct key ret_keys[ISSUER_KEYS_MAX]);

/* The issuer of this name; NULL when nobody believes it. */
struct issuer *issuer_find(struct issuer *issuers, size_t count, bp_str name);
/* Its key of this name, until the next wait; NULL when it has none. May suspend. 0, BP_BUSY when its keys cannot be had now, or another negative
 * status. */
int issuer_key(struct bp_host *host, struct bp_service http_client, struct issuer *issuer, bp_str id,
               const struct key **ret_key);
/* Accepts zeroes. */
void issuer_deinit(struct issuer *issuer);

#endif
