/* SPDX-License-Identifier: MIT */
#include "backplane/str.h"

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

#define EACH(byte) ((byte)*UINT64_C(0x0101010101010101))

/* Of eight bytes at once: without their high bits no sum runs over, and the high bit of a sum says "from this letter on". */
static uint64_t lower_word(const char *bytes)
{
    uint64_t x, low, from_a, beyond_z;
    memcpy(&x, bytes, sizeof(x));
    low = x & EACH(0x7f);
    from_a = low + EACH(0x80 - 'A');
    beyond_z = low + EACH(0x7f - 'Z');
    return x | ((from_a & ~beyond_z & ~x & EACH(0x80)) >> 2);
}

bool bp_str_eq_nocase(bp_str a, bp_str b)
{
    size_t i = 0;
    if (a.len != b.len)
        return false;
    for (; a.len - i >= sizeof(uint64_t); i += sizeof(uint64_t))
        if (lower_word(a.ptr + i) != lower_word(b.ptr + i))
            return false;
    for (; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

bp_str bp_str_u64(uint64_t value, char space[20])
{
    size_t at = 20;
    while (value >= 100) {
        unsigned two = (unsigned)(value % 100);
        value /= 100;
        space[--at] = (char)('0' + two % 10);
        space[--at] = (char)('0' + two / 10);
    }
    space[--at] = (char)('0' + value % 10);
    if (value >= 10)
        space[--at] = (char)('0' + value / 10);
    return bp_str_n(space + at, 20 - at);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bp_str bp_str_trim(bp_str s)
{
    while (s.len > 0 && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool bp_str_to_u64(bp_str s, uint64_t *ret_value)
{
    uint64_t value = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.ptr[i] - '0'), &value))
            return false;
    }
    *ret_value = value;
    return true;
}

bool bp_str_eq_secret(bp_str a, bp_str b)
{
    unsigned char difference = a.len != b.len;
    for (size_t i = 0; i < a.len && b.len > 0; i++)
        difference |= (unsigned char)(a.ptr[i] ^ b.ptr[i % b.len]);
    return difference == 0;
}
