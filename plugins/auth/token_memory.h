/* SPDX-License-Identifier: MIT */
/*
 * Tokens that were verified a short while ago, so that most requests cost a hash instead of a decoding. A table of fixed size
 * per worker; the least recently checked of a set makes room.
 */
#ifndef AUTH_TOKEN_MEMORY_H
#define AUTH_TOKEN_MEMORY_H

#include "backplane/hash.h"
#include "claims.h"

/* What a token is looked for by: its signature differs from that of any other, so a hash of its end finds the place; that it is the token only a
 * comparison of the whole says. */
struct token_digest {
    uint64_t hash;
    bp_str token; /* the caller's; in the memory a copy, from malloc */
};

struct remembered {
    struct token_digest digest;
    struct claims claims;  /* expires 0: an empty place */
    bp_time account_until; /* the account was seen; until then it is not looked for again */
    char role[16];
};

struct token_memory {
    uint8_t key[BP_HASH_KEY];
    size_t mask; /* sets - 1 */
    struct remembered *places;
};

/* tokens: rounded up to a power of two. BP_NOMEM or 0. */
int token_memory_init(struct token_memory *memory, uint32_t tokens);
/* Accepts zeroes. */
void token_memory_deinit(struct token_memory *memory);
struct token_digest token_memory_digest(const struct token_memory *memory, bp_str token);
/* A copy, with the caller's digest. False when it is not remembered. Whether it has expired since is the caller's question. */
bool token_memory_find(const struct token_memory *memory, const struct token_digest *digest,
                       struct remembered *ret_remembered);
/* Out of memory, it is not remembered. */
void token_memory_put(struct token_memory *memory, const struct remembered *remembered);
void token_memory_forget(struct token_memory *memory, const struct token_digest *digest);

#endif
