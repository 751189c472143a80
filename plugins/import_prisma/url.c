/* SPDX-License-Identifier: MIT */
#include "url.h"

#include <stdio.h>
#include <string.h>

/* https://www.prisma.io/docs/orm/overview/databases/postgresql#arguments; what both know (sslmode, connect_timeout) stays. */
static const char *const prismas[] = {"schema",    "connection_limit", "pool_timeout",
                                      "pgbouncer", "socket_timeout",   "statement_cache_size",
                                      "sslaccept", "sslidentity",      "sslpassword"};

static bool is_prismas(const char *parameter, size_t len)
{
    for (size_t i = 0; i < sizeof(prismas) / sizeof(prismas[0]); i++)
        if (strlen(prismas[i]) == len && memcmp(prismas[i], parameter, len) == 0)
            return true;
    return false;
}

bool url_for_libpq(const char *url, char ret_url[URL_SIZE], char ret_schema[SCHEMA_SIZE])
{
    const char *query = strchr(url, '?');
    size_t len = query ? (size_t)(query - url) : strlen(url);
    char separator = '?';
    ret_schema[0] = '\0';
    if (strlen(url) >= URL_SIZE)
        return false;
    memcpy(ret_url, url, len);
    for (const char *next = query; next && *next;) {
        const char *parameter = next + 1;
        size_t size = strcspn(parameter, "&"), name = strcspn(parameter, "=&");
        next = parameter + size;
        if (!is_prismas(parameter, name)) {
            ret_url[len++] = separator;
            memcpy(ret_url + len, parameter, size);
            len += size;
            separator = '&';
        } else if (strncmp(parameter, "schema=", 7) == 0) {
            if (size - 7 >= SCHEMA_SIZE)
                return false;
            memcpy(ret_schema, parameter + 7, size - 7);
            ret_schema[size - 7] = '\0';
        }
    }
    ret_url[len] = '\0';
    return true;
}
