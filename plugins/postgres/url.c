/* SPDX-License-Identifier: MIT */
#include "url.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backplane/status.h"

static int refuse(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, URL_WHY, format, arguments);
    va_end(arguments);
    return BP_INVALID;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoding, in place. */
static bool unescape(char *text)
{
    char *to = text;
    for (; *text; text++, to++) {
        if (*text != '%') {
            *to = *text;
            continue;
        }
        if (hex(text[1]) < 0 || hex(text[2]) < 0 || (hex(text[1]) == 0 && hex(text[2]) == 0))
            return false;
        *to = (char)(hex(text[1]) * 16 + hex(text[2]));
        text += 2;
    }
    *to = '\0';
    return true;
}

static bool is_true(const char *value)
{
    return strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
}

static bool is_false(const char *value)
{
    return strcmp(value, "false") == 0 || strcmp(value, "0") == 0;
}

static int take_number(const char *name, const char *value, uint64_t min, uint64_t max, char *why, uint64_t *ret_number)
{
    uint64_t number;
    if (!bp_str_to_u64(bp_str_of(value), &number) || number < min || number > max)
        return refuse(why, "a URL whose %s is an integer from %llu to %llu", name, (unsigned long long)min,
                      (unsigned long long)max);
    *ret_number = number;
    return 0;
}

/* One parameter that is Prisma's and not libpq's: 0 taken, 1 not one of them. */
static int take(struct target *target, const char *name, const char *value, char *why)
{
    uint64_t number;
    int status;
    if (strcmp(name, "schema") == 0) {
        if (*value == '\0' || strlen(value) > 63 || strpbrk(value, "'\"\\"))
            return refuse(why, "a URL whose schema has 1 to 63 bytes and no quotes");
        free(target->schema);
        target->schema = strdup(value);
        return target->schema ? 0 : BP_NOMEM;
    }
    if (strcmp(name, "pgbouncer") == 0) {
        if (!is_true(value) && !is_false(value))
            return refuse(why, "a URL whose pgbouncer is true or false");
        target->pooler = is_true(value);
        return 0;
    }
    if (strcmp(name, "connection_limit") == 0) {
        status = take_number(name, value, 1, 1000, why, &number);
        if (status == 0)
            target->connection_limit = (uint32_t)number;
        return status;
    }
    if (strcmp(name, "pool_timeout") == 0 || strcmp(name, "connect_timeout") == 0) {
        status = take_number(name, value, 1, 3600, why, &number);
        if (status == 0)
            *(name[0] == 'p' ? &target->pool_timeout : &target->connect_timeout) = (bp_span)number * BP_SECOND;
        return status;
    }
    return 1;
}

/* Takes out of "a=b&c=d", in place, what take() takes; the rest stays as it was. */
static int take_parameters(struct target *target, char *query, char *why)
{
    char *kept = query, *next;
    for (char *item = query; item; item = next) {
        size_t len = strcspn(item, "&");
        next = item[len] ? item + len + 1 : NULL;
        item[len] = '\0';
        char *copy = strdup(item), *value = copy ? strchr(copy, '=') : NULL;
        int status = 1;
        if (!copy)
            return BP_NOMEM;
        if (value) {
            *value++ = '\0';
            if (!unescape(copy) || !unescape(value))
                status = refuse(why, "a URL whose percent-encoding is valid");
            else
                status = take(target, copy, value, why);
        }
        free(copy);
        if (status < 0)
            return status;
        if (status == 0)
            continue;
        if (kept != query)
            *kept++ = '&';
        memmove(kept, item, len + 1);
        kept += len;
    }
    *kept = '\0';
    if (kept == query)
        query[-1] = '\0'; /* the question mark */
    return 0;
}

/* libpq's own words only where they cannot quote the password. */
static int refuse_parse(char *why, const char *error)
{
    static const char parameter[] = "invalid URI query parameter: \"", option[] = "invalid connection option \"";
    const char *name = error ? strstr(error, parameter) : NULL;
    size_t skip = sizeof(parameter) - 1;
    if (!name && error) {
        name = strstr(error, option);
        skip = sizeof(option) - 1;
    }
    if (name) {
        name += skip;
        return refuse(why, "a URL without the parameter \"%.*s\", which is not known", (int)strcspn(name, "\""), name);
    }
    return refuse(why, "a connection URL: postgres://user:password@host:5432/database, where special characters of the "
                       "password are percent-encoded");
}

static bool is_one_of(const char *value, const char *const *names)
{
    while (*names && strcmp(value, *names) != 0)
        names++;
    return *names != NULL;
}

static int check_ports(const char *ports, char *why)
{
    uint64_t number;
    while (ports) {
        size_t len = strcspn(ports, ",");
        if (len > 0 && (!bp_str_to_u64(bp_str_n(ports, len), &number) || number < 1 || number > 65535))
            return refuse(why, "a URL whose port is an integer from 1 to 65535");
        ports = ports[len] ? ports + len + 1 : NULL;
    }
    return 0;
}

static int check(const struct target *target, char *why)
{
    static const char *const modes[] = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full", NULL};
    const char *mode = target_value(target, "sslmode");
    if (mode && !is_one_of(mode, modes))
        return refuse(why, "a URL whose sslmode is disable, allow, prefer, require, verify-ca or verify-full");
    return check_ports(target_value(target, "port"), why);
}

static int parse(char *text, struct target *target, char *why)
{
    char *error = NULL, *query = strchr(text, '?');
    int status = 0;
    bool is_url = strncmp(text, "postgres://", 11) == 0 || strncmp(text, "postgresql://", 13) == 0;
    if (!is_url && (strstr(text, "://") || !strchr(text, '=')))
        return refuse_parse(why, NULL);
    if (is_url && query)
        status = take_parameters(target, query + 1, why);
    if (status != 0)
        return status;
    target->options = PQconninfoParse(text, &error);
    if (!target->options)
        status = refuse_parse(why, error);
    PQfreemem(error);
    if (status == 0 && !is_url && target_value(target, "connect_timeout"))
        status = take(target, "connect_timeout", target_value(target, "connect_timeout"), why);
    return status == 0 ? check(target, why) : status;
}

int target_parse(bp_str url, struct target *ret_target, char *why)
{
    struct target target = {0};
    int status;
    char *text;
    if (url.len == 0 || memchr(url.ptr, '\0', url.len))
        return refuse_parse(why, NULL);
    text = strndup(url.ptr, url.len);
    if (!text)
        return BP_NOMEM;
    status = parse(text, &target, why);
    explicit_bzero(text, url.len);
    free(text);
    if (status != 0) {
        target_deinit(&target);
        return status;
    }
    *ret_target = target;
    return 0;
}

void target_deinit(struct target *target)
{
    PQconninfoFree(target->options);
    free(target->schema);
    *target = (struct target){0};
}

const char *target_value(const struct target *target, const char *keyword)
{
    for (const PQconninfoOption *option = target->options; option && option->keyword; option++)
        if (strcmp(option->keyword, keyword) == 0)
            return option->val && option->val[0] ? option->val : NULL;
    return NULL;
}
