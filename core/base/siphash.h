/* SPDX-License-Identifier: MIT */
/* SipHash-c-d (Aumasson and Bernstein, "SipHash: a fast short-input PRF"), with 64 or 128 bits. */
#ifndef CORE_BASE_SIPHASH_H
#define CORE_BASE_SIPHASH_H

#include <endian.h>

#include "backplane/str.h"

struct siphash {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t siphash_rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void siphash_rounds(struct siphash *s, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
        s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
        s->v0 = siphash_rotate(s->v0, 32);
        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
        s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
        s->v2 = siphash_rotate(s->v2, 32);
    }
}

static inline uint64_t siphash_word(const void *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return le64toh(word);
}

/* The last bytes, fewer than eight, and the length above them. */
static inline uint64_t siphash_tail(const char *bytes, size_t len)
{
    uint64_t word = (uint64_t)len << 56;
    if (len >= 8) /* the word that ends where they end */
        return (len & 7) == 0 ? word : word | siphash_word(bytes + (len & 7) - 8) >> (64 - 8 * (len & 7));
    for (size_t i = 0; i < (len & 7); i++)
        word |= (uint64_t)(unsigned char)bytes[i] << 8 * i;
    return word;
}

static inline __attribute__((always_inline)) void siphash(unsigned compress, unsigned finish, bool wide,
                                                          const uint8_t key[16], bp_str bytes, uint64_t *ret_hash)
{
    uint64_t k0 = siphash_word(key), k1 = siphash_word(key + 8);
    struct siphash s = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du ^ (wide ? 0xee : 0),
                        k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u};
    const char *at = bytes.ptr, *end = at + (bytes.len & ~(size_t)7);
    uint64_t word;
    for (; at < end; at += 8) {
        word = siphash_word(at);
        s.v3 ^= word;
        siphash_rounds(&s, compress);
        s.v0 ^= word;
    }
    word = siphash_tail(at, bytes.len);
    s.v3 ^= word;
    siphash_rounds(&s, compress);
    s.v0 ^= word;
    s.v2 ^= wide ? 0xee : 0xff;
    siphash_rounds(&s, finish);
    ret_hash[0] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    if (!wide)
        return;
    s.v1 ^= 0xdd;
    siphash_rounds(&s, finish);
    ret_hash[1] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

#endif
