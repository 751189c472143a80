/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <string.h>

#include "url.h"

static const struct {
    const char *url, *expected, *schema;
} cases[] = {
    {"postgresql://u:p@h:5432/d", "postgresql://u:p@h:5432/d", ""},
    {"postgresql://h/d?schema=public", "postgresql://h/d", "public"},
    {"postgresql://h/d?schema=old&sslmode=require", "postgresql://h/d?sslmode=require", "old"},
    {"postgresql://h/d?sslmode=require&connection_limit=5&connect_timeout=3&pgbouncer=true",
     "postgresql://h/d?sslmode=require&connect_timeout=3", ""},
    {"postgresql://h/d?schemas=x&pool_timeout=1", "postgresql://h/d?schemas=x", ""},
    {"postgresql://h/d?", "postgresql://h/d?", ""},
    {"host=h dbname=d", "host=h dbname=d", ""},
};

Test(url, for_libpq)
{
    char url[URL_SIZE], schema[SCHEMA_SIZE], text[URL_SIZE + 1];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        cr_assert(url_for_libpq(cases[i].url, url, schema), "%s", cases[i].url);
        cr_expect_str_eq(url, cases[i].expected, "%s: %s", cases[i].url, url);
        cr_expect_str_eq(schema, cases[i].schema, "%s: %s", cases[i].url, schema);
    }
    memset(text, 'x', URL_SIZE);
    text[URL_SIZE] = '\0';
    cr_expect_not(url_for_libpq(text, url, schema));
    text[URL_SIZE - 1] = '\0';
    cr_expect(url_for_libpq(text, url, schema));
    cr_expect_str_eq(url, text);
    strcpy(text, "postgresql://h/d?schema=");
    memset(text + strlen(text), 'y', SCHEMA_SIZE);
    cr_expect_not(url_for_libpq(text, url, schema));
}
