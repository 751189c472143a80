/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "backplane/status.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/plugin/assembly.h"

static bp_time monotonic(void)
{
    return 0;
}

static bp_date wall(void)
{
    return 1795377302123;
}

static const struct clock_source source = {.monotonic = monotonic, .wall = wall};
static FILE *captured;
static int kept_error;
static char pid[24];

static void setup(void)
{
    clock_replace(&source);
    captured = tmpfile();
    kept_error = dup(STDERR_FILENO);
    dup2(fileno(captured), STDERR_FILENO);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
}

static void teardown(void)
{
    dup2(kept_error, STDERR_FILENO);
    close(kept_error);
    fclose(captured);
}

TestSuite(log, .init = setup, .fini = teardown);

/* What was written since the last time; the pid is replaced by PID. */
static const char *written(void)
{
    static char text[20000];
    char *at;
    ssize_t len;
    lseek(fileno(captured), 0, SEEK_SET);
    len = read(fileno(captured), text, sizeof(text) - 1);
    text[len > 0 ? len : 0] = '\0';
    cr_assert_eq(ftruncate(fileno(captured), 0), 0);
    lseek(fileno(captured), 0, SEEK_SET);
    at = strstr(text, pid);
    if (at) {
        memmove(at + 3, at + strlen(pid), strlen(at + strlen(pid)) + 1);
        memcpy(at, "PID", 3);
    }
    return text;
}

#define JSON_HEAD "{\"time\":\"2026-11-22T19:55:02.123Z\",\"level\":\"info\",\"event\":\"a.b\",\"message\":\"Done\""

Test(log, json_line)
{
    log_setup(BP_LOG_INFO, LOG_JSON, "worker 3");
    bp_log(NULL, BP_LOG_INFO, "a.b", "Done", bp_log_cstr("s", "text"), bp_log_int("i", -5), bp_log_bool("t", true),
           bp_log_bool("f", false), bp_log_num("n", 0.1), bp_log_num("whole", 3));
    cr_assert_str_eq(written(), JSON_HEAD ",\"process\":\"worker 3\",\"pid\":PID,\"s\":\"text\",\"i\":-5,\"t\":true,"
                                          "\"f\":false,\"n\":0.1,\"whole\":3}\n");
}

Test(log, text_line)
{
    log_setup(BP_LOG_INFO, LOG_TEXT, "check");
    bp_log(NULL, BP_LOG_WARN, "a.b", "It \"is\" done", bp_log_cstr("s", "text"), bp_log_cstr("two", "two words"),
           bp_log_cstr("none", ""), bp_log_cstr("equals", "a=b"), bp_log_int("i", 7));
    cr_assert_str_eq(written(), "2026-11-22T19:55:02.123Z warn  a.b: It \"is\" done process=check pid=PID s=text "
                                "two=\"two words\" none=\"\" equals=\"a=b\" i=7\n");
}

Test(log, no_fields_and_no_process)
{
    log_setup(BP_LOG_INFO, LOG_JSON, NULL);
    bp_log(NULL, BP_LOG_INFO, "a.b", "Done");
    cr_assert_str_eq(written(), JSON_HEAD ",\"pid\":PID}\n");
    bp_log_write(NULL, BP_LOG_INFO, "a.b", "Done", NULL);
    cr_assert_str_eq(written(), JSON_HEAD ",\"pid\":PID}\n");
}

static bp_str some_request_id(void)
{
    return BP_STR("req-1");
}

Test(log, plugin_and_request)
{
    struct bp_host host = {.name = "per_user", .name_str = BP_STR("per_user")};
    log_setup(BP_LOG_INFO, LOG_JSON, NULL);
    log_request_id = some_request_id;
    bp_log(&host, BP_LOG_INFO, "a.b", "Done");
    log_request_id = NULL;
    cr_assert_str_eq(written(), JSON_HEAD ",\"pid\":PID,\"plugin\":\"per_user\",\"request_id\":\"req-1\"}\n");
}

Test(log, levels)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (int least = BP_LOG_DEBUG; least <= BP_LOG_ERROR; least++) {
        log_setup((enum bp_level)least, LOG_JSON, NULL);
        for (int level = BP_LOG_DEBUG; level <= BP_LOG_ERROR; level++) {
            char expected[32];
            const char *line;
            cr_assert_eq(bp_log_enabled((enum bp_level)level), level >= least);
            bp_log(NULL, (enum bp_level)level, "a.b", "Done");
            line = written();
            snprintf(expected, sizeof(expected), "\"level\":\"%s\"", names[level]);
            cr_assert_eq(strstr(line, expected) != NULL, level >= least, "%s: %s", expected, line);
            cr_assert_eq(line[0] != '\0', level >= least);
        }
    }
}

#define ESCAPED(bytes, text)               \
    {                                      \
        BP_STR_INIT(bytes), "\"" text "\"" \
    }

Test(log, values_are_escaped)
{
    static const struct {
        bp_str value;
        const char *expected;
    } cases[] = {
        ESCAPED("a\"b\\c/", "a\\\"b\\\\c/"),
        ESCAPED("\r\n\t", "\\r\\n\\t"),
        ESCAPED("x\0y", "x\\u0000y"),
        ESCAPED("\x01\x1b[31m\x7f", "\\u0001\\u001b[31m\\u007f"),
        ESCAPED("\xc2\x85\xc2\x9b", "\\u0085\\u009b"),
        ESCAPED("\xc2\xa0\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc2\xa0\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"),
        ESCAPED("\x80\xff", "\xef\xbf\xbd\xef\xbf\xbd"),
        ESCAPED("\xc3", "\xef\xbf\xbd"),
        ESCAPED("\xc3(", "\xef\xbf\xbd("),
        ESCAPED("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"),
        ESCAPED("\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"),
        ESCAPED("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"),
        ESCAPED("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"),
        ESCAPED("\xf0\x80\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"),
        ESCAPED("\xf5\x80", "\xef\xbf\xbd\xef\xbf\xbd"),
    };
    for (int text = 0; text <= 1; text++)
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            char expected[300];
            log_setup(BP_LOG_INFO, text ? LOG_TEXT : LOG_JSON, NULL);
            bp_log(NULL, BP_LOG_INFO, "a.b", "Done", bp_log_str("v", cases[i].value));
            snprintf(expected, sizeof(expected),
                     text ? "2026-11-22T19:55:02.123Z info  a.b: Done pid=PID v=%s\n"
                          : JSON_HEAD ",\"pid\":PID,\"v\":%s}\n",
                     cases[i].expected);
            cr_assert_str_eq(written(), expected, "case %zu", i);
        }
}

Test(log, a_message_cannot_forge_a_line)
{
    log_setup(BP_LOG_INFO, LOG_TEXT, NULL);
    bp_log(NULL, BP_LOG_INFO, "a.b", "Done\n2026 error x");
    cr_assert_str_eq(written(), "2026-11-22T19:55:02.123Z info  a.b: \"Done\\n2026 error x\" pid=PID\n");
}

Test(log, secrets_are_redacted)
{
    static const struct {
        const char *name;
        bool secret;
    } cases[] = {
        {"password", true},      {"new_password", true}, {"JWT_SECRET", true}, {"refreshToken", true},
        {"Authorization", true}, {"token", true},        {"tokens", false},    {"password_length", false},
        {"secretary", false},    {"ken", false},
    };
    log_setup(BP_LOG_INFO, LOG_JSON, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[200];
        bp_log(NULL, BP_LOG_INFO, "a.b", "Done", bp_log_cstr(cases[i].name, "hunter2"));
        snprintf(expected, sizeof(expected), JSON_HEAD ",\"pid\":PID,\"%s\":\"%s\"}\n", cases[i].name,
                 cases[i].secret ? "[redacted]" : "hunter2");
        cr_assert_str_eq(written(), expected);
    }
    bp_log(NULL, BP_LOG_INFO, "a.b", "Done", bp_log_int("token", 123));
    cr_assert_str_eq(written(), JSON_HEAD ",\"pid\":PID,\"token\":\"[redacted]\"}\n");
}

Test(log, numbers)
{
    static const struct {
        double number;
        const char *expected;
    } cases[] = {
        {0, "0"},           {-1.5, "-1.5"},      {1.0 / 3, "0.33333333333333331"}, {1e21, "1e+21"},     {NAN, "null"},
        {INFINITY, "null"}, {-INFINITY, "null"}, {123456789.25, "123456789.25"},   {2.5e-10, "2.5e-10"}};
    log_setup(BP_LOG_INFO, LOG_JSON, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[200];
        bp_log(NULL, BP_LOG_INFO, "a.b", "Done", bp_log_num("n", cases[i].number));
        snprintf(expected, sizeof(expected), JSON_HEAD ",\"pid\":PID,\"n\":%s}\n", cases[i].expected);
        cr_assert_str_eq(written(), expected);
    }
    bp_log(NULL, BP_LOG_INFO, "a.b", "Done", bp_log_int("n", INT64_MIN));
    cr_assert_str_eq(written(), JSON_HEAD ",\"pid\":PID,\"n\":-9223372036854775808}\n");
}

Test(log, a_long_value_is_whole)
{
    static char value[10001];
    const char *line;
    memset(value, 'v', sizeof(value) - 1);
    log_setup(BP_LOG_INFO, LOG_JSON, NULL);
    bp_log(NULL, BP_LOG_INFO, "a.b", "Done", bp_log_cstr("v", value));
    line = written();
    cr_assert(strstr(line, value));
    cr_assert_eq(line[strlen(line) - 1], '\n');
}

Test(log, automatic_format_is_json_off_a_terminal)
{
    log_setup(BP_LOG_INFO, LOG_AUTO, "x");
    cr_assert(log_is_json());
    cr_assert_str_eq(log_process(), "x");
    log_setup(BP_LOG_INFO, LOG_TEXT, NULL);
    cr_assert_not(log_is_json());
    cr_assert_str_eq(log_process(), "");
}

Test(log, a_trace_says_where)
{
    log_setup(BP_LOG_DEBUG, LOG_JSON, NULL);
    cr_assert_eq(bp_trace_at(BP_TIMEOUT, "f.c", 12), BP_TIMEOUT);
    cr_assert_str_eq(written(),
                     "{\"time\":\"2026-11-22T19:55:02.123Z\",\"level\":\"debug\",\"event\":\"status.forwarded\","
                     "\"message\":\"A status was forwarded\",\"pid\":PID,\"status\":\"BP_TIMEOUT\","
                     "\"file\":\"f.c\",\"line\":12}\n");
    cr_assert_eq(bp_trace_at(0, "f.c", 12), 0);
    cr_assert_str_eq(written(), "");
    log_setup(BP_LOG_INFO, LOG_JSON, NULL);
    cr_assert_eq(bp_trace_at(BP_NOMEM, "f.c", 12), BP_NOMEM);
    cr_assert_str_eq(written(), "");
}

Test(status, names)
{
    static const char *const names[] = {"BP_OK",   "BP_ERROR",   "BP_NOMEM",   "BP_TIMEOUT", "BP_CANCELED",
                                        "BP_BUSY", "BP_REFUSED", "BP_INVALID", "BP_MISUSE",  "BP_UNKNOWN"};
    for (int i = 0; i < 10; i++)
        cr_assert_str_eq(bp_status_name(-i), names[i]);
    cr_assert_str_eq(bp_status_name(-10), "unknown status");
    cr_assert_str_eq(bp_status_name(1), "unknown status");
}
