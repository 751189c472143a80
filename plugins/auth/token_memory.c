/* SPDX-License-Identifier: MIT */
#include "token_memory.h"

#include <sodium.h>
#include <stdlib.h>

#include "backplane/status.h"

#define WAYS 4u

int token_memory_init(struct token_memory *memory, uint32_t tokens)
{
    size_t sets = 1;
    while (sets * WAYS < tokens)
        sets *= 2;
    struct remembered *places = calloc(sets * WAYS, sizeof(*places));
    if (!places)
        return BP_NOMEM;
    memory->places = places;
    memory->mask = sets - 1;
    bp_random(memory->key, sizeof(memory->key));
    return 0;
}

void token_memory_deinit(struct token_memory *memory)
{
    free(memory->places);
    memory->places = NULL;
}

struct token_digest token_memory_digest(const struct token_memory *memory, bp_str token)
{
    struct token_digest digest;
    _Static_assert(sizeof(digest.bytes) == crypto_shorthash_siphashx24_BYTES, "");
    _Static_assert(sizeof(memory->key) == crypto_shorthash_siphashx24_KEYBYTES, "");
    crypto_shorthash_siphashx24(digest.bytes, (const unsigned char *)token.ptr, token.len, memory->key);
    return digest;
}

static struct remembered *set_of(const struct token_memory *memory, const struct token_digest *digest)
{
    size_t number;
    memcpy(&number, digest->bytes, sizeof(number));
    return &memory->places[(number & memory->mask) * WAYS];
}

static struct remembered *place_of(const struct token_memory *memory, const struct token_digest *digest)
{
    struct remembered *set = set_of(memory, digest);
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].claims.expires != 0 && memcmp(set[i].digest.bytes, digest->bytes, sizeof(digest->bytes)) == 0)
            return &set[i];
    return NULL;
}

bool token_memory_find(const struct token_memory *memory, const struct token_digest *digest,
                       struct remembered *ret_remembered)
{
    const struct remembered *place = place_of(memory, digest);
    if (place)
        *ret_remembered = *place;
    return place != NULL;
}

void token_memory_put(struct token_memory *memory, const struct remembered *remembered)
{
    struct remembered *place = place_of(memory, &remembered->digest);
    if (!place) {
        struct remembered *set = set_of(memory, &remembered->digest);
        place = &set[0];
        for (size_t i = 1; i < WAYS && place->claims.expires != 0; i++)
            if (set[i].claims.expires == 0 || set[i].account_until < place->account_until)
                place = &set[i];
    }
    *place = *remembered;
}

void token_memory_forget(struct token_memory *memory, const struct token_digest *digest)
{
    struct remembered *place = place_of(memory, digest);
    if (place)
        memset(place, 0, sizeof(*place));
}
