/* SPDX-License-Identifier: MIT */
/* Bytes into replies, and what error answers mean. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "backplane/status.h"
#include "core/base/arena.h"
#include "refusal.h"
#include "reply.h"

/* A reply as a text: "(1 nil 'x' (…))". */
static void show(const struct bp_kv_reply *reply, char **at)
{
    switch (reply->type) {
    case BP_KV_INTEGER:
        *at += sprintf(*at, "%lld", (long long)reply->integer);
        break;
    case BP_KV_TEXT:
        *at += sprintf(*at, "'%" BP_STR_FMT "'", BP_STR_ARG(reply->text));
        break;
    case BP_KV_LIST:
        *at += sprintf(*at, "(");
        for (size_t i = 0; i < reply->len; i++) {
            *at += sprintf(*at, i ? " " : "");
            show(&reply->items[i], at);
        }
        *at += sprintf(*at, ")");
        break;
    default:
        *at += sprintf(*at, "nil");
    }
}

/* Everything that the bytes say, fed in steps; "!" at the end when they are no reply. */
static void read_all(const char *bytes, size_t len, size_t step, size_t limit, char *out)
{
    struct reply_budget budget = {.limit = limit};
    redisReader *reader = reply_reader_new(&budget);
    struct bp_arena *arena = arena_new();
    struct bp_kv_reply converted;
    struct reply *reply = NULL;
    bool fine = true;
    cr_assert(reader && arena);
    for (size_t i = 0; i < len && fine; i += step) {
        cr_assert_eq(redisReaderFeed(reader, bytes + i, len - i < step ? len - i : step), REDIS_OK);
        while ((fine = reply_next(reader, &reply)) && reply) {
            cr_assert_eq(reply_convert(reply, arena, &converted), 0);
            reply_free(reply);
            show(&converted, &out);
            *out++ = ';';
        }
    }
    strcpy(out, fine ? "" : "!");
    redisReaderFree(reader);
    arena_free(arena);
}

Test(reply, read)
{
    static const struct {
        const char *bytes, *shown;
    } cases[] = {
        {"+OK\r\n", "'OK';"},
        {"-ERR no\r\n", "'ERR no';"},
        {":42\r\n:-9223372036854775808\r\n", "42;-9223372036854775808;"},
        {"$-1\r\n*-1\r\n", "nil;nil;"},
        {"$0\r\n\r\n", "'';"},
        {"$4\r\na\r\nb\r\n", "'a\r\nb';"},
        {"*0\r\n", "();"},
        {"*3\r\n:1\r\n$-1\r\n*2\r\n$1\r\nx\r\n-BAD\r\n", "(1 nil ('x' 'BAD'));"},
        {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "(((((((1)))))));"},
        {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "!"},
        {"+OK", ""},
        {"$5\r\nab", ""},
        {"*2\r\n:1\r\n", ""},
        {"HTTP/1.1 400 Bad Request\r\n", "!"},
        {"+OK\r\nhello\r\n", "'OK';!"},
        {":x\r\n", "!"},
        {":99999999999999999999\r\n", "!"},
        {"$-2\r\n", "!"},
        {"$x\r\n", "!"},
        {"$99999999999999999999\r\n", "!"},
        {"*-2\r\n", "!"},
        {"*9999999999\r\n", "!"},
        {"*2147483647\r\n", "!"}, /* the list alone is larger than what is allowed */
        {"*2\r\n:1\r\n*1000000\r\n", "!"},
        {"\r\n", "!"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t step = 1; step <= 64; step += 21) {
            char shown[512];
            read_all(cases[i].bytes, strlen(cases[i].bytes), step, 65536, shown);
            cr_assert_str_eq(shown, cases[i].shown, "%s: %s", cases[i].bytes, shown);
        }
}

Test(reply, bounded)
{
    char bytes[8192], shown[16384];
    size_t len = (size_t)sprintf(bytes, "$2000\r\n");
    memset(bytes + len, 'x', 2000);
    memcpy(bytes + len + 2000, "\r\n", 2);
    read_all(bytes, len + 2002, 100, 4096, shown);
    cr_assert_eq(strlen(shown), 2003);
    read_all(bytes, len + 2002, 100, 1999, shown);
    cr_assert_str_eq(shown, "!");
    /* What is announced only, and fills the buffer. */
    memcpy(bytes, "$9000\r\n", 7);
    read_all(bytes, 2000, 100, 1024, shown);
    cr_assert_str_eq(shown, "!");
    /* The bound is for one reply, not for all of them. */
    len = 0;
    for (int i = 0; i < 500; i++)
        len += (size_t)sprintf(bytes + len, "+0123456789\r\n");
    read_all(bytes, len, 1000, 1024, shown);
    cr_assert_eq(strlen(shown), 500 * 13);
    /* Many small parts of one. */
    len = (size_t)sprintf(bytes, "*100\r\n");
    for (int i = 0; i < 100; i++)
        len += (size_t)sprintf(bytes + len, ":1\r\n");
    read_all(bytes, len, 1000, 1024, shown);
    cr_assert_str_eq(shown, "!");
}

Test(refusal, meaning)
{
    static const struct {
        const char *text, *code;
        int status;
        bool away;
    } cases[] = {
        {"LOADING Redis is loading the dataset in memory", "LOADING", BP_BUSY, true},
        {"READONLY You can't write against a read only replica.", "READONLY", BP_BUSY, true},
        {"NOAUTH Authentication required.", "NOAUTH", BP_BUSY, true},
        {"WRONGPASS invalid username-password pair or user is disabled.", "WRONGPASS", BP_BUSY, true},
        {"OOM command not allowed when used memory > 'maxmemory'.", "OOM", BP_BUSY, false},
        {"MISCONF Redis is configured to save RDB snapshots", "MISCONF", BP_BUSY, false},
        {"MOVED 3999 127.0.0.1:6381", "MOVED", BP_BUSY, false},
        {"BUSY Redis is busy running a script.", "BUSY", BP_BUSY, false},
        {"BUSYGROUP Consumer Group name already exists", NULL, BP_ERROR, false},
        {"NOPERM this user has no permissions", "NOPERM", BP_ERROR, false},
        {"ERR Error running script (call to f_0): @user_script:1: -READONLY You can't", "READONLY", BP_BUSY, true},
        {"ERR Error running script (call to f_0): @user_script:1: nonsense", NULL, BP_ERROR, false},
        {"ERR unknown command", NULL, BP_ERROR, false},
        {"WRONGTYPE Operation against a key", NULL, BP_ERROR, false},
        {"OOM", "OOM", BP_BUSY, false},
        {"", NULL, BP_ERROR, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct refusal refusal = refusal_of(bp_str_of(cases[i].text));
        cr_assert_eq(refusal.status, cases[i].status, "%s", cases[i].text);
        cr_assert_eq(refusal.away, cases[i].away, "%s", cases[i].text);
        cr_assert_eq(refusal.code == NULL, cases[i].code == NULL, "%s", cases[i].text);
        if (refusal.code)
            cr_assert_str_eq(refusal.code, cases[i].code);
    }
    cr_assert(refusal_is_no_script(BP_STR("NOSCRIPT No matching script. Please use EVAL.")));
    cr_assert_not(refusal_is_no_script(BP_STR("ERR NOSCRIPT")));
}
