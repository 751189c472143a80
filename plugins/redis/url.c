/* SPDX-License-Identifier: MIT */
#include "url.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PORT 6379u
#define DATABASE_MAX 1000000u

static const struct {
    const char *name;
    bool tls, local;
} schemes[] = {{"redis", false, false},     {"rediss", true, false},       {"unix", false, true},
               {"redis+unix", false, true}, {"redis-socket", false, true}, {"redis+socket", false, true}};

static bool fail(char error[URL_ERROR], const char *message)
{
    snprintf(error, URL_ERROR, "%s", message);
    return false;
}

/* Takes what stands before the separator off the text; all of it when there is none. True when there was one. */
static bool cut(bp_str *text, char separator, bp_str *ret_before)
{
    const char *found = text->len ? memchr(text->ptr, separator, text->len) : NULL;
    size_t len = found ? (size_t)(found - text->ptr) : text->len;
    *ret_before = bp_str_n(text->ptr, len);
    *text = found ? bp_str_n(found + 1, text->len - len - 1) : bp_str_n(text->ptr + len, 0);
    return found != NULL;
}

static int hexadecimal(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes into a NUL-terminated text. */
static bool decode(bp_str text, const char *what, char *out, size_t size, char error[URL_ERROR])
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int c = (unsigned char)text.ptr[i];
        if (c == '%') {
            int high = text.len - i > 2 ? hexadecimal(text.ptr[i + 1]) : -1;
            int low = text.len - i > 2 ? hexadecimal(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) {
                snprintf(error, URL_ERROR, "has a %% in the %s that is not followed by two hexadecimal digits", what);
                return false;
            }
            c = high * 16 + low;
            i += 2;
        }
        if (c == '\0' || len + 1 >= size) {
            snprintf(error, URL_ERROR, c == '\0' ? "has a NUL in the %s" : "has too long a %s", what);
            return false;
        }
        out[len++] = (char)c;
    }
    out[len] = '\0';
    return true;
}

static bool parse_user(bp_str text, struct redis_endpoint *endpoint, char error[URL_ERROR])
{
    bp_str user;
    if (!cut(&text, ':', &user))
        return fail(error, "has a user and no password: write redis://user:password@host, or redis://:password@host");
    if (text.len == 0)
        return fail(error, "has an empty password");
    endpoint->has_user = user.len > 0;
    endpoint->has_password = true;
    return decode(user, "user", endpoint->user, sizeof(endpoint->user), error) &&
           decode(text, "password", endpoint->password, sizeof(endpoint->password), error);
}

static bool parse_number(bp_str text, uint64_t max, uint64_t *ret_number)
{
    return bp_str_to_u64(text, ret_number) && *ret_number <= max;
}

static bool parse_database(bp_str text, struct redis_endpoint *endpoint, char error[URL_ERROR])
{
    uint64_t number;
    if (endpoint->has_database)
        return fail(error, "names two databases");
    if (!parse_number(text, DATABASE_MAX, &number))
        return fail(error, "has a database that is not a number");
    endpoint->database = (uint32_t)number;
    endpoint->has_database = true;
    return true;
}

static bool parse_query(bp_str query, struct redis_endpoint *endpoint, char error[URL_ERROR])
{
    while (query.len > 0) {
        bp_str value, name;
        cut(&query, '&', &value);
        cut(&value, '=', &name);
        if (!bp_str_is(name, "db")) {
            snprintf(error, URL_ERROR, "has a parameter that means nothing here: %.*s (only db does)",
                     (int)(name.len < 40 ? name.len : 40), name.ptr);
            return false;
        }
        if (!parse_database(value, endpoint, error))
            return false;
    }
    return true;
}

static bool parse_host(bp_str text, struct redis_endpoint *endpoint, char error[URL_ERROR])
{
    uint64_t port = PORT;
    bp_str host;
    if (text.len > 0 && text.ptr[0] == '[') {
        text = bp_str_n(text.ptr + 1, text.len - 1);
        if (!cut(&text, ']', &host) || (text.len > 0 && text.ptr[0] != ':'))
            return fail(error, "has an address in brackets that does not end well");
        if (text.len > 0)
            text = bp_str_n(text.ptr + 1, text.len - 1);
        else
            text.ptr = NULL;
    } else if (!cut(&text, ':', &host)) {
        text.ptr = NULL;
    }
    if (host.len == 0)
        return fail(error, "has no host");
    if (text.ptr && (!parse_number(text, 65535, &port) || port == 0))
        return fail(error, "has a port that is not a number from 1 to 65535");
    endpoint->port = (uint16_t)port;
    return decode(host, "host", endpoint->host, sizeof(endpoint->host), error);
}

static bool parse_remote(bp_str rest, struct redis_endpoint *endpoint, char error[URL_ERROR])
{
    bp_str authority;
    bool path = cut(&rest, '/', &authority);
    if (!parse_host(authority, endpoint, error))
        return false;
    return !path || rest.len == 0 || parse_database(rest, endpoint, error);
}

static bool parse_local(bp_str path, struct redis_endpoint *endpoint, char error[URL_ERROR])
{
    if (path.len == 0 || path.ptr[0] != '/')
        return fail(error, "has no absolute path of a socket: write unix:///path/of/redis.sock");
    if (!decode(path, "path", endpoint->host, sizeof(endpoint->host), error))
        return false;
    if (strlen(endpoint->host) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return fail(error, "has too long a path");
    return true;
}

static bool parse_scheme(bp_str *url, struct redis_endpoint *endpoint, char error[URL_ERROR])
{
    const char *end = memmem(url->ptr, url->len, "://", 3);
    bp_str scheme = bp_str_n(url->ptr, end ? (size_t)(end - url->ptr) : 0);
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
        if (bp_str_eq_nocase(scheme, bp_str_of(schemes[i].name))) {
            endpoint->tls = schemes[i].tls;
            endpoint->local = schemes[i].local;
            *url = bp_str_n(end + 3, url->len - scheme.len - 3);
            return true;
        }
    return fail(error, "must begin with redis://, rediss:// or unix://");
}

void endpoint_rename(struct redis_endpoint *endpoint)
{
    bool v6 = strchr(endpoint->host, ':') != NULL;
    if (endpoint->local)
        snprintf(endpoint->name, sizeof(endpoint->name), "%s?db=%u", endpoint->host, endpoint->database);
    else
        snprintf(endpoint->name, sizeof(endpoint->name), "%s%s%s:%u/%u", v6 ? "[" : "", endpoint->host, v6 ? "]" : "",
                 endpoint->port, endpoint->database);
}

bool endpoint_parse(bp_str url, struct redis_endpoint *ret_endpoint, char error[URL_ERROR])
{
    struct redis_endpoint endpoint = {0};
    bp_str rest = url, before, user;
    const char *at;
    if (url.len == 0 || memchr(url.ptr, '\0', url.len) || !parse_scheme(&rest, &endpoint, error))
        return fail(error, "must begin with redis://, rediss:// or unix://");
    cut(&rest, '?', &before);
    if (!parse_query(rest, &endpoint, error))
        return false;
    /* The last @: a password may hold one that nobody encoded. */
    at = before.len ? memrchr(before.ptr, '@', before.len) : NULL;
    if (at) {
        user = bp_str_n(before.ptr, (size_t)(at - before.ptr));
        before = bp_str_n(at + 1, before.len - user.len - 1);
        if (!parse_user(user, &endpoint, error))
            return false;
    }
    if (!(endpoint.local ? parse_local : parse_remote)(before, &endpoint, error))
        return false;
    endpoint_rename(&endpoint);
    *ret_endpoint = endpoint;
    return true;
}
