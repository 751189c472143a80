/* SPDX-License-Identifier: MIT */
/* The stage (Fetch standard, 3.2): header fields on every reply, and the answer to a preflight. */
#include "cross_origin.h"

#include "backplane/backplane.h"
#include "origins.h"

static const bp_str any_lines = BP_STR_INIT(
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Expose-Headers: X-Request-ID, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, "
    "Retry-After, ETag, Link, Location, Idempotent-Replayed\r\n");
static const bp_str credentials_lines = BP_STR_INIT(
    "Access-Control-Allow-Credentials: true\r\n"
    "Access-Control-Expose-Headers: X-Request-ID, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, "
    "Retry-After, ETag, Link, Location, Idempotent-Replayed\r\n");
static const bp_str preflight_lines =
    BP_STR_INIT("Access-Control-Allow-Methods: GET, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
                "Access-Control-Allow-Headers: Content-Type, Authorization, X-Request-ID, X-API-Key, If-Match, "
                "If-None-Match, Idempotency-Key\r\n");

static int allow_origin(struct bp_request *rq, const struct cors *cors, bp_str origin)
{
    if (cors->any)
        return bp_header_block(rq, any_lines);
    int status = bp_header_block(rq, BP_STR("Vary: Origin\r\n"));
    if (status < 0 || !origin.ptr || !cors_allows(cors->origin, origin))
        return status;
    status = bp_header_set(rq, BP_STR("Access-Control-Allow-Origin"), origin);
    return status < 0 ? status : bp_header_block(rq, credentials_lines);
}

static int answer_preflight(struct bp_request *rq, const struct cors *cors)
{
    int status = bp_header_block(rq, preflight_lines);
    if (status == 0 && cors->max_age > 0) {
        bp_str seconds = bp_arena_printf(bp_arena(rq), "%lld", (long long)(cors->max_age / BP_SECOND));
        status = seconds.ptr ? bp_header_set(rq, BP_STR("Access-Control-Max-Age"), seconds) : BP_NOMEM;
    }
    return status < 0 ? status : bp_reply_body(rq, 204, BP_STR(""), BP_STR(""));
}

int cors_stage(struct bp_request *rq, void *self, const void *stage)
{
    const struct cors *cors = self;
    bp_str origin = bp_request_header(rq, BP_STR("origin"));
    (void)stage;
    int status = allow_origin(rq, cors, origin);
    if (status < 0)
        return status;
    if (bp_request_method(rq) == BP_OPTIONS && origin.ptr &&
        bp_request_header(rq, BP_STR("access-control-request-method")).ptr)
        return answer_preflight(rq, cors);
    return bp_next(rq);
}
