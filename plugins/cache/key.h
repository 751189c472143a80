/* SPDX-License-Identifier: MIT */
/* What makes two requests the same: named parts, each with its length, so that no two lists of parts come to the same bytes. */
#ifndef CACHE_KEY_H
#define CACHE_KEY_H

#include "backplane/str.h"

#define KEY_MAX 2048u

/* Its bytes stand for the key: nobody can find two keys with the same ones. */
struct digest {
    uint8_t bytes[16];
};

struct key {
    size_t len;
    bool overflowed; /* it is no key */
    char bytes[KEY_MAX];
};

/* The bytes need not be cleared. */
void key_begin(struct key *key);
void key_add(struct key *key, char kind, bp_str name, bp_str value);
/* A field value such as Accept: letters in lower case, no white space. Too long: it is no key. */
void key_add_normalized(struct key *key, char kind, bp_str name, bp_str value);

/* SipHash under a secret of this process: quick. */
void key_digest(const struct key *key, const uint8_t secret[16], struct digest *ret_digest);
/* BLAKE2b: the same on every replica. */
void key_digest_shared(const struct key *key, struct digest *ret_digest);

/* Whether text names one of a list of names separated by commas, letters compared without case. */
bool key_listed(bp_str list, bp_str text);
/* Takes the next name off such a list. False at its end. */
bool key_next_name(bp_str *list, bp_str *ret_name);

#endif
