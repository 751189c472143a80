/* SPDX-License-Identifier: MIT */
#include "core/http/guard.h"

static bool has_role(const char *role, const struct bp_identity *identity)
{
    return identity &&
           (strcmp(role, "user") == 0 || bp_str_is(identity->role, role) || bp_str_is(identity->role, "admin"));
}

static bool has_scope(const char *scope, bp_str scopes)
{
    size_t len = strlen(scope);
    while (scopes.len > 0) {
        const char *space = memchr(scopes.ptr, ' ', scopes.len);
        size_t name = space ? (size_t)(space - scopes.ptr) : scopes.len;
        if (name == len && memcmp(scopes.ptr, scope, len) == 0)
            return true;
        scopes = space ? bp_str_n(space + 1, scopes.len - name - 1) : bp_str_n(NULL, 0);
    }
    return false;
}

bool guard_admits(const struct bp_route *route, const struct bp_identity *identity)
{
    if (route->role && !has_role(route->role, identity))
        return false;
    if (!identity || identity->scopes.len == 0)
        return true;
    return route->scope && has_scope(route->scope, identity->scopes);
}
