/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/http/proxy_header.h"
#include "tests/unit/http/limits.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4 SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xcb\0\x71\x09\x30\x39\x1f\x90"
#define BYTES(text) text, sizeof(text) - 1

struct outcome {
    long result;
    enum proxy_command command;
    struct bp_address address;
    const char *reason;
};

static struct outcome parse(const char *bytes, size_t len)
{
    struct outcome outcome = {.command = (enum proxy_command)99};
    char *copy = exact_copy(bytes, len);
    outcome.result = proxy_header_parse(bp_str_n(copy, len), &outcome.command, &outcome.address, &outcome.reason);
    free(copy);
    return outcome;
}

Test(proxy_header, who_the_client_is)
{
    static const char unix_header[16 + 216 + 1] = SIGNATURE "\x21\x31\0\xd8/run/a.sock";
    static const struct {
        const char *bytes;
        size_t len;
        long result;
        enum proxy_command command;
        const char *address;
        uint8_t address_len;
    } cases[] = {
        {BYTES(TCP4), 28, PROXY_NAMED, "\xc0\0\2\1", 4},
        {BYTES(TCP4 "GET / HTTP/1.1\r\n"), 28, PROXY_NAMED, "\xc0\0\2\1", 4},
        /* With a TLV, and with one that is cut off: both are skipped. */
        {BYTES(SIGNATURE "\x21\x11\0\x11\xc0\0\2\1\xcb\0\x71\x09\x30\x39\x1f\x90\4\0\2ab"), 33, PROXY_NAMED,
         "\xc0\0\2\1", 4},
        {BYTES(SIGNATURE "\x21\x11\0\x0e\xc0\0\2\1\xcb\0\x71\x09\x30\x39\x1f\x90\x20\xff"), 30, PROXY_NAMED,
         "\xc0\0\2\1", 4},
        {BYTES(SIGNATURE
               "\x21\x21\0\x24\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2\1\2\3\4"),
         52, PROXY_NAMED, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16},
        {BYTES(SIGNATURE
               "\x21\x21\0\x24\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\2\1\2\3\4"),
         52, PROXY_NAMED, "\xc0\0\2\1", 4},
        {unix_header, 232, 232, PROXY_NAMED, "", 0},
        {BYTES(SIGNATURE "\x20\0\0\0"), 16, PROXY_LOCAL, NULL, 0},
        {BYTES(SIGNATURE "\x20\x11\0\x0c\xc0\0\2\1\xcb\0\x71\x09\x30\x39\x1f\x90"), 28, PROXY_LOCAL, NULL, 0},
        {BYTES(SIGNATURE "\x20\xff\0\1x"), 17, PROXY_LOCAL, NULL, 0},
        {BYTES(SIGNATURE "\x21\0\0\0"), 16, PROXY_UNKNOWN, NULL, 0},
        {BYTES(SIGNATURE "\x21\0\0\4abcd"), 20, PROXY_UNKNOWN, NULL, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct outcome outcome = parse(cases[i].bytes, cases[i].len);
        cr_assert_eq(outcome.result, cases[i].result, "case %zu: %ld %s", i, outcome.result, outcome.reason);
        cr_assert_eq(outcome.command, cases[i].command, "case %zu", i);
        if (cases[i].address) {
            cr_assert_eq(outcome.address.len, cases[i].address_len, "case %zu", i);
            cr_assert_eq(memcmp(outcome.address.bytes, cases[i].address, cases[i].address_len), 0, "case %zu", i);
        }
        /* Whatever part of it has come so far is no reason to refuse it, and never enough. */
        for (long len = 0; len < cases[i].result; len++)
            cr_assert_eq(parse(cases[i].bytes, (size_t)len).result, 0, "case %zu, %ld bytes", i, len);
    }
}

Test(proxy_header, what_is_refused)
{
    static const char none[] = "no PROXY header";
    static const char version[] = "an unknown version of the PROXY protocol";
    static const char command[] = "an unknown command in a PROXY header";
    static const char family[] = "a PROXY header for something else than a stream over IPv4, IPv6 or a Unix socket";
    static const char cut[] = "the PROXY header is shorter than its addresses";
    static const char one[] = "the PROXY protocol's version 1 is not spoken here: version 2 is";
    static const char long_one[] = "the PROXY header is too long";
    static const struct {
        const char *bytes;
        size_t len;
        const char *reason;
    } cases[] = {
        {BYTES("GET / HTTP/1.1\r\n"), none},
        {BYTES("P"), NULL},
        {BYTES("PROXY"), NULL},
        {BYTES("PROXY TCP4 192.0.2.1 203.0.113.9 1 2\r\n"), one},
        {BYTES("PROXY "), one},
        {BYTES("PROXZ"), none},
        {BYTES("\r\n\r\nGET"), none},
        {BYTES("\0"), none},
        {BYTES("\x16\x03\x01"), none},
        {BYTES("\r\n\r\n\0\r\nQUIT\r"), none},
        {BYTES(SIGNATURE "\x11"), version},
        {BYTES(SIGNATURE "\x01"), version},
        {BYTES(SIGNATURE "\x31\x11\0\x0c"), version},
        {BYTES(SIGNATURE "\xff"), version},
        {BYTES(SIGNATURE "\x22"), command},
        {BYTES(SIGNATURE "\x2f\x11\0\x0c"), command},
        {BYTES(SIGNATURE "\x21\x12\0\x0c\xc0\0\2\1\xcb\0\x71\x09\x30\x39\x1f\x90"), family},
        {BYTES(SIGNATURE "\x21\x10\0\0"), family},
        {BYTES(SIGNATURE "\x21\x01\0\0"), family},
        {BYTES(SIGNATURE "\x21\x41\0\0"), family},
        {BYTES(SIGNATURE "\x21\xff\0\0"), family},
        {BYTES(SIGNATURE "\x21\x11\0\0"), cut},
        {BYTES(SIGNATURE "\x21\x11\0\x0b\xc0\0\2\1\xcb\0\x71\x09\x30\x39\x1f"), cut},
        {BYTES(SIGNATURE "\x21\x21\0\x0c\xc0\0\2\1\xcb\0\x71\x09\x30\x39\x1f\x90"), cut},
        {BYTES(SIGNATURE "\x21\x31\0\x0c\xc0\0\2\1\xcb\0\x71\x09\x30\x39\x1f\x90"), cut},
        {BYTES(SIGNATURE "\x21\x11\xff\xff"), long_one},
        {BYTES(SIGNATURE "\x20\x00\x0f\xf1"), long_one},
        {BYTES(SIGNATURE "\x20\x00\x0f\xf0"), NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct outcome outcome = parse(cases[i].bytes, cases[i].len);
        cr_assert_eq(outcome.result, cases[i].reason ? -1 : 0, "case %zu: %ld", i, outcome.result);
        if (cases[i].reason)
            cr_assert_str_eq(outcome.reason, cases[i].reason, "case %zu", i);
    }
}

/* Each byte of a good header changed to each value: an answer, and nothing read beyond the end. */
Test(proxy_header, hostile_bytes)
{
    char bytes[sizeof(TCP4) - 1];
    unsigned taken = 0;
    for (size_t at = 0; at < sizeof(bytes); at++)
        for (int value = 0; value < 256; value++) {
            memcpy(bytes, TCP4, sizeof(bytes));
            bytes[at] = (char)value;
            struct outcome outcome = parse(bytes, sizeof(bytes));
            cr_assert(outcome.result == -1 ? outcome.reason != NULL : outcome.result <= (long)sizeof(bytes), "%zu %d",
                      at, value);
            if (outcome.result > 0 && outcome.command == PROXY_NAMED)
                taken++;
        }
    /* Every value of the 12 address bytes; of the others only the right one (for each of the 16). */
    cr_assert_eq(taken, 12u * 256 + 16);
}
