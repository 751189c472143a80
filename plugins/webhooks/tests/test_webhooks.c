/* SPDX-License-Identifier: MIT */
/* What needs no server: URLs, types, signatures, waits, excerpts. */
#include <criterion/criterion.h>
#include <regex.h>
#include <stdio.h>

#include "core/base/arena.h"
#include "excerpt.h"
#include "flight.h"
#include "signature.h"
#include "types.h"
#include "url.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static struct bp_arena *arena;

static void start(void)
{
    arena = arena_new();
}

static void stop(void)
{
    arena = arena_free(arena);
}

/* What the check says is what documents say. */
static bool fits(const char *pattern, const char *text)
{
    regex_t regex;
    char copy[600];
    /* ECMA-262's is POSIX' but for the bracket escaped outside of a set. */
    snprintf(copy, sizeof(copy), "%s", pattern);
    cr_assert_eq(regcomp(&regex, copy, REG_EXTENDED | REG_NOSUB), 0, "%s", pattern);
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

Test(webhooks, urls)
{
    static const struct {
        const char *url, *problem;
    } cases[] = {
        {"https://example.com", NULL},
        {"https://example.com/", NULL},
        {"https://example.com/hooks/1?a=b&c=%20", NULL},
        {"https://example.com?a@b", NULL},
        {"https://a.b-c_d.example.com:8443/x", NULL},
        {"http://127.0.0.1:1/", NULL},
        {"https://[2001:db8::1]/x", NULL},
        {"https://[::ffff:1.2.3.4]:65535", NULL},
        {"", "must begin with https://"},
        {"example.com", "must begin with https://"},
        {"ftp://example.com", "must begin with https://"},
        {"HTTPS://example.com", "must begin with https://"},
        {"file:///etc/passwd", "must begin with https://"},
        {"https://", "must have a host"},
        {"https:///x", "must have a host"},
        {"https://:80/", "must have a host"},
        {"https://.example.com", "must have a host"},
        {"https://[]/", "must have a host"},
        {"https://[::1/", "must have a host"},
        {"https://[::1%25eth0]/", "must have a host"},
        {"https://user@example.com/", "must not have a user name or password"},
        {"https://user:password@example.com/", "must not have a user name or password"},
        {"https://example.com\\@evil.example/", "must not have a user name or password"},
        {"https://example.com/#top", "must not have a fragment"},
        {"https://example.com#", "must not have a fragment"},
        {"https://exa mple.com/", "must be of visible ASCII characters: encode others"},
        {"https://example.com/\n", "must be of visible ASCII characters: encode others"},
        {"https://example.com/\xc3\xa4", "must be of visible ASCII characters: encode others"},
        {"https://example.com/\"", "must be of visible ASCII characters: encode others"},
        {"https://exa\\mple.com/", "must have a host name of letters, digits, dots and hyphens"},
        {"https://[::1]x/", "must have a host name of letters, digits, dots and hyphens"},
        {"https://example.com:/", "must have a port of 1 to 65535"},
        {"https://example.com:0/", "must have a port of 1 to 65535"},
        {"https://example.com:080/", "must have a port of 1 to 65535"},
        {"https://example.com:65536/", "must have a port of 1 to 65535"},
        {"https://example.com:99999999999999999999/", "must have a port of 1 to 65535"},
        {"https://example.com:80x/", "must have a port of 1 to 65535"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        const char *problem = url_problem(bp_str_of(cases[i].url));
        cr_expect(problem == cases[i].problem || (problem && cases[i].problem && !strcmp(problem, cases[i].problem)),
                  "%s: %s", cases[i].url, problem ? problem : "fine");
        cr_expect_eq(fits(url_patterns[0], cases[i].url), !cases[i].problem, "%s", cases[i].url);
    }
    cr_expect(url_is_https(BP_STR("https://a")));
    cr_expect_not(url_is_https(BP_STR("http://a")));
}

Test(webhooks, types, .init = start, .fini = stop)
{
    static const struct {
        const char *types[3];
        const char *type;
        bool matches;
        const char *json;
    } cases[] = {
        {{NULL}, "todo.created", true, "[]"},
        {{"todo.created"}, "todo.created", true, "[\"todo.created\"]"},
        {{"todo.created"}, "todo.updated", false, "[\"todo.created\"]"},
        {{"todo.created", "list.deleted"}, "list.deleted", true, "[\"todo.created\",\"list.deleted\"]"},
        {{"todo.*"}, "todo.updated", true, "[\"todo.*\"]"},
        {{"todo.*"}, "todos.updated", false, "[\"todo.*\"]"},
        {{"todo.*", "list.*"}, "list.created", true, "[\"todo.*\",\"list.*\"]"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        bp_str types[3];
        size_t count = 0;
        for (; count < 3 && cases[i].types[count]; count++)
            types[count] = bp_str_of(cases[i].types[count]);
        const struct bp_array array = {types, count};
        cr_expect_eq(types_match(array, bp_str_of(cases[i].type)), cases[i].matches, "%zu", i);
        cr_expect(bp_str_is(types_json(array, arena), cases[i].json), "%zu", i);
    }
}

/* The vector that the specification's libraries are tested with. */
Test(webhooks, signatures)
{
    static const bp_str id = BP_STR_INIT("msg_p5jXN8AQM9LWM0D4loKWxJek"), body = BP_STR_INIT("{\"test\": 2432232314}");
    char signature[SIGNATURE_LEN + 1], secret[SECRET_LEN + 1], other[SECRET_LEN + 1];
    cr_assert(signature_make(BP_STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), id, 1614265330, body, signature));
    cr_expect_str_eq(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    static const char *const wrong[] = {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_*",
                                        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"};
    for (size_t i = 0; i < LENGTH(wrong); i++)
        cr_expect_not(signature_make(bp_str_of(wrong[i]), id, 1, body, signature), "%s", wrong[i]);
    secret_make(secret);
    secret_make(other);
    cr_expect_eq(strlen(secret), SECRET_LEN);
    cr_expect_str_neq(secret, other);
    cr_expect(signature_make(bp_str_of(secret), id, 1, body, signature));
    cr_expect_eq(strlen(signature), SIGNATURE_LEN);
}

Test(webhooks, waits)
{
    static const struct {
        uint32_t attempt, random;
        bp_span wait;
    } cases[] = {
        {1, UINT32_MAX, 10 * BP_SECOND},  {1, 0, 5 * BP_SECOND},  {2, UINT32_MAX, 20 * BP_SECOND},
        {5, UINT32_MAX, 160 * BP_SECOND}, {5, 0, 80 * BP_SECOND}, {13, UINT32_MAX, 40960 * BP_SECOND},
        {14, UINT32_MAX, 12 * BP_HOUR},   {100, 0, 6 * BP_HOUR},  {UINT32_MAX, UINT32_MAX, 12 * BP_HOUR},
    };
    for (size_t i = 0; i < LENGTH(cases); i++)
        cr_expect_eq(bp_backoff(cases[i].attempt, 10 * BP_SECOND, 12 * BP_HOUR, cases[i].random), cases[i].wait, "%zu",
                     i);
    /* All waits of the defaults: about three days. */
    bp_span least = 0, most = 0;
    for (uint32_t attempt = 1; attempt < 20; attempt++) {
        least += bp_backoff(attempt, 10 * BP_SECOND, 12 * BP_HOUR, 0);
        most += bp_backoff(attempt, 10 * BP_SECOND, 12 * BP_HOUR, UINT32_MAX);
    }
    cr_expect((least + most) / 2 > 70 * BP_HOUR && (least + most) / 2 < 74 * BP_HOUR);
}

Test(webhooks, excerpts, .init = start, .fini = stop)
{
    static const struct {
        bp_str bytes;
        size_t max;
        const char *text;
    } cases[] = {
        {BP_STR_INIT(""), 10, ""},
        {BP_STR_INIT("hello"), 10, "hello"},
        {BP_STR_INIT("hello"), 3, "hel"},
        {BP_STR_INIT("h\xc3\xa9"), 3, "h\xc3\xa9"},
        {BP_STR_INIT("h\xc3\xa9"), 2, "h"},
        {BP_STR_INIT("a\0b"), 10,
         "a\xef\xbf\xbd"
         "b"},
        {BP_STR_INIT("\xff\xfe"), 10, "\xef\xbf\xbd\xef\xbf\xbd"},
        {BP_STR_INIT("\xff\xfe"), 5, "\xef\xbf\xbd"},
        {BP_STR_INIT("a\xe2\x82"), 3, "a"},
        {BP_STR_INIT("\xed\xa0\x80"), 100, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < LENGTH(cases); i++) {
        bp_str text = excerpt(cases[i].bytes, cases[i].max, arena);
        cr_expect(bp_str_is(text, cases[i].text), "%zu: %.*s", i, (int)text.len, text.ptr);
    }
}

Test(webhooks, flights)
{
    static const bp_uuid one = {{1}}, other = {{2}}, ada = {{3}}, bob = {{4}};
    struct flight *first = NULL, flights[5] = {{.webhook_id = one, .user_id = ada},
                                               {.webhook_id = one, .user_id = ada},
                                               {.webhook_id = one, .user_id = ada},
                                               {.webhook_id = other, .user_id = ada},
                                               {.webhook_id = {{5}}, .user_id = bob}};
    cr_expect(flight_begin(&first, &flights[0], 2, 9));
    cr_expect(flight_begin(&first, &flights[1], 2, 9));
    cr_expect_not(flight_begin(&first, &flights[2], 2, 9), "so many for one endpoint");
    cr_expect_not(flight_begin(&first, &flights[3], 2, 2), "so many of one user");
    cr_expect(flight_begin(&first, &flights[4], 1, 1), "somebody else");
    cr_expect(flight_begin(&first, &flights[3], 1, 3));
    flight_end(&first, &flights[0]);
    cr_expect_not(flight_begin(&first, &flights[2], 1, 9));
    cr_expect(flight_begin(&first, &flights[2], 2, 3));
    for (size_t i = 1; i < LENGTH(flights); i++)
        flight_end(&first, &flights[i]);
    cr_expect_null(first);
}
