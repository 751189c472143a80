/* SPDX-License-Identifier: MIT */
/*
 * Lines "<method digit><path>": those before the first empty line are added, those after it looked for. The tree must find what comparing
 * with every route, segment by segment, finds.
 */
#include "core/route/router.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition) \
    do {                   \
        if (!(condition))  \
            abort();       \
    } while (0)

#define ROUTES_MAX 48
#define METHODS (BP_OPTIONS + 1)

struct route {
    uint32_t method;
    char *path;
};

static bool take_segment(bp_str *path, bp_str *ret_segment)
{
    if (path->len == 0)
        return false;
    const char *slash = memchr(path->ptr + 1, '/', path->len - 1);
    size_t len = slash ? (size_t)(slash - path->ptr) : path->len;
    *ret_segment = bp_str_n(path->ptr + 1, len - 1);
    *path = bp_str_n(path->ptr + len, path->len - len);
    return true;
}

/* path begins with a slash, as does the route. */
static bool matches(bp_str route, bp_str path)
{
    bp_str want, got;
    while (take_segment(&route, &want)) {
        if (!take_segment(&path, &got))
            return false;
        bool parameter = want.len > 0 && want.ptr[0] == '{';
        if (parameter ? got.len == 0 : !bp_str_eq(want, got))
            return false;
    }
    return path.len == 0;
}

static bool has_value(uint32_t route_method, uint32_t method)
{
    return route_method == method || (route_method == BP_GET && method == BP_HEAD);
}

static void require_find(const struct router *router, const struct route *routes, size_t count, uint32_t method,
                         bp_str path)
{
    struct router_match match;
    bool found = router_find(router, method, path, &match), expected = false;
    uint32_t allowed = 0;
    if (path.len == 0 || path.ptr[0] != '/') {
        REQUIRE(!found && match.allowed == 0);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (!matches(bp_str_of(routes[i].path), path))
            continue;
        allowed |= 1u << routes[i].method | 1u << BP_OPTIONS | (routes[i].method == BP_GET ? 1u << BP_HEAD : 0);
        expected |= has_value(routes[i].method, method);
    }
    REQUIRE(found == expected && found == (match.value != NULL));
    REQUIRE(found || match.allowed == allowed);
    REQUIRE(match.param_count <= ROUTER_PARAMS && (found || match.param_count == 0));
    for (uint32_t i = 0; i < match.param_count; i++)
        REQUIRE(match.params[i].len > 0 && match.params[i].ptr > path.ptr &&
                match.params[i].ptr + match.params[i].len <= path.ptr + path.len);
    if (found) {
        const struct route *route = match.value;
        REQUIRE(has_value(route->method, method) && matches(bp_str_of(route->path), path));
    }
}

static void add(struct router *router, struct route *routes, size_t *count, uint32_t method, bp_str path)
{
    struct route *route = &routes[*count];
    void *other = NULL;
    route->method = method == 0 ? BP_GET : method;
    route->path = strndup(path.ptr, path.len);
    REQUIRE(route->path);
    int status = router_add(router, route->method, route->path, route, &other);
    REQUIRE(status >= 0 && status <= ROUTER_AMBIGUOUS);
    if (status == 0) {
        ++*count;
        return;
    }
    if (status == ROUTER_DUPLICATE)
        REQUIRE(other && ((const struct route *)other)->method == route->method);
    if (status == ROUTER_AMBIGUOUS)
        REQUIRE(other);
    free(route->path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct route routes[ROUTES_MAX];
    struct router *router = NULL;
    size_t count = 0;
    bool adding = true;
    bp_str rest = {(const char *)data, size};
    REQUIRE(router_new(&router) == 0);
    while (rest.len > 0) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        bp_str line = bp_str_n(rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len);
        rest = bp_str_n(rest.ptr + line.len + (end ? 1 : 0), rest.len - line.len - (end ? 1 : 0));
        if (line.len == 0) {
            adding = false;
            continue;
        }
        uint32_t method = (uint32_t)(unsigned char)line.ptr[0] % METHODS;
        bp_str path = bp_str_n(line.ptr + 1, line.len - 1);
        if (!adding)
            require_find(router, routes, count, method, path);
        else if (count < ROUTES_MAX)
            add(router, routes, &count, method, path);
    }
    for (size_t i = 0; i < count; i++)
        require_find(router, routes, count, routes[i].method, bp_str_of(routes[i].path));
    router_free(router);
    for (size_t i = 0; i < count; i++)
        free(routes[i].path);
    return 0;
}
