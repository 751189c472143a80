/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as what a Redis server says. Fed whole and byte by byte they must mean the same; what is read stays within its bounds in size and
 * depth; the conversion says no more than was read; every error answer has a meaning.
 */
#include "core/base/arena.h"
#include "plugins/redis/refusal.h"
#include "plugins/redis/reply.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT 4096u
#define DEPTH 9u /* of hiredis's own stack */

static void check(bool truth)
{
    if (!truth)
        abort();
}

/* FNV-1a over all that was said, to compare. */
struct digest {
    uint64_t hash, replies;
};

static void mix(struct digest *digest, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++)
        digest->hash = (digest->hash ^ at[i]) * UINT64_C(1099511628211);
}

/* The memory that it takes. */
static size_t look(const struct bp_kv_reply *reply, unsigned depth, struct digest *digest)
{
    size_t total = 1;
    check(depth <= DEPTH && reply->type <= BP_KV_LIST);
    mix(digest, &reply->type, sizeof(reply->type));
    mix(digest, &reply->integer, sizeof(reply->integer));
    if (reply->type == BP_KV_TEXT) {
        check(reply->text.ptr && reply->text.ptr[reply->text.len] == '\0');
        mix(digest, reply->text.ptr, reply->text.len);
        total += reply->text.len;
    }
    for (size_t i = 0; reply->type == BP_KV_LIST && i < reply->len; i++)
        total += look(&reply->items[i], depth + 1, digest);
    return total;
}

static void take(const struct reply *reply, struct digest *digest)
{
    struct bp_arena *arena = arena_new();
    struct bp_kv_reply converted;
    check(arena && reply_convert(reply, arena, &converted) == 0);
    check(look(&converted, 1, digest) <= LIMIT);
    if (reply->type == REDIS_REPLY_ERROR) {
        struct refusal refusal = refusal_of(reply_text(reply));
        check(refusal.status < 0 && (refusal.code || !refusal.away));
        (void)refusal_is_no_script(reply_text(reply));
    }
    digest->replies++;
    arena_free(arena);
}

static struct digest read_all(const uint8_t *data, size_t size, size_t step)
{
    struct digest digest = {.hash = UINT64_C(14695981039346656037)};
    struct reply_budget budget = {.limit = LIMIT};
    redisReader *reader = reply_reader_new(&budget);
    struct reply *reply = NULL;
    bool fine = reader != NULL;
    check(fine);
    for (size_t i = 0; i < size && fine; i += step) {
        check(redisReaderFeed(reader, (const char *)data + i, size - i < step ? size - i : step) == REDIS_OK);
        while ((fine = reply_next(reader, &reply)) && reply) {
            take(reply, &digest);
            reply_free(reply);
        }
        check(budget.used <= LIMIT);
    }
    redisReaderFree(reader);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct digest whole = read_all(data, size, size ? size : 1), bytes = read_all(data, size, 1);
    check(whole.replies == bytes.replies && whole.hash == bytes.hash);
    return 0;
}
