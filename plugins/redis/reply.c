/* SPDX-License-Identifier: MIT */
#include "reply.h"

#include <stdlib.h>

#include "backplane/status.h"

/* with: bytes behind the struct; size: what all of it costs. */
static struct reply *make(const redisReadTask *task, int type, size_t with, size_t size)
{
    struct reply_budget *budget = task->privdata;
    struct reply *reply;
    if (size > budget->limit || budget->used > budget->limit - size)
        return NULL;
    budget->used += size;
    reply = calloc(1, sizeof(*reply) + with);
    if (!reply)
        return NULL;
    reply->type = type;
    if (task->parent) {
        struct reply *list = task->parent->obj;
        list->items[task->idx] = reply;
    }
    return reply;
}

static void *make_text(const redisReadTask *task, char *text, size_t len)
{
    struct reply *reply = len < SIZE_MAX / 2 ? make(task, task->type, len + 1, sizeof(*reply) + len) : NULL;
    if (!reply)
        return NULL;
    memcpy(reply->text, text, len);
    reply->len = len;
    return reply;
}

static void *make_list(const redisReadTask *task, int count)
{
    size_t len = (size_t)count;
    struct reply *reply = make(task, REDIS_REPLY_ARRAY, 0, sizeof(*reply) + len * sizeof(reply));
    if (!reply)
        return NULL;
    reply->items = calloc(len ? len : 1, sizeof(reply)); /* one of them that cannot be made leaves NULLs behind */
    reply->len = reply->items ? len : 0;
    return reply;
}

static void *make_integer(const redisReadTask *task, long long integer)
{
    struct reply *reply = make(task, REDIS_REPLY_INTEGER, 0, sizeof(*reply));
    if (reply)
        reply->integer = integer;
    return reply;
}

static void *make_nil(const redisReadTask *task)
{
    return make(task, REDIS_REPLY_NIL, 0, sizeof(struct reply));
}

void reply_free(struct reply *reply)
{
    if (!reply)
        return;
    for (size_t i = 0; reply->items && i < reply->len; i++)
        reply_free(reply->items[i]);
    free(reply->items);
    free(reply);
}

static void free_object(void *object)
{
    reply_free(object);
}

redisReader *reply_reader_new(struct reply_budget *budget)
{
    static const redisReplyObjectFunctions functions = {.createString = make_text,
                                                        .createArray = make_list,
                                                        .createInteger = make_integer,
                                                        .createNil = make_nil,
                                                        .freeObject = free_object};
    redisReader *reader = redisReaderCreateWithFunctions((redisReplyObjectFunctions *)&functions);
    if (reader)
        reader->privdata = budget;
    return reader;
}

bool reply_next(redisReader *reader, struct reply **ret_reply)
{
    struct reply_budget *budget = reader->privdata;
    void *reply = NULL;
    if (redisReaderGetReply(reader, &reply) != REDIS_OK)
        return false;
    /* A text that has not arrived whole waits in the reader's buffer. */
    if (!reply && reader->len - reader->pos > budget->limit)
        return false;
    if (reply)
        budget->used = 0;
    *ret_reply = reply;
    return true;
}

int reply_convert(const struct reply *reply, struct bp_arena *arena, struct bp_kv_reply *ret_reply)
{
    struct bp_kv_reply converted = {.type = BP_KV_NIL};
    switch (reply->type) {
    case REDIS_REPLY_INTEGER:
        converted.type = BP_KV_INTEGER;
        converted.integer = reply->integer;
        break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
        converted.type = BP_KV_TEXT;
        converted.text = bp_arena_copy(arena, reply_text(reply));
        if (!converted.text.ptr)
            return BP_NOMEM;
        break;
    case REDIS_REPLY_ARRAY:
        converted.type = BP_KV_LIST;
        converted.len = reply->len;
        converted.items = bp_arena_array(arena, reply->len ? reply->len : 1, sizeof(*converted.items));
        if (!converted.items)
            return BP_NOMEM;
        for (size_t i = 0; i < reply->len; i++) {
            int status = reply_convert(reply->items[i], arena, &converted.items[i]);
            if (status != 0)
                return status;
        }
        break;
    default:
        break;
    }
    *ret_reply = converted;
    return 0;
}
