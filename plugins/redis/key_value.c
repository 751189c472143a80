/* SPDX-License-Identifier: MIT */
/* The interface: each function a command. */
#include <stdio.h>

#include "redis.h"

bp_str text_of_integer(int64_t integer, char text[24])
{
    return bp_str_n(text, (size_t)snprintf(text, 24, "%lld", (long long)integer));
}

/* Rounded up: what has a time to live lives at least a millisecond. */
static bp_str text_of_span(bp_span span, char text[24])
{
    return text_of_integer(span <= 0 ? 1 : (span - 1) / BP_MILLISECOND + 1, text);
}

static int begin(struct redis *redis, struct words *words, size_t count, const char *command, bp_str key)
{
    if (words_init(words, count, redis->prefix.len + key.len) != 0)
        return BP_NOMEM;
    words_add(words, bp_str_of(command));
    words_add_key(words, redis->prefix, key);
    return 0;
}

static int copy_value(struct redis *redis, const char *command, const struct reply *reply, struct bp_arena *arena,
                      bp_str *ret_value)
{
    bp_str value = {NULL, 0};
    if (reply->type == REDIS_REPLY_STRING) {
        value = bp_arena_copy(arena, reply_text(reply));
        if (!value.ptr)
            return BP_NOMEM;
    } else if (reply->type != REDIS_REPLY_NIL) {
        return redis_odd_answer(redis, command);
    }
    *ret_value = value;
    return 0;
}

static int get(void *self, const struct bp_kv_wait *wait, bp_str key, struct bp_arena *arena, bp_str *ret_value)
{
    struct redis *redis = self;
    struct ask ask = ask_make(redis, wait, "get", ASK_REPEATABLE);
    struct reply *reply;
    struct words words;
    int status = begin(redis, &words, 2, "GET", key);
    if (status == 0)
        status = redis_call(redis, &ask, &words, &reply);
    if (status != 0)
        return status;
    status = copy_value(redis, "get", reply, arena, ret_value);
    reply_free(reply);
    return status;
}

static int copy_values(struct redis *redis, const struct reply *reply, size_t count, struct bp_arena *arena,
                       bp_str *ret_values)
{
    int status = 0;
    if (reply->type != REDIS_REPLY_ARRAY || reply->len != count)
        return redis_odd_answer(redis, "mget");
    for (size_t i = 0; i < count && status == 0; i++)
        status = copy_value(redis, "mget", reply->items[i], arena, &ret_values[i]);
    return status;
}

static int get_many(void *self, const struct bp_kv_wait *wait, const bp_str *keys, size_t count, struct bp_arena *arena,
                    bp_str *ret_values)
{
    struct redis *redis = self;
    struct ask ask = ask_make(redis, wait, "mget", ASK_REPEATABLE);
    struct reply *reply;
    struct words words;
    size_t key_bytes = 0;
    int status;
    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        key_bytes += redis->prefix.len + keys[i].len;
    if (words_init(&words, count + 1, key_bytes) != 0)
        return BP_NOMEM;
    words_add(&words, BP_STR("MGET"));
    for (size_t i = 0; i < count; i++)
        words_add_key(&words, redis->prefix, keys[i]);
    status = redis_call(redis, &ask, &words, &reply);
    if (status != 0)
        return status;
    status = copy_values(redis, reply, count, arena, ret_values);
    reply_free(reply);
    return status;
}

static int put(struct redis *redis, const struct bp_kv_wait *wait, bp_str key, bp_str value, bp_span ttl, bool fresh,
               bool *ret_set)
{
    struct ask ask = ask_make(redis, wait, fresh ? "set_new" : "set", ASK_WRITES);
    struct reply *reply;
    struct words words;
    char milliseconds[24];
    int status = begin(redis, &words, 6, "SET", key);
    if (status != 0)
        return status;
    words_add(&words, value);
    if (ttl != BP_FOREVER) {
        words_add(&words, BP_STR("PX"));
        words_add(&words, text_of_span(ttl, milliseconds));
    }
    if (fresh)
        words_add(&words, BP_STR("NX"));
    status = redis_call(redis, &ask, &words, &reply);
    if (status != 0)
        return status;
    if (reply->type == REDIS_REPLY_STATUS || reply->type == REDIS_REPLY_NIL)
        *ret_set = reply->type == REDIS_REPLY_STATUS;
    else
        status = redis_odd_answer(redis, ask.name);
    reply_free(reply);
    return status;
}

static int set(void *self, const struct bp_kv_wait *wait, bp_str key, bp_str value, bp_span ttl)
{
    bool done;
    return put(self, wait, key, value, ttl, false, &done);
}

static int set_new(void *self, const struct bp_kv_wait *wait, bp_str key, bp_str value, bp_span ttl, bool *ret_set)
{
    return put(self, wait, key, value, ttl, true, ret_set);
}

/* Of a command that answers with an integer. */
static int call_integer(struct redis *redis, const struct ask *ask, struct words *words, int64_t *ret_integer)
{
    struct reply *reply;
    int status = redis_call(redis, ask, words, &reply);
    if (status != 0)
        return status;
    if (reply->type == REDIS_REPLY_INTEGER)
        *ret_integer = reply->integer;
    else
        status = redis_odd_answer(redis, ask->name);
    reply_free(reply);
    return status;
}

static int remove_key(void *self, const struct bp_kv_wait *wait, bp_str key)
{
    struct redis *redis = self;
    struct ask ask = ask_make(redis, wait, "del", ASK_WRITES);
    struct words words;
    int64_t removed;
    int status = begin(redis, &words, 2, "DEL", key);
    return status != 0 ? status : call_integer(redis, &ask, &words, &removed);
}

/* GET at the end: Lua's numbers lose digits of large integers. */
static const struct bp_kv_script add_script =
    BP_KV_SCRIPT(.name = "add", .text = "if redis.call('EXISTS', KEYS[1]) == 0 then\n"
                                        "  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])\n"
                                        "else\n"
                                        "  redis.call('INCRBY', KEYS[1], ARGV[1])\n"
                                        "end\n"
                                        "return redis.call('GET', KEYS[1])\n");

static int add_with_ttl(struct redis *redis, const struct bp_kv_wait *wait, bp_str key, int64_t amount, bp_span ttl,
                        int64_t *ret_value)
{
    char texts[2][24];
    bp_str arguments[2] = {text_of_integer(amount, texts[0]), text_of_span(ttl, texts[1])};
    struct reply *reply;
    long long value;
    int status = redis_script(redis, wait, &add_script, &key, 1, arguments, 2, &reply);
    if (status != 0)
        return status;
    if (reply->type == REDIS_REPLY_STRING && sscanf(reply->text, "%lld", &value) == 1)
        *ret_value = value;
    else
        status = redis_odd_answer(redis, "add");
    reply_free(reply);
    return status;
}

static int add(void *self, const struct bp_kv_wait *wait, bp_str key, int64_t amount, bp_span ttl, int64_t *ret_value)
{
    struct redis *redis = self;
    struct ask ask = ask_make(redis, wait, "add", ASK_WRITES);
    struct words words;
    char text[24];
    int64_t value = 0;
    int status;
    if (ttl != BP_FOREVER) {
        status = add_with_ttl(redis, wait, key, amount, ttl, &value);
    } else {
        status = begin(redis, &words, 3, "INCRBY", key);
        if (status == 0) {
            words_add(&words, text_of_integer(amount, text));
            status = call_integer(redis, &ask, &words, &value);
        }
    }
    if (status == 0 && ret_value)
        *ret_value = value;
    return status;
}

static int script(void *self, const struct bp_kv_wait *wait, const struct bp_kv_script *script_, const bp_str *keys,
                  size_t key_count, const bp_str *arguments, size_t argument_count, struct bp_arena *arena,
                  struct bp_kv_reply *ret_reply)
{
    struct reply *reply;
    int status = redis_script(self, wait, script_, keys, key_count, arguments, argument_count, &reply);
    if (status != 0)
        return status;
    if (ret_reply)
        status = reply_convert(reply, arena, ret_reply);
    reply_free(reply);
    return status;
}

static int publish(void *self, const struct bp_kv_wait *wait, bp_str channel, bp_str message)
{
    struct redis *redis = self;
    struct ask ask = ask_make(redis, wait, "publish", 0);
    struct words words;
    int64_t receivers;
    int status = begin(redis, &words, 3, "PUBLISH", channel);
    if (status != 0)
        return status;
    words_add(&words, message);
    return call_integer(redis, &ask, &words, &receivers);
}

static int subscribe(void *self, const char *channel, void (*function)(void *argument, bp_str message), void *argument)
{
    struct redis *redis = self;
    return subscriber_add(&redis->subscriber, channel, function, argument);
}

static int ping(void *self, bp_span timeout)
{
    struct redis *redis = self;
    const struct bp_kv_wait wait = {.timeout = timeout};
    struct ask ask = ask_make(redis, &wait, "ping", ASK_REPEATABLE);
    /* A patient question must not hide from the others that nobody is there. */
    ask.patience = redis->timeout;
    struct reply *reply;
    struct words words;
    int status = words_init(&words, 1, 0);
    if (status != 0)
        return status;
    words_add(&words, BP_STR("PING"));
    status = redis_call(redis, &ask, &words, &reply);
    if (status == 0)
        reply_free(reply);
    return status;
}

static bool is_up(void *self)
{
    const struct redis *redis = self;
    return !redis->breaker.open;
}

const struct bp_key_value_vtable redis_vtable = {.size = sizeof(redis_vtable),
                                                 .get = get,
                                                 .get_many = get_many,
                                                 .set = set,
                                                 .set_new = set_new,
                                                 .remove = remove_key,
                                                 .add = add,
                                                 .script = script,
                                                 .publish = publish,
                                                 .subscribe = subscribe,
                                                 .ping = ping,
                                                 .is_up = is_up};

static int check(void *self, bp_span timeout, char *detail)
{
    struct redis *redis = self;
    bp_time started = bp_clock();
    int status = ping(self, timeout);
    if (status == 0)
        snprintf(detail, BP_HEALTH_DETAIL, "%.100s, answered in %.1f ms", redis->endpoint.name,
                 (double)(bp_clock() - started) / (double)BP_MILLISECOND);
    else
        snprintf(detail, BP_HEALTH_DETAIL, "%.60s: %.90s", redis->endpoint.name,
                 redis->reason[0] ? redis->reason : "no answer in time");
    return status;
}

const struct bp_health_check redis_health = {
    .size = sizeof(redis_health), .name = "redis", .grace = 10 * BP_SECOND, .check = check};
