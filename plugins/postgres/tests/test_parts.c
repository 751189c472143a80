/* SPDX-License-Identifier: MIT */
/* What needs no server: URLs, SQLSTATEs, columns of any bytes. */
#include <criterion/criterion.h>

#include "backplane/backplane.h"
#include "connect.h"
#include "core/base/arena.h"
#include "database.h"
#include "row.h"
#include "sqlstate.h"
#include "url.h"

Test(parts, urls)
{
    static const struct {
        const char *url, *host, *user, *password, *database, *sslmode, *schema;
        bool pooler;
        uint32_t limit;
        int pool_timeout, connect_timeout;
    } cases[] = {
        {"postgres://u:p@h:5433/d", "h", "u", "p", "d", NULL, NULL, false, 0, 0, 0},
        {"postgresql://u:p%40%3F@h/d?schema=public&sslmode=require&connection_limit=7&pool_timeout=3", "h", "u", "p@?",
         "d", "require", "public", false, 7, 3, 0},
        {"postgres://u@h/d?pgbouncer=true&connect_timeout=9", "h", "u", NULL, "d", NULL, NULL, true, 0, 0, 9},
        {"postgres://u@h/d?pgbouncer=false&schema=my%20own", "h", "u", NULL, "d", NULL, "my own", false, 0, 0, 0},
        {"postgres://u@a,b:1234/d?target_session_attrs=read-write", "a,b", "u", NULL, "d", NULL, NULL, false, 0, 0, 0},
        {"postgres://u@/d?host=/run/postgresql&schema=x", "/run/postgresql", "u", NULL, "d", NULL, "x", false, 0, 0, 0},
        {"host=h user=u dbname=d connect_timeout=4", "h", "u", NULL, "d", NULL, NULL, false, 0, 0, 4},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct target target;
        char why[URL_WHY] = "";
        cr_assert_eq(target_parse(bp_str_of(cases[i].url), &target, why), 0, "%s: %s", cases[i].url, why);
        const struct {
            const char *keyword, *value;
        } values[] = {{"host", cases[i].host},
                      {"user", cases[i].user},
                      {"password", cases[i].password},
                      {"dbname", cases[i].database},
                      {"sslmode", cases[i].sslmode}};
        for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
            const char *value = target_value(&target, values[j].keyword);
            cr_assert(value == values[j].value || (value && values[j].value && strcmp(value, values[j].value) == 0),
                      "%s: %s is %s", cases[i].url, values[j].keyword, value);
        }
        cr_assert(target.schema == cases[i].schema || strcmp(target.schema, cases[i].schema) == 0);
        cr_assert_eq(target.pooler, cases[i].pooler);
        cr_assert_eq(target.connection_limit, cases[i].limit);
        cr_assert_eq(target.pool_timeout, cases[i].pool_timeout * BP_SECOND);
        cr_assert_eq(target.connect_timeout, cases[i].connect_timeout * BP_SECOND, "%s", cases[i].url);
        target_deinit(&target);
    }
}

#define NO_URL                                                                                                     \
    "a connection URL: postgres://user:password@host:5432/database, where special characters of the password are " \
    "percent-encoded"

Test(parts, bad_urls)
{
    static const struct {
        const char *url, *why;
    } cases[] = {
        {"", NO_URL},
        {"todo.db", NO_URL},
        {"mysql://u:Secret@h/d", NO_URL},
        {"postgres://u:Secret@[::1/d", NO_URL},
        {"postgres://u:%zzSecret@h/d", NO_URL},
        {"postgres://u:Secret@h/d?shema=public", "a URL without the parameter \"shema\", which is not known"},
        {"postgres://u:Secret@h/d?schema=a&sslaccept=strict",
         "a URL without the parameter \"sslaccept\", which is not known"},
        {"postgres://u:Secret@h/d?pgbouncer=maybe", "a URL whose pgbouncer is true or false"},
        {"postgres://u:Secret@h/d?connection_limit=0", "a URL whose connection_limit is an integer from 1 to 1000"},
        {"postgres://u:Secret@h/d?pool_timeout=x", "a URL whose pool_timeout is an integer from 1 to 3600"},
        {"postgres://u:Secret@h/d?schema=", "a URL whose schema has 1 to 63 bytes and no quotes"},
        {"postgres://u:Secret@h/d?schema=a%22b", "a URL whose schema has 1 to 63 bytes and no quotes"},
        {"postgres://u:Secret@h/d?schema=%zz", "a URL whose percent-encoding is valid"},
        {"postgres://u:Secret@h:99999/d", "a URL whose port is an integer from 1 to 65535"},
        {"postgres://u:Secret@h/d?sslmode=on",
         "a URL whose sslmode is disable, allow, prefer, require, verify-ca or verify-full"},
        {"host=h colour=red", "a URL without the parameter \"colour\", which is not known"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct target target = {0};
        char why[URL_WHY] = "";
        cr_assert_eq(target_parse(bp_str_of(cases[i].url), &target, why), BP_INVALID, "%s", cases[i].url);
        cr_assert_str_eq(why, cases[i].why, "%s: %s", cases[i].url, why);
        cr_assert_null(strstr(why, "Secret"));
        cr_assert_null(target.options);
    }
}

Test(parts, sqlstates)
{
    static const struct {
        const char *code;
        int status;
        enum sqlstate_remedy remedy;
    } cases[] = {
        {"23505", BP_DB_UNIQUE, REMEDY_NONE}, {"23503", BP_DB_FOREIGN, REMEDY_NONE},
        {"23514", BP_DB_CHECK, REMEDY_NONE},  {"23502", BP_DB_CHECK, REMEDY_NONE},
        {"23P01", BP_DB_CHECK, REMEDY_NONE},  {"40001", BP_BUSY, REMEDY_AGAIN},
        {"40P01", BP_BUSY, REMEDY_AGAIN},     {"57014", BP_TIMEOUT, REMEDY_NONE},
        {"55P03", BP_BUSY, REMEDY_NONE},      {"53300", BP_BUSY, REMEDY_NONE},
        {"53100", BP_BUSY, REMEDY_NONE},      {"57P01", BP_BUSY, REMEDY_NONE},
        {"57P03", BP_BUSY, REMEDY_NONE},      {"08006", BP_BUSY, REMEDY_NONE},
        {"58030", BP_BUSY, REMEDY_NONE},      {"25006", BP_BUSY, REMEDY_REOPEN},
        {"0A000", BP_ERROR, REMEDY_PREPARE},  {"26000", BP_ERROR, REMEDY_PREPARE},
        {"42P05", BP_ERROR, REMEDY_PREPARE},  {"25P03", BP_TIMEOUT, REMEDY_NONE},
        {"42601", BP_ERROR, REMEDY_NONE},     {"22021", BP_ERROR, REMEDY_NONE},
        {"", BP_ERROR, REMEDY_NONE},          {NULL, BP_ERROR, REMEDY_NONE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sqlstate is = sqlstate_of(cases[i].code);
        cr_assert_eq(is.status, cases[i].status, "%s", cases[i].code);
        cr_assert_eq(is.remedy, cases[i].remedy, "%s", cases[i].code);
    }
}

/* Columns of the right type and the wrong length, and digits that no server sends. */
Test(parts, columns_of_wrong_bytes)
{
    static const char *const choices[] = {"a", "b", NULL};
    static const char bytes[24] = {0};
    struct bp_arena *arena = arena_new();
    union {
        int64_t integer;
        bp_str text;
        bp_uuid uuid;
    } member;
    static const struct {
        uint32_t oid;
        size_t len;
    } lengths[] = {{16, 1},  {20, 8},   {21, 2},   {23, 4},   {26, 4},   {700, 4},
                   {701, 8}, {1082, 4}, {1114, 8}, {1184, 8}, {2950, 16}};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        for (unsigned type = BP_TYPE_BOOL; type <= BP_TYPE_DATE; type++)
            for (size_t len = 0; len <= sizeof(bytes); len++) {
                struct bp_field row = {.name = "x", .type = (uint16_t)type, .choices = choices};
                int status = row_decode(&row, lengths[i].oid, bp_str_n(bytes, len), arena, &member);
                cr_assert(len == lengths[i].len || status == BP_ERROR, "oid %u, type %u, %zu bytes: %d", lengths[i].oid,
                          type, len, status);
            }
    struct bp_field number = {.name = "x", .type = BP_TYPE_I64};
    cr_assert_eq(row_decode(&number, 1700, BP_STR("\0\1\0\0\0\0\0\0\x27\x0f"), arena, &member), 0);
    cr_assert_eq(member.integer, 9999);
    cr_assert_eq(row_decode(&number, 1700, BP_STR("\0\1\0\0\0\0\0\0\x27\x10"), arena, &member), BP_ERROR,
                 "a digit of 10000");
    cr_assert_eq(row_decode(&number, 1700, BP_STR("\0\2\0\0\0\0\0\0\0\1"), arena, &member), BP_ERROR, "too short");
    cr_assert_eq(row_decode(&number, 1700, BP_STR("\0\1\0\0\xc0\0\0\0\0\1"), arena, &member), BP_ERROR, "NaN");
    cr_assert_eq(row_decode(&number, 1700, BP_STR("\0\1\x7f\xff\0\0\0\0\0\1"), arena, &member), BP_ERROR, "too large");
    struct bp_field text = {.name = "x", .type = BP_TYPE_TEXT};
    cr_assert_eq(row_decode(&text, 3802, BP_STR("\1{}"), arena, &member), 0);
    cr_assert(bp_str_is(member.text, "{}"));
    cr_assert_eq(row_decode(&text, 3802, BP_STR("\2{}"), arena, &member), BP_ERROR, "another version of jsonb");
    cr_assert_eq(row_decode(&text, 3802, (bp_str){"", 0}, arena, &member), BP_ERROR);
    cr_assert_eq(row_decode(&text, 17, BP_STR("\1"), arena, &member), BP_ERROR, "bytea");
    struct bp_field choice = {.name = "x", .type = BP_TYPE_CHOICE, .choices = choices};
    cr_assert_eq(row_decode(&choice, 20000, BP_STR("b"), arena, &member), 0);
    cr_assert_eq(row_decode(&choice, 20000, BP_STR("c"), arena, &member), BP_ERROR);
    arena_free(arena);
}

Test(parts, values)
{
    struct parameter parameter;
    struct bp_db_value value = bp_db_date(0);
    cr_assert(row_encode(&value, &parameter));
    cr_assert_eq(parameter.oid, 1184);
    cr_assert_eq(memcmp(parameter.bytes, "\xff\xfc\xa2\xfe\xc4\xc8\x20\x00", 8), 0);
    value = bp_db_date(INT64_MAX);
    cr_assert_not(row_encode(&value, &parameter), "no timestamptz can hold it");
    value = bp_db_bool(true);
    cr_assert(row_encode(&value, &parameter) && parameter.len == 1 && parameter.bytes[0] == 1);
    value = bp_db_null();
    cr_assert(row_encode(&value, &parameter) && parameter.oid == 0 && !parameter.bytes);
    value.type = BP_TYPE_OBJECT;
    cr_assert_not(row_encode(&value, &parameter));
}

Test(parts, reasons)
{
    static const struct {
        const char *message, *why;
    } cases[] = {
        {"connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n\tIs the server running?\n",
         "Connection refused"},
        {"connection to server at \"h\" (::1), port 1 failed: FATAL:  role \"x\" does not exist\n",
         "role \"x\" does not exist"},
        {"server closed the connection unexpectedly\n\tThis probably means",
         "server closed the connection unexpectedly"},
        {"", "the server closed the connection"},
    };
    char why[DATABASE_WHY];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        connect_reason(cases[i].message, why);
        cr_assert_str_eq(why, cases[i].why);
    }
    for (unsigned tries = 0; tries < 100; tries++) {
        bp_span pause = connect_backoff(tries);
        cr_assert(pause >= 50 * BP_MILLISECOND && pause <= 2 * BP_SECOND);
        cr_assert(tries > 0 || pause <= 100 * BP_MILLISECOND);
    }
}
