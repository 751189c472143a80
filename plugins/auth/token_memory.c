/* SPDX-License-Identifier: MIT */
#include "token_memory.h"

#include <stdlib.h>

#include "backplane/status.h"

#define WAYS 4u
#define SIGNATURE_END 32u /* bytes of the token's end that are hashed: 192 bits of its signature */

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

static void empty(struct remembered *place)
{
    free((void *)(uintptr_t)place->digest.token.ptr);
    memset(place, 0, sizeof(*place));
}

void token_memory_deinit(struct token_memory *memory)
{
    for (size_t i = 0; memory->places && i < (memory->mask + 1) * WAYS; i++)
        empty(&memory->places[i]);
    free(memory->places);
    memory->places = NULL;
}

struct token_digest token_memory_digest(const struct token_memory *memory, bp_str token)
{
    bp_str end = token.len > SIGNATURE_END ? bp_str_n(token.ptr + token.len - SIGNATURE_END, SIGNATURE_END) : token;
    return (struct token_digest){.hash = bp_hash(memory->key, end), .token = token};
}

static struct remembered *set_of(const struct token_memory *memory, const struct token_digest *digest)
{
    return &memory->places[((size_t)digest->hash & memory->mask) * WAYS];
}

static struct remembered *place_of(const struct token_memory *memory, const struct token_digest *digest)
{
    struct remembered *set = set_of(memory, digest);
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].digest.hash == digest->hash && set[i].claims.expires != 0 &&
            bp_str_eq(set[i].digest.token, digest->token))
            return &set[i];
    return NULL;
}

bool token_memory_find(const struct token_memory *memory, const struct token_digest *digest,
                       struct remembered *ret_remembered)
{
    const struct remembered *place = place_of(memory, digest);
    if (!place)
        return false;
    *ret_remembered = *place;
    ret_remembered->digest.token = digest->token;
    return true;
}

void token_memory_put(struct token_memory *memory, const struct remembered *remembered)
{
    struct remembered *place = place_of(memory, &remembered->digest);
    if (!place) {
        struct remembered *set = set_of(memory, &remembered->digest);
        char *copy = malloc(remembered->digest.token.len + 1);
        if (!copy)
            return;
        memcpy(copy, remembered->digest.token.ptr, remembered->digest.token.len);
        place = &set[0];
        for (size_t i = 1; i < WAYS && place->claims.expires != 0; i++)
            if (set[i].claims.expires == 0 || set[i].account_until < place->account_until)
                place = &set[i];
        empty(place);
        place->digest.token = bp_str_n(copy, remembered->digest.token.len);
    }
    bp_str own = place->digest.token;
    *place = *remembered;
    place->digest.token = own;
}

void token_memory_forget(struct token_memory *memory, const struct token_digest *digest)
{
    struct remembered *place = place_of(memory, digest);
    if (place)
        empty(place);
}
