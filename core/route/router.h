/* SPDX-License-Identifier: MIT */
/* A radix tree from method and normalised path to a value. Built once, then read only. Knows nothing of requests. */
#ifndef CORE_ROUTE_ROUTER_H
#define CORE_ROUTE_ROUTER_H

#include "backplane/request.h"

#define ROUTER_PARAMS 8

struct router;
int router_new(struct router **ret_router);
struct router *router_free(struct router *router);

enum router_condition {
    ROUTER_DUPLICATE =
        1, /* the same method and path (parameters match whatever their name): *ret_other is the value there */
    ROUTER_MALFORMED, /* no leading slash, empty or repeated parameter name, more than ROUTER_PARAMS, "{" inside a segment, or an empty
                         or dot segment, which no normalised path has */
    ROUTER_AMBIGUOUS /* another parameter name at the same place of the same prefix: *ret_other is the value of a route there */
};
/* Borrows path (lives as long as the router). A literal segment wins over a parameter at the same place, with backtracking: the most literal
 * path that has the method is found. Returns 0, a condition above (nothing was added), or BP_NOMEM. */
int router_add(struct router *router, uint32_t method, const char *path, void *value, void **ret_other);

struct router_match {
    void *value; /* NULL: no route; see allowed */
    uint32_t
        allowed; /* without a value: bit (1 << method) of every method that the path has (HEAD with GET, OPTIONS always); 0: no such path */
    uint32_t param_count;
    bp_str names[ROUTER_PARAMS];
    bp_str params[ROUTER_PARAMS]; /* slices of path */
};
/* HEAD finds the value of GET. True when the value was found. */
bool router_find(const struct router *router, uint32_t method, bp_str path, struct router_match *ret_match);

#endif
