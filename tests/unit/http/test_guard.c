/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>

#include "core/http/guard.h"

static const struct {
    const char *route_role, *route_scope, *role, *scopes; /* role NULL: nobody */
    bool admitted;
} cases[] = {
    {NULL, NULL, NULL, "", true},
    {NULL, "todos:read", NULL, "", true},
    {"user", NULL, NULL, "", false},
    {"admin", NULL, NULL, "", false},
    {"user", NULL, "user", "", true},
    {"user", NULL, "admin", "", true},
    {"admin", NULL, "user", "", false},
    {"admin", NULL, "", "", false},
    {"admin", NULL, "admin2", "", false},
    {"admin", NULL, "admin", "", true},
    {"editor", NULL, "user", "", false},
    {"editor", NULL, "editor", "", true},
    {"editor", NULL, "admin", "", true},
    /* Scopes: none are no limit; a limit is kept where a route knows of no scope. */
    {NULL, "todos:read", "user", "", true},
    {NULL, NULL, "user", "todos:read", false},
    {NULL, "todos:read", "user", "todos:read", true},
    {NULL, "todos:write", "user", "todos:read", false},
    {NULL, "todos:write", "user", "todos:read todos:write", true},
    {NULL, "todos:read", "user", "todos:read todos:write", true},
    {NULL, "todos:read", "user", "todos:readx", false},
    {NULL, "todos:read", "user", "xtodos:read", false},
    {NULL, "todos:read", "user", "todos:rea todos: todos", false},
    {NULL, "todos:read", "user", "  todos:read  ", true},
    {NULL, "todos:read", "user", " ", false},
    {"admin", "users:read", "user", "users:read", false},
    {"admin", "users:read", "admin", "users:read", true},
    {"admin", "users:read", "admin", "todos:read", false},
};

Test(guard, table)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bp_route route = {.role = cases[i].route_role, .scope = cases[i].route_scope};
        struct bp_identity identity = {.role = bp_str_of(cases[i].role), .scopes = bp_str_of(cases[i].scopes)};
        cr_expect_eq(guard_admits(&route, cases[i].role ? &identity : NULL), cases[i].admitted, "case %zu", i);
    }
}
