/* SPDX-License-Identifier: MIT */
#include "replicas.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "backplane/backplane.h"
#include "backplane/iface/cache_tags.h"
#include "scripts.h"

/* From the last failure on: a heartbeat, and as long as another replica may need to find Redis again (open_time, back-off and
 * connect_timeout of the redis plugin) and to tell it what was written. */
#define DISTRUST (4 * BP_SECOND)
#define HEARTBEAT (500 * BP_MILLISECOND)
#define RETRY_INTERVAL (100 * BP_MILLISECOND)
#define PENDING_MAX 4096u /* tags; beyond, they are not cached for as long as anything older could be found */
#define KEY_SIZE (4 * REPLICAS_PREFIX_MAX + BP_CACHE_TAG_MAX + 64u) /* a code point has 4 bytes at most */

/* A write that Redis could not be told of. */
struct pending {
    struct pending *next;
    uint64_t mark;
    uint32_t cell;
    size_t tag_len;
    char tag[BP_CACHE_TAG_MAX];
};

/* The braces keep a tag and the replies under it on one node of a cluster. */
struct key_space {
    char text[KEY_SIZE];
};

struct number {
    char text[24];
};

static bp_str number(struct number *space, int64_t value)
{
    return bp_str_n(space->text, (size_t)snprintf(space->text, sizeof(space->text), "%" PRId64, value));
}

static bp_str hexadecimal(struct number *space, const char *prefix, uint64_t value)
{
    return bp_str_n(space->text, (size_t)snprintf(space->text, sizeof(space->text), "%s%016" PRIx64, prefix, value));
}

static bp_str fresh_generation(struct number *space)
{
    uint64_t value;
    bp_random(&value, sizeof(value));
    return hexadecimal(space, "", value);
}

static bp_str tag_key(const struct replicas *replicas, bp_str tag, struct key_space *space)
{
    /* cppcheck-suppress ctuuninitvar ; it is filled here */
    int len = snprintf(space->text, sizeof(space->text), "%" BP_STR_FMT "{%" BP_STR_FMT "}:tag",
                       BP_STR_ARG(replicas->prefix), BP_STR_ARG(tag));
    return bp_str_n(space->text, (size_t)len);
}

static bp_str reply_key(const struct replicas *replicas, bp_str tag, const struct digest *digest,
                        struct key_space *space)
{
    static const char hex[] = "0123456789abcdef";
    char text[2 * sizeof(digest->bytes)];
    for (size_t i = 0; i < sizeof(digest->bytes); i++) {
        text[2 * i] = hex[digest->bytes[i] >> 4];
        text[2 * i + 1] = hex[digest->bytes[i] & 15];
    }
    int len = snprintf(space->text, sizeof(space->text), "%" BP_STR_FMT "{%" BP_STR_FMT "}:%.*s",
                       BP_STR_ARG(replicas->prefix), BP_STR_ARG(tag), (int)sizeof(text), text);
    return bp_str_n(space->text, (size_t)len);
}

static const struct bp_key_value_vtable *vtable(const struct replicas *replicas)
{
    return bp_key_value(replicas->store);
}

/* Notes that Redis could not be asked. */
static int note(struct replicas *replicas, int status)
{
    if (status < 0 && status != BP_CANCELED) {
        tags_distrust(replicas->tags, bp_clock() + DISTRUST);
        bp_metric_add(replicas->failures, 1);
    }
    return status;
}

static int understand(const struct bp_kv_reply *reply, struct generation *generation, struct found *found)
{
    if (reply->type == BP_KV_INTEGER)
        return REPLICAS_MARKED;
    if (reply->type != BP_KV_LIST || reply->len < 1 || reply->items[0].type != BP_KV_TEXT ||
        reply->items[0].text.len > sizeof(generation->shared))
        return BP_ERROR;
    generation->shared_len = (uint32_t)reply->items[0].text.len;
    memcpy(generation->shared, reply->items[0].text.ptr, generation->shared_len);
    if (reply->len == 3 && reply->items[1].type == BP_KV_TEXT && reply->items[2].type == BP_KV_INTEGER &&
        record_read(reply->items[1].text, &found->reply)) {
        found->there = true;
        found->age = (found->reply.life - reply->items[2].integer) * BP_MILLISECOND;
    }
    return 0;
}

int replicas_look(struct replicas *replicas, bp_str tag, const struct digest *digest, struct bp_arena *arena,
                  struct generation *generation, struct found *ret_found)
{
    const struct bp_kv_wait wait = {.timeout = replicas->timeout};
    struct key_space spaces[2];
    struct number fresh, keep;
    struct bp_kv_reply reply;
    struct found found = {.there = false};
    if (tags_distrusted(replicas->tags, bp_clock()))
        return BP_BUSY;
    const bp_str keys[] = {tag_key(replicas, tag, &spaces[0]), reply_key(replicas, tag, digest, &spaces[1])};
    const bp_str arguments[] = {fresh_generation(&fresh), number(&keep, replicas->keep / BP_MILLISECOND)};
    int status =
        vtable(replicas)->script(replicas->store.self, &wait, &look_script, keys, 2, arguments, 2, arena, &reply);
    if (status == 0)
        status = understand(&reply, generation, &found);
    *ret_found = found;
    return note(replicas, status);
}

void replicas_keep(struct replicas *replicas, bp_str tag, const struct generation *generation,
                   const struct entry *entry, struct bp_arena *arena)
{
    const struct bp_kv_wait wait = {.timeout = replicas->timeout};
    struct key_space spaces[2];
    struct number life;
    struct bp_kv_reply reply;
    const bp_str keys[] = {tag_key(replicas, tag, &spaces[0]), reply_key(replicas, tag, &entry->digest, &spaces[1])};
    const bp_str arguments[] = {bp_str_n(generation->shared, generation->shared_len),
                                bp_str_n(entry->record, entry->record_len), number(&life, entry->reply.life)};
    (void)note(replicas, vtable(replicas)->script(replicas->store.self, &wait, &keep_script, keys, 2, arguments, 3,
                                                  arena, &reply));
}

void replicas_write_begin(struct replicas *replicas, bp_str tag, uint64_t mark)
{
    const struct bp_kv_wait wait = {.timeout = replicas->timeout, .always = true};
    struct key_space space;
    struct number id, fresh, time, keep;
    const bp_str key = tag_key(replicas, tag, &space);
    const bp_str arguments[] = {hexadecimal(&id, "m", mark), fresh_generation(&fresh),
                                number(&time, replicas->write_time / BP_MILLISECOND),
                                number(&keep, replicas->keep / BP_MILLISECOND)};
    /* When this fails, what write_end says is still in time for whoever hears of the write. */
    (void)note(replicas,
               vtable(replicas)->script(replicas->store.self, &wait, &begin_script, &key, 1, arguments, 4, NULL, NULL));
}

static int tell(struct replicas *replicas, bp_str tag, uint64_t mark)
{
    const struct bp_kv_wait wait = {.timeout = replicas->timeout, .always = true};
    struct key_space space;
    struct number id, fresh, keep;
    const bp_str key = tag_key(replicas, tag, &space);
    const bp_str arguments[] = {hexadecimal(&id, "m", mark), fresh_generation(&fresh),
                                number(&keep, replicas->keep / BP_MILLISECOND)};
    return note(replicas,
                vtable(replicas)->script(replicas->store.self, &wait, &end_script, &key, 1, arguments, 3, NULL, NULL));
}

/* Tells Redis what it can be told; the rest stays. */
static void tell_pending(struct replicas *replicas)
{
    struct pending *list = replicas->pending, *next;
    int status = 0;
    replicas->pending = NULL; /* more may come while this waits */
    for (struct pending *pending = list; pending; pending = next) {
        next = pending->next;
        if (status == 0)
            status = tell(replicas, bp_str_n(pending->tag, pending->tag_len), pending->mark);
        if (status == 0) {
            tags_unmark(replicas->tags, pending->cell, true);
            replicas->pending_count--;
            free(pending);
            continue;
        }
        pending->next = replicas->pending;
        replicas->pending = pending;
    }
}

/* Looks whether Redis answers also when nobody asks, so that a replica without requests notices that others could not tell it anything. */
static int watch(void *argument)
{
    struct replicas *replicas = argument;
    int status;
    while ((status = bp_sleep(replicas->pending ? RETRY_INTERVAL : HEARTBEAT)) == 0) {
        if (replicas->pending)
            tell_pending(replicas);
        else
            (void)note(replicas, vtable(replicas)->ping(replicas->store.self, replicas->timeout));
    }
    return status;
}

int replicas_start(struct replicas *replicas)
{
    return bp_spawn(replicas->host, "cache.watch", watch, replicas, BP_FOREVER);
}

static bool remember(struct replicas *replicas, bp_str tag, uint64_t mark)
{
    struct pending *pending = replicas->pending_count < PENDING_MAX ? malloc(sizeof(*pending)) : NULL;
    if (!pending || tag.len > sizeof(pending->tag)) {
        free(pending);
        return false;
    }
    *pending = (struct pending){.next = replicas->pending, .mark = mark, .cell = tags_cell(tag), .tag_len = tag.len};
    memcpy(pending->tag, tag.ptr, tag.len);
    replicas->pending = pending;
    replicas->pending_count++;
    return true;
}

bool replicas_write_end(struct replicas *replicas, bp_str tag, uint64_t mark)
{
    if (tell(replicas, tag, mark) == 0)
        return true;
    bp_time now = bp_clock();
    /* Also when this worker dies before it could tell, nothing older is served here. */
    tags_extend(replicas->tags, tags_cell(tag), now, now + replicas->keep);
    if (remember(replicas, tag, mark))
        return false;
    tags_forbid(replicas->tags, tags_cell(tag), now + replicas->keep);
    return true;
}

void replicas_stop(struct replicas *replicas)
{
    if (replicas->pending)
        tell_pending(replicas);
}

void replicas_deinit(struct replicas *replicas)
{
    while (replicas->pending) {
        struct pending *next = replicas->pending->next;
        free(replicas->pending);
        replicas->pending = next;
    }
}
