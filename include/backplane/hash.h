/* SPDX-License-Identifier: MIT */
/* A keyed hash for tables: quick for a few words of text, and nobody who does not know the key can aim at a place. */
#ifndef BACKPLANE_HASH_H
#define BACKPLANE_HASH_H

#include "backplane/str.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BP_HASH_KEY 16

/* SipHash-1-3 (Aumasson and Bernstein, 2012). The key comes from bp_random(). Pure and thread-safe, as the next one. */
uint64_t bp_hash(const uint8_t key[BP_HASH_KEY], bp_str bytes);
/* The same with 128 bits: enough to stand for the bytes themselves while nobody knows the key. */
void bp_hash_wide(const uint8_t key[BP_HASH_KEY], bp_str bytes, uint64_t ret_hash[2]);

#ifdef __cplusplus
}
#endif
#endif
