/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "backplane/backplane.h"
#include "lines.h"

static const struct bp_field options[] = {
    BP_TEXT(struct security_headers, content_security_policy, .def = "default-src 'none'; frame-ancestors 'none'",
            .min = 1, .max = 2000, .doc = "Content-Security-Policy of every reply."),
    BP_TEXT(struct security_headers, frame_options, .def = "DENY", .min = 1, .max = 100, .doc = "X-Frame-Options."),
    BP_TEXT(struct security_headers, referrer_policy, .def = "no-referrer", .min = 1, .max = 100,
            .doc = "Referrer-Policy."),
    BP_SPAN(struct security_headers, hsts_max_age, .def = "365d", .min = 0, .max = 3650 * BP_DAY,
            .doc =
                "max-age of Strict-Transport-Security, which is sent only to clients that came by TLS; 0: never sent."),
    BP_BOOL(struct security_headers, hsts_subdomains, .def = "true", .doc = "Adds includeSubDomains to it."),
    BP_END};

static int init(struct bp_host *host, void *self)
{
    struct security_headers *s = self;
    const struct {
        const char *option;
        bp_str value;
    } texts[] = {{"content_security_policy", s->content_security_policy},
                 {"frame_options", s->frame_options},
                 {"referrer_policy", s->referrer_policy}};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (!security_headers_valid(texts[i].value))
            return bp_config_error(host, texts[i].option, "must not hold control characters");
    return security_headers_build(s) ? 0 : BP_NOMEM;
}

static void deinit(struct bp_host *host, void *self)
{
    struct security_headers *s = self;
    (void)host;
    free(s->lines);
    free(s->hsts_line);
}

static int add_headers(struct bp_request *rq, void *self, const void *stage)
{
    const struct security_headers *s = self;
    (void)stage;
    int status = bp_header_block(rq, bp_str_n(s->lines, s->lines_len));
    if (status == 0 && s->hsts_line && bp_request_secure(rq))
        status = bp_header_block(rq, bp_str_n(s->hsts_line, s->hsts_len));
    return status < 0 ? status : bp_next(rq);
}

BP_PLUGIN(.name = "security_headers", .version = "1.0.0", .doc = "Adds security header fields to every reply.",
          .self_size = sizeof(struct security_headers), .options = options, .phase = BP_PHASE_PROTECT, .init = init,
          .deinit = deinit, .middleware = add_headers);
