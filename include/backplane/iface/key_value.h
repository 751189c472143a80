/* SPDX-License-Identifier: MIT */
/*
 * The "key_value" interface, version 1: keys, counters, scripts and messages that all replicas share. Provided by redis. All
 * functions suspend, unless they say no. Keys are given without the instance's prefix; the provider adds it (to channels,
 * too).
 *
 * Statuses: 0; BP_BUSY (away: at once while the circuit breaker is open), BP_TIMEOUT (the answer did not come within the
 * timeout; what was asked may have taken place), BP_CANCELED, BP_NOMEM, BP_ERROR (the server refused it; logged by the provider).
 */
#ifndef BACKPLANE_IFACE_KEY_VALUE_H
#define BACKPLANE_IFACE_KEY_VALUE_H

#include "backplane/arena.h"
#include "backplane/clock.h"
#include "backplane/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BP_KEY_VALUE "key_value"
#define BP_KEY_VALUE_VERSION 1u

/* How a call waits. NULL: the instance's timeout, cancelled with the fiber. */
struct bp_kv_wait {
    bp_span timeout; /* 0: the instance's */
    bool always;     /* not cancelled when the client leaves, only timed out */
};

/* A Lua script, static const: loaded once and called by its SHA-1 (EVALSHA), loaded again when the server forgot it. */
struct bp_kv_script {
    uint32_t size;
    uint32_t spare;
    const char *name; /* for logs and metrics: "rate_limit.sliding_window" */
    const char *text;
};
#ifndef __cplusplus
/* static const struct bp_kv_script take = BP_KV_SCRIPT(.name = …, .text = …); */
#define BP_KV_SCRIPT(...)                                \
    {                                                    \
        .size = sizeof(struct bp_kv_script), __VA_ARGS__ \
    }
#endif

/* What a script returned: nothing, an integer, a text (a status or bytes), a list of such. */
enum bp_kv_type { BP_KV_NIL, BP_KV_INTEGER, BP_KV_TEXT, BP_KV_LIST };

/* What a script returns. In the arena given. */
struct bp_kv_reply {
    uint32_t type; /* enum bp_kv_type */
    uint32_t spare;
    int64_t integer;
    bp_str text;
    struct bp_kv_reply *items;
    size_t len;
};

/* Call them through bp_key_value(). */
struct bp_key_value_vtable {
    uint32_t size;
    uint32_t spare;
    /* ret_value->ptr NULL: no such key. In the arena. */
    int (*get)(void *self, const struct bp_kv_wait *wait, bp_str key, struct bp_arena *arena, bp_str *ret_value);
    /* Several keys in one round trip; ret_values: an array of count, as above. */
    int (*get_many)(void *self, const struct bp_kv_wait *wait, const bp_str *keys, size_t count, struct bp_arena *arena,
                    bp_str *ret_values);
    /* ttl BP_FOREVER: does not expire. Milliseconds count. */
    int (*set)(void *self, const struct bp_kv_wait *wait, bp_str key, bp_str value, bp_span ttl);
    /* Sets it only when there is none: *ret_set says whether. */
    int (*set_new)(void *self, const struct bp_kv_wait *wait, bp_str key, bp_str value, bp_span ttl, bool *ret_set);
    /* 0 also when there was none. */
    int (*remove)(void *self, const struct bp_kv_wait *wait, bp_str key);
    /* Adds to a counter, made with 0 when absent; ttl applies when it was made. ret_value may be NULL. */
    int (*add)(void *self, const struct bp_kv_wait *wait, bp_str key, int64_t amount, bp_span ttl, int64_t *ret_value);
    /* Runs a script atomically. ret_reply may be NULL, then arena too. */
    int (*script)(void *self, const struct bp_kv_wait *wait, const struct bp_kv_script *script, const bp_str *keys,
                  size_t key_count, const bp_str *arguments, size_t argument_count, struct bp_arena *arena,
                  struct bp_kv_reply *ret_reply);
    /* To every replica that subscribes, this one too; lost by those that are not connected. */
    int (*publish)(void *self, const struct bp_kv_wait *wait, bp_str channel, bp_str message);
    /* In start: calls function(argument, message) on the loop, without a fiber, for each message on the channel. message.ptr
     * NULL: the connection was lost and is back, messages may have been missed. Ends with the provider. Does not suspend. */
    int (*subscribe)(void *self, const char *channel, void (*function)(void *argument, bp_str message), void *argument);
    /* 0 when it answers within the timeout. */
    int (*ping)(void *self, bp_span timeout);
    /* True while it is believed to answer (the breaker is closed). Does not suspend. */
    bool (*is_up)(void *self);
};

/* The functions of a provider. Pure.
 *
 *     int status = bp_key_value(cache->store)->get(cache->store.self, NULL, key, arena, &value);
 */
static inline const struct bp_key_value_vtable *bp_key_value(struct bp_service service)
{
    return (const struct bp_key_value_vtable *)service.vtable;
}

#ifdef __cplusplus
}
#endif
#endif
