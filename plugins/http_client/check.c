/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <curl/curl.h>

#include "backplane/status.h"

#define METHOD_MAX 32u

/* RFC 9110 5.6.2 */
static bool is_token(bp_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c != '\0' && strchr("!#$%&'*+-.^_`|~", c))))
            return false;
    }
    return text.len > 0;
}

/* RFC 9110 5.5; a line end would begin another field. */
static bool is_value(bp_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\t') || text.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool is_ours(bp_str name)
{
    static const char *const names[] = {"connection", "content-length", "expect", "host", "transfer-encoding"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (bp_str_eq_nocase(name, bp_str_of(names[i])))
            return true;
    return false;
}

bool check_request(const struct bp_http_request *request)
{
    bp_str method = request->method;
    if (method.len > 0 && (!is_token(method) || method.len > METHOD_MAX || bp_str_is(method, "CONNECT")))
        return false;
    if (request->redirects > 0 && method.len > 0 && !bp_str_is(method, "GET") && !bp_str_is(method, "HEAD"))
        return false;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct bp_http_header *header = &request->headers[i];
        if (!is_token(header->name) || !is_value(header->value) || is_ours(header->name))
            return false;
    }
    return true;
}

static const char *scheme_problem(const char *scheme, uint32_t flags)
{
    bool tls = strcmp(scheme, "https") == 0;
    if (!tls && strcmp(scheme, "http") != 0)
        return "the URL must begin with https:// or http://";
    return !tls && (flags & BP_HTTP_TLS_ONLY) ? "the URL must begin with https://" : NULL;
}

int check_url(const struct bp_http_request *request, struct bp_arena *arena, bp_str *ret_url, bp_str *ret_host,
              bp_str *ret_why)
{
    char *scheme = NULL, *host = NULL;
    const char *problem = "the URL is malformed";
    int status = BP_HTTP_E_URL;
    bp_str url = bp_arena_copy(arena, request->url);
    CURLU *parsed = url.ptr ? curl_url() : NULL;
    if (!parsed)
        return BP_NOMEM;
    if (!memchr(url.ptr, '\0', url.len) &&
        curl_url_set(parsed, CURLUPART_URL, url.ptr, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        problem = scheme_problem(scheme, request->flags);
        *ret_host = bp_arena_copy(arena, bp_str_of(host));
        status = !ret_host->ptr ? BP_NOMEM : problem ? BP_HTTP_E_URL : 0;
    }
    if (problem)
        *ret_why = bp_str_of(problem);
    *ret_url = url;
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(parsed);
    return status;
}
