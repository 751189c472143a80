/* SPDX-License-Identifier: MIT */
#include "backplane/hash.h"

#include "core/base/siphash.h"

uint64_t bp_hash(const uint8_t key[BP_HASH_KEY], bp_str bytes)
{
    uint64_t hash;
    siphash(1, 3, false, key, bytes, &hash);
    return hash;
}

void bp_hash_wide(const uint8_t key[BP_HASH_KEY], bp_str bytes, uint64_t ret_hash[2])
{
    siphash(1, 3, true, key, bytes, ret_hash);
}
