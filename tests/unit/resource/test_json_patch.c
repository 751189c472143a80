/* SPDX-License-Identifier: MIT */
/* RFC 6902, its appendix A, and what must not be done to a server. */
#include <criterion/criterion.h>

#include "core/resource/json_patch.h"

static const struct {
    const char *document, *patch, *result; /* result NULL: refused */
    int condition;
    const char *why;
} cases[] = {
    {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]", "{\"foo\":\"bar\",\"baz\":\"qux\"}",
     0, ""},
    {"{\"foo\":[1,2]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":9}]", "{\"foo\":[1,9,2]}", 0, ""},
    {"{\"foo\":[1]}", "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[2]}]", "{\"foo\":[1,[2]]}", 0, ""},
    {"{\"a\":1,\"b\":2}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", "{\"b\":2}", 0, ""},
    {"{\"a\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/a/1\"}]", "{\"a\":[1,3]}", 0, ""},
    {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":null}]", "{\"a\":null}", 0, ""},
    {"{\"a\":{\"b\":1},\"c\":{}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/c/d\"}]",
     "{\"a\":{},\"c\":{\"d\":1}}", 0, ""},
    {"{\"a\":[1,2,3]}", "[{\"op\":\"move\",\"from\":\"/a/0\",\"path\":\"/a/2\"}]", "{\"a\":[2,3,1]}", 0, ""},
    {"{\"a\":{\"b\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/c\"}]", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}", 0,
     ""},
    {"{\"a/b\":1,\"m~n\":2}",
     "[{\"op\":\"test\",\"path\":\"/a~1b\",\"value\":1.0},{\"op\":\"remove\",\"path\":\"/m~0n\"}]", "{\"a/b\":1}", 0,
     ""},
    {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":{\"b\":2}}]", "{\"b\":2}", 0, ""},
    {"{\"a\":1}", "[]", "{\"a\":1}", 0, ""},
    {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"1\"}]", NULL, JSON_PATCH_TEST,
     "the value is another one"},
    {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/b\",\"value\":1}]", NULL, JSON_PATCH_TEST, "the path does not exist"},
    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/b\"}]", NULL, JSON_PATCH_FAILED, "the path does not exist"},
    {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":1}]", NULL, JSON_PATCH_FAILED,
     "the path does not exist"},
    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b/c\",\"value\":1}]", NULL, JSON_PATCH_FAILED,
     "the path does not exist"},
    {"{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/2\",\"value\":1}]", NULL, JSON_PATCH_FAILED,
     "the path has no such array index"},
    {"{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/01\",\"value\":1}]", NULL, JSON_PATCH_FAILED,
     "the path has no such array index"},
    {"{\"a\":[1]}", "[{\"op\":\"remove\",\"path\":\"/a/-\"}]", NULL, JSON_PATCH_FAILED, "the path does not exist"},
    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a/b\",\"value\":1}]", NULL, JSON_PATCH_FAILED,
     "the path leads through a value that is no object or array"},
    {"{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", NULL, JSON_PATCH_FAILED,
     "a value cannot be moved into itself"},
    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"\"}]", NULL, JSON_PATCH_FAILED,
     "the whole document cannot be removed"},
    {"{\"a\":1}", "[{\"op\":\"spam\",\"path\":\"/a\"}]", NULL, JSON_PATCH_MALFORMED,
     "\"op\" is one of add, remove, replace, move, copy, test"},
    {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\"}]", NULL, JSON_PATCH_MALFORMED, "\"value\" is missing"},
    {"{\"a\":1}", "[{\"op\":\"copy\",\"path\":\"/a\"}]", NULL, JSON_PATCH_MALFORMED, "\"from\" is missing"},
    {"{\"a\":1}", "[{\"path\":\"/a\"}]", NULL, JSON_PATCH_MALFORMED,
     "an operation is an object with \"op\" and \"path\""},
    {"{\"a\":1}", "[7]", NULL, JSON_PATCH_MALFORMED, "an operation is an object with \"op\" and \"path\""},
    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"a\"}]", NULL, JSON_PATCH_MALFORMED,
     "a path must be empty or begin with a slash"},
    {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/~2\"}]", NULL, JSON_PATCH_FAILED,
     "the path is too deep, too long or malformed"},
    {"{\"a\":1}", "{}", NULL, JSON_PATCH_MALFORMED, "it must be an array of at most 100 operations"},
};

Test(json_patch, operations)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        json_t *document = json_loads(cases[i].document, 0, NULL), *before = json_deep_copy(document);
        json_t *patch = json_loads(cases[i].patch, 0, NULL);
        json_t *expected = cases[i].result ? json_loads(cases[i].result, 0, NULL) : json_incref(before);
        const char *why;
        size_t operation;
        cr_assert(document && patch && expected, "case %zu", i);
        cr_expect_eq(json_patch_apply(&document, patch, &operation, &why), cases[i].condition, "%s", cases[i].patch);
        cr_expect_str_eq(why, cases[i].why, "%s: %s", cases[i].patch, why);
        cr_expect(json_equal(document, expected), "%s", cases[i].patch);
        json_decref(document);
        json_decref(before);
        json_decref(patch);
        json_decref(expected);
    }
}

/* Copies of copies double the document: 2^99 without a bound. */
Test(json_patch, bomb)
{
    json_t *document = json_loads("{\"a\":{}}", 0, NULL), *patch = json_array();
    const char *why;
    size_t operation;
    for (int i = 0; i < 100; i++)
        json_array_append_new(patch,
                              json_pack("{s:s,s:s,s:s}", "op", "copy", "from", "/a", "path", i % 2 ? "/a/x" : "/a/y"));
    cr_expect_eq(json_patch_apply(&document, patch, &operation, &why), JSON_PATCH_FAILED);
    cr_expect_str_eq(why, "the result is too large");
    cr_expect(operation < 40);
    json_array_append_new(patch, json_null());
    cr_expect_eq(json_patch_apply(&document, patch, &operation, &why), JSON_PATCH_MALFORMED);
    json_decref(document);
    json_decref(patch);
}
