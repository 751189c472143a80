/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/base/arena.h"
#include "core/schema/schema.h"
#include "credentials.h"

static const struct {
    const char *email;
    bool valid;
} emails[] = {
    {"ada@example.com", true},
    {"ADA@EXAMPLE.COM", true},
    {"a@b.co", true},
    {"first.last+tag@sub.domain.example.org", true},
    {"o'brien@example.com", true},
    {"_x-y_@a-b.example.museum", true},
    {"1@1.io", true},
    {"a@1.2.3.de", true},
    {"", false},
    {"ada", false},
    {"@example.com", false},
    {"ada@", false},
    {"ada@example", false},
    {"ada@localhost", false},
    {"ada@example.c", false},
    {"ada@example.c0m", false},
    {"ada@example.123", false},
    {"ada@1.2.3.4", false},
    {"ada@.com", false},
    {"ada@example..com", false},
    {"ada@example.com.", false},
    {"ada@-example.com", false},
    {"ada@example-.com", false},
    {"ada@exa_mple.com", false},
    {"ada@exa mple.com", false},
    {".ada@example.com", false},
    {"ada.@example.com", false},
    {"a..da@example.com", false},
    {"'@example.com", false},
    {"ada@@example.com", false},
    {"ada@b@example.com", false},
    {"ada lovelace@example.com", false},
    {" ada@example.com", false},
    {"ada@example.com ", false},
    {"ada@example.com\n", false},
    {"\"ada\"@example.com", false},
    {"ada@[127.0.0.1]", false},
    {"<ada@example.com>", false},
    {"ad\xc3\xa4@example.com", false},
    {"ada@ex\xc3\xa4mple.com", false},
};

Test(credentials, emails)
{
    for (size_t i = 0; i < sizeof(emails) / sizeof(emails[0]); i++)
        cr_expect(email_valid(bp_str_of(emails[i].email)) == emails[i].valid, "\"%s\" should be %s", emails[i].email,
                  emails[i].valid ? "valid" : "refused");
    cr_expect_not(email_valid(bp_str_n("a\0b@example.com", 15)));
}

Test(credentials, email_length)
{
    char text[300], *p = text;
    /* 60 + "@" + 3 labels of 62 with dots + "abcd" = 254 */
    memset(p, 'a', 60);
    p[60] = '@';
    p += 61;
    for (int i = 0; i < 3; i++) {
        memset(p, 'b', 62);
        p[62] = '.';
        p += 63;
    }
    memset(p, 'c', 20);
    size_t head = (size_t)(p - text);
    cr_expect(email_valid(bp_str_n(text, 254)) == (254 - head >= 2));
    cr_expect_eq(head, 250);
    cr_expect(email_valid(bp_str_n(text, 254)));
    cr_expect_not(email_valid(bp_str_n(text, 255)));
    /* a label of 64 */
    memset(text, 'd', 200);
    text[1] = '@';
    memcpy(text + 2 + 63, ".com", 4);
    cr_expect(email_valid(bp_str_n(text, 2 + 63 + 4)));
    memset(text + 2, 'd', 64);
    memcpy(text + 2 + 64, ".com", 4);
    cr_expect_not(email_valid(bp_str_n(text, 2 + 64 + 4)));
}

static const struct {
    const char *password;
    unsigned kinds;
} passwords[] = {
    {"", 0},
    {"abc", PASSWORD_LOWER},
    {"ABC", PASSWORD_UPPER},
    {"123", PASSWORD_DIGIT},
    {"!", PASSWORD_SPECIAL},
    {" ", PASSWORD_SPECIAL},
    {"\xc3\x84", PASSWORD_SPECIAL},
    {"aB3$", PASSWORD_LOWER | PASSWORD_UPPER | PASSWORD_DIGIT | PASSWORD_SPECIAL},
    {"az", PASSWORD_LOWER},
    {"AZ", PASSWORD_UPPER},
    {"09", PASSWORD_DIGIT},
    {"@[`{/:", PASSWORD_SPECIAL}, /* the neighbours of the letters and digits */
};

Test(credentials, password_kinds)
{
    for (size_t i = 0; i < sizeof(passwords) / sizeof(passwords[0]); i++)
        cr_expect(password_kinds(bp_str_of(passwords[i].password)) == passwords[i].kinds, "\"%s\"",
                  passwords[i].password);
}

struct body {
    bp_str email, password;
};
static const struct bp_field rows[] = {
    BP_TEXT(struct body, email, .flags = BP_REQUIRED | BP_LOWER, .check = email_check),
    BP_TEXT(struct body, password, .flags = BP_REQUIRED | BP_SECRET, .min = 8, .max = 128, .check = password_check),
    BP_END,
};

#define NO_UPPER "Password must contain at least one uppercase letter"
#define NO_LOWER "Password must contain at least one lowercase letter"
#define NO_DIGIT "Password must contain at least one number"
#define NO_SPECIAL "Password must contain at least one special character"
#define SHORT "Password must be at least 8 characters long"
#define LONG "Password must be less than 128 characters"

static const struct {
    const char *json, *messages;
} bodies[] = {
    {"{\"email\":\"a@b.co\",\"password\":\"Passw0rd!\"}", ""},
    {"{}", "Email is required, Password is required"},
    {"{\"email\":null,\"password\":7}", "Email is required, Password is required"},
    {"{\"email\":\"\",\"password\":\"Passw0rd!\"}", "Invalid email format"},
    {"{\"email\":\"x\",\"password\":\"passw0rd!\"}", "Invalid email format, " NO_UPPER},
    {"{\"email\":\"a@b.co\",\"password\":\"PASSW0RD!\"}", NO_LOWER},
    {"{\"email\":\"a@b.co\",\"password\":\"Password!\"}", NO_DIGIT},
    {"{\"email\":\"a@b.co\",\"password\":\"Passw0rdx\"}", NO_SPECIAL},
    {"{\"email\":\"a@b.co\",\"password\":\"Pa0!\"}", SHORT},
    {"{\"email\":\"a@b.co\",\"password\":\"\"}", SHORT ", " NO_UPPER ", " NO_LOWER ", " NO_DIGIT ", " NO_SPECIAL},
};

static void expect_messages(const char *json, const char *messages)
{
    struct bp_arena *arena = arena_new();
    struct bp_problems problems;
    struct body body;
    struct buffer joined = {0};
    problems_init(&problems, arena);
    int status = schema_decode_json(rows, bp_str_of(json), arena, &body, &problems);
    for (size_t i = 0; i < problems.len; i++) {
        if (i > 0)
            buffer_add(&joined, BP_STR(", "));
        buffer_add(&joined, problems.items[i].message);
    }
    cr_expect(status == (*messages ? SCHEMA_INVALID : 0), "%s", json);
    cr_expect(bp_str_is(buffer_str(&joined), messages), "%s: %.*s", json, (int)joined.len, joined.ptr);
    buffer_deinit(&joined);
    arena_free(arena);
}

Test(credentials, messages)
{
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        expect_messages(bodies[i].json, bodies[i].messages);
}

/* Lengths are in code points: 128 of four bytes each are allowed, 129 are not. */
Test(credentials, password_length_in_code_points)
{
    struct buffer json = {0};
    for (int points = 128; points <= 129; points++) {
        json.len = 0;
        buffer_add(&json, BP_STR("{\"email\":\"a@b.co\",\"password\":\"aB3"));
        for (int i = 3; i < points; i++)
            buffer_add(&json, BP_STR("\xf0\x9f\x98\x80"));
        buffer_add(&json, bp_str_n("\"}", 3));
        expect_messages(json.ptr, points == 128 ? "" : LONG);
    }
    buffer_deinit(&json);
}
