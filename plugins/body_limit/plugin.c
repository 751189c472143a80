/* SPDX-License-Identifier: MIT */
/* body_limit: how large a request's body may be, by pipeline, method and route. */
#include "backplane/backplane.h"

#define S struct body_limit_stage

struct body_limit_stage {
    uint64_t max;
    struct bp_array methods, routes; /* of bp_str; none: all */
};

static void check_route(const struct bp_field *row, const void *value, struct bp_problems *problems)
{
    bp_str route = *(const bp_str *)value;
    const char *star = memchr(route.ptr, '*', route.len);
    if (route.len == 0 || route.ptr[0] != '/' || (star && star != route.ptr + route.len - 1))
        bp_problem_add(problems, row, "body_limit.route",
                       "must be a route's path (\"/api/v1/todos/{id}\") or a prefix (\"/api/v1/*\")");
}

static const struct bp_field method_rows[] = {{.name = "", .type = BP_TYPE_TEXT, .min = 1, .max = 20}, BP_END};
static const struct bp_field route_rows[] = {
    {.name = "", .type = BP_TYPE_TEXT, .min = 1, .max = 1000, .check = check_route}, BP_END};

static const struct bp_field options[] = {
    BP_SIZE(S, max, .flags = BP_STAGE | BP_REQUIRED, .min = 1, .max = INT64_C(1) << 40, .example = "64KiB",
            .doc = "The largest body that is accepted; larger ones get 413."),
    BP_ARRAY(S, methods, bp_str, method_rows, .flags = BP_STAGE, .max = 8, .example = "POST",
             .doc = "Only requests with these methods; empty: all."),
    BP_ARRAY(S, routes, bp_str, route_rows, .flags = BP_STAGE, .max = 64, .example = "/api/v1/todos/{id}",
             .doc = "Only these routes, written as they are declared, or prefixes that end in \"*\"; empty: all."),
    BP_END};

static bool has_method(const struct body_limit_stage *stage, const struct bp_request *rq)
{
    const bp_str *methods = stage->methods.ptr;
    for (size_t i = 0; i < stage->methods.len; i++)
        if (bp_str_eq(methods[i], bp_request_method_name(rq)))
            return true;
    return stage->methods.len == 0;
}

static bool has_route(const struct body_limit_stage *stage, const struct bp_request *rq)
{
    const bp_str *routes = stage->routes.ptr;
    bp_str route = bp_request_route(rq);
    for (size_t i = 0; i < stage->routes.len; i++) {
        bool prefix = routes[i].ptr[routes[i].len - 1] == '*';
        if (prefix ? bp_str_starts(route, bp_str_n(routes[i].ptr, routes[i].len - 1)) : bp_str_eq(route, routes[i]))
            return true;
    }
    return stage->routes.len == 0;
}

static int limit(struct bp_request *rq, void *self, const void *options_given)
{
    const struct body_limit_stage *stage = options_given;
    (void)self;
    if (has_method(stage, rq) && has_route(stage, rq))
        bp_set_body_limit(rq, stage->max);
    return bp_next(rq);
}

static const struct bp_answer answers[] = {
    BP_ANSWER(.status = 413, .methods = 1u << BP_POST | 1u << BP_PUT | 1u << BP_PATCH | 1u << BP_DELETE,
              .code = "http.body_too_large", .message = "Request body is larger than 65536 bytes",
              .doc = "The body is larger than this route accepts."),
    BP_ANSWER_END};

BP_PLUGIN(.name = "body_limit", .version = "1.0.0", .doc = "Limits the size of request bodies.",
          .stage_size = sizeof(struct body_limit_stage), .options = options, .phase = BP_PHASE_ANY, .answers = answers,
          .middleware = limit);
