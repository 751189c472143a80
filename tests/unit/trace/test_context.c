/* SPDX-License-Identifier: MIT */
#include <criterion/criterion.h>
#include <stdio.h>

#include "backplane/trace.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

Test(trace_context, parent)
{
    static const struct {
        const char *field;
        bool fine;
        uint8_t flags;
    } cases[] = {{"00-" TRACE "-" SPAN "-01", true, 1},
                 {"00-" TRACE "-" SPAN "-00", true, 0},
                 {"00-" TRACE "-" SPAN "-ff", true, 1}, /* what the other bits mean is not known */
                 {"00-" TRACE "-" SPAN "-02", true, 0},
                 {"01-" TRACE "-" SPAN "-01", true, 1},
                 {"cc-" TRACE "-" SPAN "-01-what-comes-later", true, 1},
                 {"cc-" TRACE "-" SPAN "-01.what", false, 0},
                 {"00-" TRACE "-" SPAN "-01-", false, 0},
                 {"00-" TRACE "-" SPAN "-01-more", false, 0},
                 {"ff-" TRACE "-" SPAN "-01", false, 0},
                 {"00-00000000000000000000000000000000-" SPAN "-01", false, 0},
                 {"00-" TRACE "-0000000000000000-01", false, 0},
                 {"00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01", false, 0},
                 {"00-" TRACE "-B7AD6B7169203331-01", false, 0},
                 {"0X-" TRACE "-" SPAN "-01", false, 0},
                 {"00-" TRACE "-" SPAN "-0g", false, 0},
                 {"00-" TRACE "-" SPAN "-1", false, 0},
                 {"00-" TRACE "-" SPAN, false, 0},
                 {"00_" TRACE "-" SPAN "-01", false, 0},
                 {"00-" TRACE "_" SPAN "-01", false, 0},
                 {"00-" TRACE "-" SPAN "_01", false, 0},
                 {"00-0af7651916cd43dd8448eb211c80319-" SPAN "0-01", false, 0},
                 {" 00-" TRACE "-" SPAN "-01", false, 0},
                 {"00-" TRACE "-" SPAN "-01, 00-" TRACE "-" SPAN "-01", false, 0},
                 {"", false, 0}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bp_trace_context context = {.flags = 77};
        char text[BP_TRACE_PARENT_LEN + 1] = "";
        cr_expect_eq(bp_trace_parent_parse(bp_str_of(cases[i].field), &context), cases[i].fine, "%s", cases[i].field);
        cr_expect_eq(context.flags, cases[i].fine ? cases[i].flags : 77, "%s", cases[i].field);
        if (!cases[i].fine)
            continue;
        bp_trace_parent_format(&context, text);
        cr_expect_str_eq(text, cases[i].flags ? "00-" TRACE "-" SPAN "-01" : "00-" TRACE "-" SPAN "-00");
        cr_expect(context.state.len == 0 && context.baggage.len == 0);
    }
}

/* That many bytes of one letter behind the head. */
static const char *member(char text[1024], const char *head, size_t letters)
{
    size_t len = (size_t)snprintf(text, 1024, "%s", head);
    memset(text + len, 'v', letters);
    text[len + letters] = '\0';
    return text;
}

Test(trace_context, state)
{
    static const struct {
        const char *field, *kept;
    } cases[] = {{"rojo=00f067aa0ba902b7", "rojo=00f067aa0ba902b7"},
                 {"rojo=1,congo=t61rcWkgMzE", "rojo=1,congo=t61rcWkgMzE"},
                 {"rojo=1 ,\t congo=2", "rojo=1 ,\t congo=2"},
                 {"rojo=1,,congo=2", "rojo=1,,congo=2"},
                 {"rojo=1,", "rojo=1"},
                 {"0tenant@system=1", "0tenant@system=1"},
                 {"a_-*/0=b c", "a_-*/0=b c"},
                 {"0tenant=1", ""},
                 {"Rojo=1", ""},
                 {"rojo", ""},
                 {"rojo=", ""},
                 {"=1", ""},
                 {"rojo=a=b", ""},
                 {"rojo=1,cON=2", ""},
                 {"@system=1", ""},
                 {"tenant@=1", ""},
                 {"tenant@System=1", ""},
                 {"a@b@c=1", ""},
                 {"tenant@averylongsystem=1", ""},
                 {"rojo=\x7f", ""},
                 {"rojo=\xc3\xa4", ""},
                 {"", ""}};
    char text[1024];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bp_str kept = bp_trace_state_checked(bp_str_of(cases[i].field));
        cr_expect(bp_str_is(kept, cases[i].kept), "%s: %.*s", cases[i].field, BP_STR_ARG(kept));
    }
    cr_expect_eq(bp_trace_state_checked(bp_str_of(member(text, "a=", 256))).len, 258);
    cr_expect_eq(bp_trace_state_checked(bp_str_of(member(text, "a=", 257))).len, 0);
    cr_expect_eq(bp_trace_state_checked(bp_str_of(member(text, "x=1,y=2,a=", 256))).len, 266);
    /* What is beyond 512 bytes is left out, by whole members. */
    char two[2048];
    int len = snprintf(two, sizeof(two), "%s,b=", member(text, "a=", 256));
    memset(two + len, 'w', 256);
    two[len + 256] = '\0';
    cr_expect_eq(bp_trace_state_checked(bp_str_of(two)).len, 258);
    /* 32 members, not 33. */
    for (size_t count = 32; count <= 33; count++) {
        char many[400] = "", *at = many;
        for (size_t i = 0; i < count; i++)
            at += sprintf(at, "%sk%zu=v", i ? "," : "", i);
        cr_expect_eq(bp_trace_state_checked(bp_str_of(many)).len, count == 32 ? strlen(many) : 0);
    }
}

Test(trace_context, baggage)
{
    static const struct {
        const char *field, *kept;
    } cases[] = {{"userId=alice", "userId=alice"},
                 {"a=1,b = 2 ;secret;p=3, c=%20", "a=1,b = 2 ;secret;p=3, c=%20"},
                 {"a=", "a="},
                 {"a", ""},
                 {"=1", ""},
                 {"a b=1", ""},
                 {"a=\"1\"", ""},
                 {"a=1,,b=2", ""},
                 {"a=1\\2", ""},
                 {"a=\x01", ""},
                 {"a=\xc3\xa4", ""},
                 {"", ""}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bp_str kept = bp_trace_baggage_checked(bp_str_of(cases[i].field));
        cr_expect(bp_str_is(kept, cases[i].kept), "%s: %.*s", cases[i].field, BP_STR_ARG(kept));
    }
    char many[2048] = "", *at = many;
    for (size_t i = 0; i < 65; i++)
        at += sprintf(at, "%skey%02zu=v", i ? "," : "", i);
    bp_str kept = bp_trace_baggage_checked(bp_str_of(many));
    cr_expect_eq(kept.len, strlen(many) - strlen(",key64=v"));
}

/* Nothing is recorded off a fiber, and nothing minds. */
Test(trace_context, nothing_records)
{
    struct bp_trace_context context;
    struct bp_trace_span *span = bp_trace_begin("x", BP_TRACE_INTERNAL);
    cr_expect_null(span);
    cr_expect_null(bp_trace_root("x", BP_TRACE_CONSUMER, NULL));
    cr_expect_null(bp_trace_active());
    cr_expect_not(bp_trace_current(&context));
    bp_trace_text(span, "a", BP_STR("b"));
    bp_trace_text_borrow(span, "a", BP_STR("b"));
    bp_trace_integer(span, "a", 1);
    bp_trace_boolean(span, "a", true);
    bp_trace_error(span, "BP_BUSY");
    bp_trace_rename(span, BP_STR("y"));
    bp_trace_link(span, &context);
    bp_trace_end(span);
}
