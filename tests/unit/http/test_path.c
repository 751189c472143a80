/* SPDX-License-Identifier: MIT */
#include "tests/unit/http/limits.h"

#include <criterion/criterion.h>

static const struct pair {
    const char *in, *out; /* NULL: refused */
} paths[] = {
    {"/", "/"},
    {"/a", "/a"},
    {"/api/v1/todos", "/api/v1/todos"},
    {"/a/", "/a/"},
    {"//", "/"},
    {"//a///b//", "/a/b/"},
    {"/a/./b", "/a/b"},
    {"/./a", "/a"},
    {"/a/.", "/a/"},
    {"/a/./", "/a/"},
    {"/.", "/"},
    {"/a/..", "/"},
    {"/a/../", "/"},
    {"/a/b/../c", "/a/c"},
    {"/a/b/..", "/a/"},
    {"/a/b/../../c", "/c"},
    {"/a//../b", "/b"},
    {"/a/.//..//b", "/b"},
    {"/a/...", "/a/..."},
    {"/a/.b", "/a/.b"},
    {"/a/..b/c..", "/a/..b/c.."},
    {"/..", NULL},
    {"/../a", NULL},
    {"/a/../..", NULL},
    {"/a/../../b", NULL},
    {"/%2e", "/"},
    {"/a/%2E%2e/b", "/b"},
    {"/a/.%2e/b", "/b"},
    {"/%2e%2e/a", NULL},
    {"/%2E./a", NULL},
    {"/%61%5A%7e", "/aZ~"},
    {"/a%20b", "/a b"},
    {"/%c3%a9", "/\xc3\xa9"},
    {"/%0a%7f%ff", "/\n\x7f\xff"},
    {"/a+b", "/a+b"},
    {"/a%2fb", "/a%2Fb"},
    {"/a%2Fb", "/a%2Fb"},
    {"/..%2F..", "/..%2F.."},
    {"/%252e", "/%2e"},
    {"/%2525", "/%25"},
    {"/%00", NULL},
    {"/a%00b", NULL},
    {"/%", NULL},
    {"/%4", NULL},
    {"/%4/", NULL},
    {"/%g0", NULL},
    {"/%0g", NULL},
    {"/%%30", NULL},
    {"/%-1", NULL},
    {"", NULL},
    {"*", NULL},
    {"a/b", NULL},
};

Test(path, normalize)
{
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        size_t in_len = strlen(paths[i].in), len = 0;
        char *in = exact_copy(paths[i].in, in_len);
        char *out = exact_copy(paths[i].in, in_len);
        bool fine = parser_normalize_path(bp_str_n(in, in_len), out, &len);
        cr_expect_eq(fine, paths[i].out != NULL, "%s", paths[i].in);
        if (fine && paths[i].out)
            cr_expect(bp_str_is(bp_str_n(out, len), paths[i].out), "\"%.*s\", not \"%s\", for \"%s\"", (int)len, out,
                      paths[i].out, paths[i].in);
        free(in);
        free(out);
    }
}

/* The result of a normalised path without escapes is itself. */
Test(path, normalize_twice)
{
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char again[64];
        size_t len = 0;
        if (!paths[i].out || strchr(paths[i].out, '%'))
            continue;
        cr_expect(parser_normalize_path(bp_str_of(paths[i].out), again, &len), "%s", paths[i].out);
        cr_expect(bp_str_is(bp_str_n(again, len), paths[i].out), "%s", paths[i].out);
    }
}

static const struct decoded {
    const char *in;
    bool form;
    const char *out;
    size_t len;
} decodings[] = {
    {"", false, "", 0},         {"abc", false, "abc", 3},  {"a+b", false, "a+b", 3},
    {"a+b", true, "a b", 3},    {"a%2Bb", true, "a+b", 3}, {"%00", false, "\0", 1},
    {"%2f%2F", false, "//", 2}, {"%41%5a", true, "AZ", 2}, {"%c3%A9", true, "\xc3\xa9", 2},
    {"%2541", true, "%41", 3},  {"%", true, NULL, 0},      {"a%f", true, NULL, 0},
    {"a%fg", true, NULL, 0},    {"%+1", true, NULL, 0},
};

Test(path, percent_decode)
{
    for (size_t i = 0; i < sizeof decodings / sizeof *decodings; i++) {
        const struct decoded *want = &decodings[i];
        size_t in_len = strlen(want->in), len = 0;
        char *in = exact_copy(want->in, in_len), *out = exact_copy(want->in, in_len);
        bool fine = parser_percent_decode(bp_str_n(in, in_len), want->form, out, &len);
        cr_expect_eq(fine, want->out != NULL, "%s", want->in);
        if (fine && want->out)
            cr_expect(len == want->len && memcmp(out, want->out, len) == 0, "%s", want->in);
        free(in);
        free(out);
    }
}
