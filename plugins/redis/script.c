/* SPDX-License-Identifier: MIT */
/* Scripts are called by their SHA-1; one that the server does not know (it was restarted, or told SCRIPT FLUSH) is sent whole. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "redis.h"

struct sha {
    struct sha *next;
    const struct bp_kv_script *script;
    char text[40]; /* hexadecimal */
};

struct sha *sha_free(struct sha *list)
{
    while (list) {
        struct sha *next = list->next;
        free(list);
        list = next;
    }
    return NULL;
}

/* Computed once for each script. NULL: out of memory. */
static const struct sha *sha_of(struct redis *redis, const struct bp_kv_script *script)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct sha *sha;
    for (sha = redis->scripts; sha; sha = sha->next)
        if (sha->script == script)
            return sha;
    sha = malloc(sizeof(*sha));
    if (!sha || EVP_Digest(script->text, strlen(script->text), digest, NULL, EVP_sha1(), NULL) != 1) {
        free(sha);
        return NULL;
    }
    for (size_t i = 0; i < 20; i++) {
        sha->text[2 * i] = digits[digest[i] >> 4];
        sha->text[2 * i + 1] = digits[digest[i] & 15];
    }
    sha->script = script;
    sha->next = redis->scripts;
    redis->scripts = sha;
    return sha;
}

struct invocation {
    const bp_str *keys, *arguments;
    size_t key_count, argument_count;
};

static int invoke(struct redis *redis, const struct ask *ask, const struct invocation *of, bp_str command, bp_str what,
                  struct reply **ret_reply)
{
    struct words words;
    char count[24];
    size_t key_bytes = 0;
    for (size_t i = 0; i < of->key_count; i++)
        key_bytes += redis->prefix.len + of->keys[i].len;
    if (words_init(&words, 3 + of->key_count + of->argument_count, key_bytes) != 0)
        return BP_NOMEM;
    words_add(&words, command);
    words_add(&words, what);
    words_add(&words, text_of_integer((int64_t)of->key_count, count));
    for (size_t i = 0; i < of->key_count; i++)
        words_add_key(&words, redis->prefix, of->keys[i]);
    for (size_t i = 0; i < of->argument_count; i++)
        words_add(&words, of->arguments[i]);
    return redis_call(redis, ask, &words, ret_reply);
}

int redis_script(struct redis *redis, const struct bp_kv_wait *wait, const struct bp_kv_script *script,
                 const bp_str *keys, size_t key_count, const bp_str *arguments, size_t argument_count,
                 struct reply **ret_reply)
{
    const struct invocation invocation = {
        .keys = keys, .key_count = key_count, .arguments = arguments, .argument_count = argument_count};
    struct ask ask = ask_make(redis, wait, script->name, ASK_WRITES);
    const struct sha *sha = sha_of(redis, script);
    int status;
    if (!sha)
        return BP_NOMEM;
    status = invoke(redis, &ask, &invocation, BP_STR("EVALSHA"), bp_str_n(sha->text, sizeof(sha->text)), ret_reply);
    if (status == CALL_NO_SCRIPT)
        status = invoke(redis, &ask, &invocation, BP_STR("EVAL"), bp_str_of(script->text), ret_reply);
    return status == CALL_NO_SCRIPT ? redis_odd_answer(redis, script->name) : status;
}
