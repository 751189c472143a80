/* SPDX-License-Identifier: MIT */
/* UUIDs of version 7: RFC 9562 5.7, with method 1 of 6.2: a counter of 32 bits in rand_a and the head of rand_b. */
#include "backplane/uuid.h"

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "backplane/clock.h"

#define RANDOM_TAIL 6u /* bytes of fresh random in each: 42 bits of them are used */

static struct {
    pthread_mutex_t mutex;
    uint64_t ms;
    uint32_t counter;
    /* Random bytes read ahead: a system call for each would cost more than all the rest. Used ones are wiped. */
    size_t left;
    uint8_t ahead[510];
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t once = PTHREAD_ONCE_INIT;

void bp_random(void *ret_bytes, size_t len)
{
    uint8_t *at = ret_bytes;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno != EINTR)
            abort(); /* a kernel without getrandom(): nothing safe is left to do */
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

static void before_fork(void)
{
    pthread_mutex_lock(&state.mutex);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&state.mutex);
}

/* The child must not repeat what its parent makes from the same bytes. */
static void after_fork_in_child(void)
{
    explicit_bzero(state.ahead, sizeof(state.ahead));
    state.left = 0;
    state.ms = 0;
    pthread_mutex_unlock(&state.mutex);
}

static void watch_forks(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* With the mutex held. */
static void take_random(uint8_t *ret_bytes, size_t len)
{
    if (state.left < len) {
        bp_random(state.ahead, sizeof(state.ahead));
        state.left = sizeof(state.ahead);
    }
    state.left -= len;
    memcpy(ret_bytes, state.ahead + state.left, len);
    explicit_bzero(state.ahead + state.left, len);
}

/* With the mutex held: the next pair of time and counter, greater than all before it, also when the clock went back. */
static void advance(uint64_t now)
{
    if (now <= state.ms) {
        if (++state.counter != 0)
            return;
        now = state.ms + 1;
    }
    state.ms = now;
    take_random((uint8_t *)&state.counter, sizeof(state.counter));
    state.counter >>= 1; /* half of the range is left to count in */
}

bp_uuid bp_uuid_new(void)
{
    bp_date date = bp_date_now();
    bp_uuid uuid;
    uint64_t ms;
    uint32_t counter;
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&state.mutex);
    advance(date > 0 ? (uint64_t)date : 0);
    ms = state.ms;
    counter = state.counter;
    take_random(uuid.bytes + sizeof(uuid.bytes) - RANDOM_TAIL, RANDOM_TAIL);
    pthread_mutex_unlock(&state.mutex);
    for (unsigned i = 0; i < 6; i++)
        uuid.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    uuid.bytes[6] = (uint8_t)(0x70 | counter >> 28);
    uuid.bytes[7] = (uint8_t)(counter >> 20);
    uuid.bytes[8] = (uint8_t)(0x80 | (counter >> 14 & 0x3f));
    uuid.bytes[9] = (uint8_t)(counter >> 6);
    uuid.bytes[10] = (uint8_t)((counter & 0x3f) << 2 | (uuid.bytes[10] & 0x03));
    return uuid;
}

static bool is_dash(size_t at)
{
    return at == 8 || at == 13 || at == 18 || at == 23;
}

#define EACH(byte) ((byte)*UINT64_C(0x0101010101010101))

/* Four bytes as eight digits in their order in memory, all at once: half a byte each, then 0 to 9 become digits, 10 to 15 letters. */
static uint64_t digits_of(const uint8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof(word));
    uint64_t x = be32toh(word);
    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x << 4) & EACH(0x0f);
    uint64_t letters = (x + EACH(6)) >> 4 & EACH(1);
    return htobe64(x + EACH('0') + letters * ('a' - '0' - 10));
}

void bp_uuid_format(const bp_uuid *uuid, char ret_text[BP_UUID_LEN])
{
    uint64_t groups[4];
    for (unsigned i = 0; i < 4; i++)
        groups[i] = digits_of(uuid->bytes + 4 * i);
    memcpy(ret_text, &groups[0], 8);
    memcpy(ret_text + 9, &groups[1], 4);
    memcpy(ret_text + 14, (const char *)&groups[1] + 4, 4);
    memcpy(ret_text + 19, &groups[2], 4);
    memcpy(ret_text + 24, (const char *)&groups[2] + 4, 4);
    memcpy(ret_text + 28, &groups[3], 8);
    ret_text[8] = ret_text[13] = ret_text[18] = ret_text[23] = '-';
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool bp_uuid_parse(bp_str text, bp_uuid *ret_uuid)
{
    bp_uuid uuid;
    size_t at = 0;
    if (text.len != BP_UUID_LEN)
        return false;
    for (size_t i = 0; i < sizeof(uuid.bytes); i++) {
        int high, low;
        if (is_dash(at) && text.ptr[at++] != '-')
            return false;
        high = digit_value(text.ptr[at++]);
        low = digit_value(text.ptr[at++]);
        if (high < 0 || low < 0)
            return false;
        uuid.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret_uuid = uuid;
    return true;
}
