/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include <stdio.h>

bool security_headers_valid(bp_str value)
{
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < 0x20 || value.ptr[i] == 0x7f)
            return false;
    return true;
}

bool security_headers_build(struct security_headers *self)
{
    int len = asprintf(&self->lines,
                       "X-Content-Type-Options: nosniff\r\n"
                       "X-Frame-Options: %" BP_STR_FMT "\r\n"
                       "Referrer-Policy: %" BP_STR_FMT "\r\n"
                       "Content-Security-Policy: %" BP_STR_FMT "\r\n"
                       "Cross-Origin-Resource-Policy: same-origin\r\n"
                       "Cross-Origin-Opener-Policy: same-origin\r\n"
                       "X-DNS-Prefetch-Control: off\r\n"
                       "X-Permitted-Cross-Domain-Policies: none\r\n",
                       BP_STR_ARG(self->frame_options), BP_STR_ARG(self->referrer_policy),
                       BP_STR_ARG(self->content_security_policy));
    if (len < 0) {
        self->lines = NULL;
        return false;
    }
    self->lines_len = (size_t)len;
    if (self->hsts_max_age == 0)
        return true;
    len = asprintf(&self->hsts_line, "Strict-Transport-Security: max-age=%lld%s\r\n",
                   (long long)(self->hsts_max_age / BP_SECOND), self->hsts_subdomains ? "; includeSubDomains" : "");
    if (len < 0) {
        self->hsts_line = NULL;
        return false;
    }
    self->hsts_len = (size_t)len;
    return true;
}
