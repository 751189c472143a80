/* SPDX-License-Identifier: MIT */
#include "core/route/router.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define BIT(method) (1u << (method))

struct entry {
    uint32_t method;
    const char *path;
};

/* The value of a route is its path. */
static struct router *build(const struct entry *entries, size_t count)
{
    struct router *router = NULL;
    void *other = NULL;
    cr_assert_eq(router_new(&router), 0);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(router_add(router, entries[i].method, entries[i].path, (void *)(uintptr_t)entries[i].path, &other),
                     0, "%s", entries[i].path);
    return router;
}

static const struct entry routes[] = {
    {BP_GET, "/"},
    {BP_GET, "/api/v1/todos"},
    {BP_POST, "/api/v1/todos"},
    {BP_GET, "/api/v1/todos/{id}"},
    {BP_PATCH, "/api/v1/todos/{id}"},
    {BP_DELETE, "/api/v1/todos/{id}"},
    {BP_POST, "/api/v1/todos/bulk"},
    {BP_GET, "/api/v1/todos/changes"},
    {BP_GET, "/api/v1/todos/{id}/tags/{tag}"},
    {BP_GET, "/api/v1/todos/bulk/{job}/result"},
    {BP_PUT, "/api/v1/tokens/"},
    {BP_POST, "/api/v1/auth/login"},
    {BP_POST, "/api/v1/auth/logout"},
    {BP_POST, "/api/v1/auth/logout-all"},
    {BP_GET, "/health/live"},
    {BP_HEAD, "/head"},
    {BP_GET, "/both"},
    {BP_HEAD, "/both"},
    {BP_OPTIONS, "/own"},
    {BP_GET, "/{a}/x/{b}"},
    {BP_GET, "/p/{q}/{r}"},
    {BP_GET, "/8/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}"},
};

static const struct found {
    uint32_t method;
    const char *path;
    const char *value; /* NULL: none */
    uint32_t allowed;  /* when none */
    const char *params;
} finds[] = {
    {BP_GET, "/", "/", 0, ""},
    {BP_HEAD, "/", "/", 0, ""},
    {BP_GET, "/api/v1/todos", "/api/v1/todos", 0, ""},
    {BP_HEAD, "/api/v1/todos", "/api/v1/todos", 0, ""},
    {BP_GET, "/api/v1/todos/7", "/api/v1/todos/{id}", 0, "id=7;"},
    {BP_HEAD, "/api/v1/todos/7", "/api/v1/todos/{id}", 0, "id=7;"},
    {BP_PATCH, "/api/v1/todos/a b%2Fc", "/api/v1/todos/{id}", 0, "id=a b%2Fc;"},
    {BP_POST, "/api/v1/todos/bulk", "/api/v1/todos/bulk", 0, ""},
    {BP_GET, "/api/v1/auth/logout", NULL, BIT(BP_POST) | BIT(BP_OPTIONS), ""},
    {BP_POST, "/api/v1/auth/logout-all", "/api/v1/auth/logout-all", 0, ""},
    {BP_POST, "/api/v1/auth/login", "/api/v1/auth/login", 0, ""},
    /* literals win, and are left again where they lead nowhere, or lack the method */
    {BP_GET, "/api/v1/todos/changes", "/api/v1/todos/changes", 0, ""},
    {BP_GET, "/api/v1/todos/change", "/api/v1/todos/{id}", 0, "id=change;"},
    {BP_GET, "/api/v1/todos/changesx", "/api/v1/todos/{id}", 0, "id=changesx;"},
    {BP_GET, "/api/v1/todos/changes/tags/t", "/api/v1/todos/{id}/tags/{tag}", 0, "id=changes;tag=t;"},
    {BP_GET, "/api/v1/todos/bulk", "/api/v1/todos/{id}", 0, "id=bulk;"},
    {BP_GET, "/api/v1/todos/bulk/7/result", "/api/v1/todos/bulk/{job}/result", 0, "job=7;"},
    {BP_GET, "/api/v1/todos/bulk/tags/result", "/api/v1/todos/bulk/{job}/result", 0, "job=tags;"},
    {BP_GET, "/api/v1/todos/bulk/tags/results", "/api/v1/todos/{id}/tags/{tag}", 0, "id=bulk;tag=results;"},
    {BP_GET, "/p/x/y", "/p/{q}/{r}", 0, "q=x;r=y;"},
    {BP_GET, "/q/x/y", "/{a}/x/{b}", 0, "a=q;b=y;"},
    {BP_GET, "/8/1/2/3/4/5/6/7/8", "/8/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}", 0, "a=1;b=2;c=3;d=4;e=5;f=6;g=7;h=8;"},
    /* HEAD and OPTIONS of their own */
    {BP_HEAD, "/head", "/head", 0, ""},
    {BP_GET, "/head", NULL, BIT(BP_HEAD) | BIT(BP_OPTIONS), ""},
    {BP_HEAD, "/both", "/both", 0, ""},
    {BP_OPTIONS, "/own", "/own", 0, ""},
    {BP_GET, "/own", NULL, BIT(BP_OPTIONS), ""},
    /* 405 */
    {BP_POST, "/", NULL, BIT(BP_GET) | BIT(BP_HEAD) | BIT(BP_OPTIONS), ""},
    {BP_OPTIONS, "/", NULL, BIT(BP_GET) | BIT(BP_HEAD) | BIT(BP_OPTIONS), ""},
    {BP_PUT, "/api/v1/todos", NULL, BIT(BP_GET) | BIT(BP_HEAD) | BIT(BP_POST) | BIT(BP_OPTIONS), ""},
    {BP_DELETE, "/api/v1/todos", NULL, BIT(BP_GET) | BIT(BP_HEAD) | BIT(BP_POST) | BIT(BP_OPTIONS), ""},
    {BP_HEAD, "/api/v1/auth/login", NULL, BIT(BP_POST) | BIT(BP_OPTIONS), ""},
    {BP_PUT, "/api/v1/todos/7", NULL, BIT(BP_GET) | BIT(BP_HEAD) | BIT(BP_PATCH) | BIT(BP_DELETE) | BIT(BP_OPTIONS),
     ""},
    {BP_PUT, "/api/v1/todos/bulk", NULL,
     BIT(BP_GET) | BIT(BP_HEAD) | BIT(BP_POST) | BIT(BP_PATCH) | BIT(BP_DELETE) | BIT(BP_OPTIONS), ""},
    {0, "/api/v1/auth/login", NULL, BIT(BP_POST) | BIT(BP_OPTIONS), ""},
    {31, "/api/v1/auth/login", NULL, BIT(BP_POST) | BIT(BP_OPTIONS), ""},
    /* 404 */
    {BP_GET, "", NULL, 0, ""},
    {BP_GET, "*", NULL, 0, ""},
    {BP_GET, "/api", NULL, 0, ""},
    {BP_GET, "/api/v1/todo", NULL, 0, ""},
    {BP_GET, "/api/v1/to", NULL, 0, ""},
    {BP_GET, "/api/v1/todos/", NULL, 0, ""},
    {BP_GET, "/api/v1/todos/7/", NULL, 0, ""},
    {BP_GET, "/api/v1/todos/7/tags", NULL, 0, ""},
    {BP_GET, "/api/v1/todos/7/tags/", NULL, 0, ""},
    {BP_GET, "/API/v1/todos", NULL, 0, ""},
    {BP_PUT, "/api/v1/tokens", NULL, 0, ""},
    {BP_GET, "/health/live/x", NULL, 0, ""},
    {BP_GET, "/api/v1/todos/{id}/x", NULL, 0, ""},
};

static void expect_params(const struct router_match *match, const struct found *want)
{
    char text[256] = "";
    size_t len = 0;
    for (uint32_t i = 0; i < match->param_count; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%" BP_STR_FMT "=%" BP_STR_FMT ";",
                                BP_STR_ARG(match->names[i]), BP_STR_ARG(match->params[i]));
        cr_expect(match->params[i].ptr >= want->path && match->params[i].ptr < want->path + strlen(want->path));
    }
    cr_expect_str_eq(text, want->params, "\"%s\", not \"%s\", for %s", text, want->params, want->path);
}

static void expect_finds(const struct router *router)
{
    for (size_t i = 0; i < sizeof finds / sizeof *finds; i++) {
        const struct found *want = &finds[i];
        struct router_match match;
        bool found = router_find(router, want->method, bp_str_of(want->path), &match);
        cr_expect_eq(found, want->value != NULL, "%u %s", want->method, want->path);
        cr_expect_eq(found, match.value != NULL);
        if (found && want->value)
            cr_expect_str_eq(match.value, want->value, "%s, not %s, for %s", (const char *)match.value, want->value,
                             want->path);
        if (!found)
            cr_expect_eq(match.allowed, want->allowed, "%#x, not %#x, for %s", match.allowed, want->allowed,
                         want->path);
        expect_params(&match, want);
    }
}

#define ROUTES (sizeof routes / sizeof *routes)

Test(router, find)
{
    struct router *router = build(routes, ROUTES);
    expect_finds(router);
    router_free(router);
}

/* The order in which routes are added changes nothing. */
Test(router, find_whatever_the_order)
{
    for (size_t shift = 1; shift < ROUTES; shift++) {
        struct entry turned[ROUTES];
        for (size_t i = 0; i < ROUTES; i++)
            turned[i] = routes[(ROUTES - 1 - i + shift) % ROUTES];
        struct router *router = build(turned, ROUTES);
        expect_finds(router);
        router_free(router);
    }
}

static const char *const malformed[] = {
    "",
    "a",
    "a/b",
    "{a}",
    "/{}",
    "/{a",
    "/a}",
    "/a{b}",
    "/{a}b",
    "/{a}{b}",
    "/{{a}}",
    "/{a{b}",
    "/}",
    "/{",
    "/{a/b}",
    "//",
    "/a//b",
    "//a",
    "/.",
    "/..",
    "/a/./b",
    "/a/../b",
    "/{a}/{a}",
    "/{a}/b/{c}/{a}",
    "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}",
};

Test(router, malformed)
{
    struct router *router = NULL;
    struct router_match match;
    void *other = NULL;
    cr_assert_eq(router_new(&router), 0);
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        cr_expect_eq(router_add(router, BP_GET, malformed[i], &match, &other), ROUTER_MALFORMED, "%s", malformed[i]);
    cr_expect_not(router_find(router, BP_GET, BP_STR("/a"), &match));
    cr_expect_eq(match.allowed, 0);
    router_free(router);
}

static const struct conflict {
    uint32_t method;
    const char *path;
    int condition;
    const char *other;
} conflicts[] = {
    {BP_GET, "/", ROUTER_DUPLICATE, "/"},
    {BP_GET, "/api/v1/todos", ROUTER_DUPLICATE, "/api/v1/todos"},
    {BP_PUT, "/api/v1/todos", 0, NULL},
    {BP_GET, "/api/v1/todo", 0, NULL},
    {BP_GET, "/api/v1/todos/{id}", ROUTER_DUPLICATE, "/api/v1/todos/{id}"},
    {BP_GET, "/api/v1/todos/{other}", ROUTER_DUPLICATE, "/api/v1/todos/{id}"},
    {BP_PUT, "/api/v1/todos/{id}", 0, NULL},
    {BP_POST, "/api/v1/todos/{other}", ROUTER_AMBIGUOUS, "/api/v1/todos/{id}"},
    {BP_GET, "/api/v1/todos/{other}/new", ROUTER_AMBIGUOUS, "/api/v1/todos/{id}"},
    {BP_GET, "/api/v1/todos/{other}/tags/{tag}", ROUTER_DUPLICATE, "/api/v1/todos/{id}/tags/{tag}"},
    {BP_GET, "/api/v1/todos/{id}/tags/{name}", ROUTER_DUPLICATE, "/api/v1/todos/{id}/tags/{tag}"},
    {BP_GET, "/api/v1/todos/{id}/tags/{name}/x", ROUTER_AMBIGUOUS, "/api/v1/todos/{id}/tags/{tag}"},
    {BP_GET, "/p/{q}/{x}/y", ROUTER_AMBIGUOUS, "/p/{q}/{r}"},
    {BP_GET, "/{b}/x", ROUTER_AMBIGUOUS, "/{a}/x/{b}"},
    {BP_GET, "/{a}/x", 0, NULL},
    {BP_GET, "/p/{q}/literal", 0, NULL},
};

Test(router, conflicts)
{
    for (size_t i = 0; i < sizeof conflicts / sizeof *conflicts; i++) {
        const struct conflict *want = &conflicts[i];
        struct router *router = build(routes, ROUTES);
        void *other = NULL;
        cr_expect_eq(router_add(router, want->method, want->path, (void *)(uintptr_t)want->path, &other),
                     want->condition, "%s", want->path);
        if (want->other)
            cr_expect(other && strcmp(other, want->other) == 0, "%s clashes with %s", want->path, (const char *)other);
        else
            cr_expect_null(other);
        if (want->condition != 0)
            expect_finds(router);
        router_free(router);
    }
}

Test(router, free_accepts_null)
{
    cr_expect_null(router_free(NULL));
}
