/* SPDX-License-Identifier: MIT */
#include "throttle.h"

#include <sodium.h>
#include <stdio.h>

#include "backplane/iface/key_value.h"

#define TIMEOUT (250 * BP_MILLISECOND)

/* KEYS: the counts. ARGV: the window in milliseconds, then the limit of each. Counts one in all of them and returns 0, or returns the
 * milliseconds until it may be tried again. */
static const struct bp_kv_script take =
    BP_KV_SCRIPT(.name = "auth.failures_take",
                 .text = "local retry = 0\n"
                         "for i, key in ipairs(KEYS) do\n"
                         "  if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[i + 1]) then\n"
                         "    retry = math.max(retry, redis.call('PTTL', key), 1)\n"
                         "  end\n"
                         "end\n"
                         "if retry > 0 then return retry end\n"
                         "for _, key in ipairs(KEYS) do\n"
                         "  if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, ARGV[1]) end\n"
                         "end\n"
                         "return 0\n");
static const struct bp_kv_script give_back =
    BP_KV_SCRIPT(.name = "auth.failures_give_back",
                 .text = "for _, key in ipairs(KEYS) do\n"
                         "  if tonumber(redis.call('GET', key) or '0') > 0 then redis.call('DECR', key) end\n"
                         "end\n"
                         "return 0\n");
static const struct bp_kv_script forget =
    BP_KV_SCRIPT(.name = "auth.failures_forget",
                 .text = "for _, key in ipairs(KEYS) do redis.call('DEL', key) end\nreturn 0\n");

struct throttle_address throttle_address_of(bp_str client)
{
    struct throttle_address address = {.len = client.len == 16 ? 8 : client.len == 4 ? 4 : 0};
    if (address.len > 0)
        memcpy(address.bytes, client.ptr, address.len);
    return address;
}

/* Neither addresses nor accounts can be read from what is stored. */
static struct failures_bucket bucket_of(char kind, bp_str email, const struct throttle_address *address, uint32_t limit)
{
    static const char digits[] = "0123456789abcdef";
    struct failures_bucket bucket = {.limit = limit};
    crypto_generichash_state state;
    unsigned char hash[FAILURES_NAME / 2];
    (void)crypto_generichash_init(&state, NULL, 0, sizeof(hash));
    (void)crypto_generichash_update(&state, (const unsigned char *)&kind, 1);
    if (address)
        (void)crypto_generichash_update(&state, (const unsigned char *)address, sizeof(*address));
    if (email.len > 0)
        (void)crypto_generichash_update(&state, (const unsigned char *)email.ptr, email.len);
    (void)crypto_generichash_final(&state, hash, sizeof(hash));
    for (size_t i = 0; i < sizeof(hash); i++) {
        bucket.name[2 * i] = digits[hash[i] >> 4];
        bucket.name[2 * i + 1] = digits[hash[i] & 15];
    }
    return bucket;
}

/* Runs a script over the attempt's counts. */
static int ask(const struct throttle *throttle, const struct bp_kv_script *script,
               const struct throttle_attempt *attempt, bool always, int64_t *ret_answer)
{
    enum { KEY = 64 };
    const struct bp_kv_wait wait = {.timeout = TIMEOUT, .always = always};
    char texts[2][KEY], numbers[3][24];
    bp_str keys[2], arguments[3];
    struct bp_kv_reply reply;
    (void)snprintf(numbers[0], sizeof(numbers[0]), "%lld", (long long)(throttle->window / BP_MILLISECOND));
    arguments[0] = bp_str_of(numbers[0]);
    for (size_t i = 0; i < attempt->count; i++) {
        /* The braces put all of them into one slot of a cluster. */
        (void)snprintf(texts[i], KEY, "{login_failures}:%.*s", (int)FAILURES_NAME, attempt->buckets[i].name);
        (void)snprintf(numbers[i + 1], sizeof(numbers[0]), "%u", (unsigned)attempt->buckets[i].limit);
        keys[i] = bp_str_of(texts[i]);
        arguments[i + 1] = bp_str_of(numbers[i + 1]);
    }
    int status = bp_key_value(throttle->key_value)
                     ->script(throttle->key_value.self, &wait, script, keys, attempt->count, arguments,
                              attempt->count + 1, bp_fiber_arena(), &reply);
    if (status == 0 && reply.type != BP_KV_INTEGER)
        status = BP_ERROR;
    if (status == 0 && ret_answer)
        *ret_answer = reply.integer;
    return status;
}

/* In the service. 0 or a condition when it decided; else a negative status. */
static int begin_shared(struct throttle *throttle, struct throttle_attempt *attempt, bp_span *ret_retry_in)
{
    int64_t milliseconds;
    int status = ask(throttle, &take, attempt, false, &milliseconds);
    if (status < 0)
        return status;
    attempt->is_shared = true;
    if (milliseconds <= 0)
        return 0;
    *ret_retry_in = milliseconds * BP_MILLISECOND;
    return THROTTLE_E_LIMITED;
}

static void note_service(struct throttle *throttle, bool away)
{
    if (away == throttle->away)
        return;
    throttle->away = away;
    if (away)
        bp_log(throttle->host, BP_LOG_WARN, "auth.throttle_away",
               "Failed logins are counted in this server only: the service that all replicas share does not answer");
    else
        bp_log(throttle->host, BP_LOG_INFO, "auth.throttle_back", "Failed logins are counted over all replicas again");
}

int throttle_begin(struct throttle *throttle, bp_str email, const struct throttle_address *address, bool familiar,
                   struct throttle_attempt *ret_attempt, bp_span *ret_retry_in)
{
    struct throttle_attempt attempt = {.familiar = familiar};
    if (throttle->max_failures > 0) {
        attempt.buckets[attempt.count++] = familiar ? bucket_of('f', email, address, throttle->max_failures)
                                                    : bucket_of('u', email, NULL, throttle->max_failures);
        if (!familiar && throttle->address_failures > 0)
            attempt.buckets[attempt.count++] = bucket_of('a', bp_str_n(NULL, 0), address, throttle->address_failures);
    }
    *ret_attempt = attempt;
    if (attempt.count == 0)
        return 0;
    if (throttle->key_value.vtable) {
        int status = begin_shared(throttle, ret_attempt, ret_retry_in);
        if (status >= 0 || status == BP_CANCELED || status == BP_NOMEM) {
            if (status >= 0)
                note_service(throttle, false);
            return status;
        }
        note_service(throttle, true);
    }
    return failures_take(throttle->failures, attempt.buckets, attempt.count, throttle->window, bp_clock(), ret_retry_in)
               ? 0
               : THROTTLE_E_LIMITED;
}

void throttle_undo(struct throttle *throttle, const struct throttle_attempt *attempt)
{
    if (attempt->is_shared)
        (void)ask(throttle, &give_back, attempt, true, NULL); /* else it is forgotten when the window ends */
    else
        for (size_t i = 0; i < attempt->count; i++)
            failures_give_back(throttle->failures, &attempt->buckets[i], bp_clock());
}

void throttle_succeeded(struct throttle *throttle, const struct throttle_attempt *attempt)
{
    /* Where only this client is counted, earlier slips are forgiven; where others may be, only this attempt is taken back. */
    if (!attempt->familiar)
        throttle_undo(throttle, attempt);
    else if (attempt->is_shared)
        (void)ask(throttle, &forget, attempt, true, NULL);
    else
        for (size_t i = 0; i < attempt->count; i++)
            failures_clear(throttle->failures, &attempt->buckets[i], bp_clock());
}

void throttle_forgive(struct throttle *throttle, bp_str email)
{
    const struct throttle_attempt attempt = {.buckets = {bucket_of('u', email, NULL, throttle->max_failures)},
                                             .count = 1};
    if (throttle->max_failures == 0)
        return;
    if (throttle->key_value.vtable)
        (void)ask(throttle, &forget, &attempt, true, NULL);
    failures_clear(throttle->failures, &attempt.buckets[0], bp_clock());
}
